#!/usr/bin/env bash
# Builds bitcoind for the tests from the source of Bitcoin Core that the crate libbitcoinkernel-sys carries.
#
# Debian has no bitcoind package. The result has neither wallet nor ZMQ, which the tests do not need; it goes
# to ${XDG_CACHE_HOME:-~/.cache}/hansel/bin, where the tests look for it. Takes 6 to 12 minutes on two cores;
# when the same version is there already, it takes none.
set -euo pipefail

version=0.4.1
flags="-O1 -g0"
bin="${XDG_CACHE_HOME:-$HOME/.cache}/hansel/bin"
stamp="$bin/bitcoind.built-from"
wanted="libbitcoinkernel-sys $version $flags"

say() { printf 'build-bitcoind: %s\n' "$*" >&2; }

install_packages() {
    local missing=()
    command -v cmake >/dev/null || missing+=(cmake)
    command -v ninja >/dev/null || missing+=(ninja-build)
    command -v g++ >/dev/null || missing+=(g++)
    [ -e /usr/include/boost/multi_index_container.hpp ] || missing+=(libboost-dev)
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

# Prints the directory of Bitcoin Core's source, after cargo has fetched and checked the crate.
fetch_source() {
    local crate="$work/crate" manifest
    mkdir -p "$crate/src"
    : >"$crate/src/lib.rs"
    cat >"$crate/Cargo.toml" <<TOML
[package]
name = "bitcoind-source"
version = "0.0.0"
edition = "2021"

[dependencies]
libbitcoinkernel-sys = "=$version"

[workspace]
TOML
    manifest=$(cd "$crate" && cargo metadata --quiet --format-version 1 |
        grep -o "\"manifest_path\":\"[^\"]*libbitcoinkernel-sys-$version/Cargo.toml\"" |
        head -1 | cut -d'"' -f4)
    printf '%s/bitcoin\n' "$(dirname "$manifest")"
}

# Runs a command quietly; shows the end of what it said if it fails.
quietly() {
    "$@" >"$work/log" 2>&1 || {
        tail -40 "$work/log" >&2
        exit 1
    }
}

build() {
    # The parts that are switched off are those whose source the crate leaves out.
    quietly cmake -G Ninja -S "$1" -B "$work/build" -DCMAKE_BUILD_TYPE=None \
        -DAPPEND_CXXFLAGS="$flags" -DAPPEND_CFLAGS="$flags" -DBUILD_DAEMON=ON -DBUILD_CLI=OFF \
        -DBUILD_BITCOIN_BIN=OFF -DBUILD_TESTS=OFF -DBUILD_BENCH=OFF -DBUILD_TX=OFF -DBUILD_UTIL=OFF \
        -DBUILD_GUI=OFF -DENABLE_WALLET=OFF -DENABLE_EXTERNAL_SIGNER=OFF -DENABLE_IPC=OFF \
        -DWITH_ZMQ=OFF -DWITH_EMBEDDED_ASMAP=OFF -DINSTALL_MAN=OFF
    quietly cmake --build "$work/build" --parallel "$(nproc)" --target bitcoind
}

mkdir -p "$bin"
exec 9>"$bin/.bitcoind.lock"
flock 9
if [ -x "$bin/bitcoind" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
    say "$bin/bitcoind is there"
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
install_packages
say "building from $wanted"
build "$(fetch_source)"
install -s -m 755 "$work/build/bin/bitcoind" "$bin/.bitcoind.new"
mv "$bin/.bitcoind.new" "$bin/bitcoind"
printf '%s\n' "$wanted" >"$stamp"
say "$("$bin/bitcoind" --version | head -1) is at $bin/bitcoind"
