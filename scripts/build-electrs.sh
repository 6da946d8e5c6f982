#!/usr/bin/env bash
# Builds electrs, the Electrum server, for the tests.
#
# Version 0.10.10 links to Debian's RocksDB and is built in 2 to 4 minutes on two cores; 0.12 brings its own and
# takes five times as long. The result goes to ${XDG_CACHE_HOME:-~/.cache}/hansel/bin, where the tests look for
# it; when the same version is there already, nothing is done.
set -euo pipefail

version=0.10.10
bin="${XDG_CACHE_HOME:-$HOME/.cache}/hansel/bin"
stamp="$bin/electrs.built-from"
wanted="electrs $version"

say() { printf 'build-electrs: %s\n' "$*" >&2; }

install_packages() {
    local missing=() libclang
    libclang=$(find /usr/lib -name 'libclang*.so*' -print -quit 2>/dev/null)
    command -v g++ >/dev/null || missing+=(g++)
    command -v clang >/dev/null || missing+=(clang)
    [ -n "$libclang" ] || missing+=(libclang-dev)
    [ -e /usr/include/rocksdb/c.h ] || missing+=(librocksdb-dev)
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing ${missing[*]}"
    local sudo=()
    [ "$(id -u)" -eq 0 ] || sudo=(sudo)
    if ! command -v apt-get >/dev/null || { [ ${#sudo[@]} -gt 0 ] && ! command -v sudo >/dev/null; }; then
        say "cannot install them here; please install ${missing[*]}"
        exit 1
    fi
    "${sudo[@]}" apt-get update -qq
    "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

mkdir -p "$bin"
exec 9>"$bin/.electrs.lock"
flock 9
if [ -x "$bin/electrs" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
    say "$bin/electrs is there"
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
install_packages
say "building $wanted"
ROCKSDB_INCLUDE_DIR=/usr/include ROCKSDB_LIB_DIR="/usr/lib/$(g++ -print-multiarch)" \
    cargo install electrs --version "$version" --locked --quiet \
    --root "$work/root" --target-dir "$work/target"
install -s -m 755 "$work/root/bin/electrs" "$bin/.electrs.new"
mv "$bin/.electrs.new" "$bin/electrs"
printf '%s\n' "$wanted" >"$stamp"
say "$("$bin/electrs" --version) is at $bin/electrs"
