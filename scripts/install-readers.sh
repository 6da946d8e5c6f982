#!/usr/bin/env bash
# Installs what the tests let read the interchange formats: NetworkX, pyarrow, Pillow, pypdf, the STIX validator and Cytoscape.js.
#
# All are pinned in scripts/readers and go to ${XDG_CACHE_HOME:-~/.cache}/hansel/readers/KEY, where KEY is a digest of
# what is pinned; ../bin/readers-python and ../bin/readers-node lead there. When all is there already, nothing is done.
set -euo pipefail

pinned=$(cd "$(dirname "$0")/readers" && pwd)
cache="${XDG_CACHE_HOME:-$HOME/.cache}/hansel"
key=$(cat "$pinned/requirements.txt" "$pinned/package.json" "$pinned/package-lock.json" | sha256sum | cut -c1-16)
tools="$cache/readers/$key"

say() { printf 'install-readers: %s\n' "$*" >&2; }

install_packages() {
    local missing=()
    command -v python3 >/dev/null || missing+=(python3)
    python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
    command -v node >/dev/null || missing+=(nodejs)
    command -v npm >/dev/null || missing+=(npm)
    command -v dot >/dev/null || missing+=(graphviz)
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing ${missing[*]}"
    local sudo=()
    [ "$(id -u)" -eq 0 ] || sudo=(sudo)
    if ! command -v apt-get >/dev/null || { [ ${#sudo[@]} -gt 0 ] && ! command -v sudo >/dev/null; }; then
        say "cannot install them here; please install ${missing[*]} (Python 3.11 or newer)"
        exit 1
    fi
    "${sudo[@]}" apt-get update -qq
    "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

fail() {
    tail -20 "$work/install.log" >&2
    rm -rf "$work"
    exit 1
}

# A virtual environment names its own place in its files, so it is made where it stays.
fetch() {
    rm -rf "$tools"
    mkdir -p "$tools"
    work=$tools
    cp "$pinned/package.json" "$pinned/package-lock.json" "$work"
    npm install --prefix "$work" --ignore-scripts --no-audit --no-fund >"$work/install.log" 2>&1 || fail
    python3 -m venv "$work/python" >>"$work/install.log" 2>&1 || fail
    "$work/python/bin/pip" install --quiet --no-deps --only-binary :all: --no-binary cpe --requirement "$pinned/requirements.txt" \
        >>"$work/install.log" 2>&1 || fail
    touch "$work/complete"
}

mkdir -p "$cache/bin" "$cache/readers"
exec 9>"$cache/readers/.lock"
flock 9
install_packages
if [ ! -f "$tools/complete" ]; then
    say "installing NetworkX, pyarrow, Pillow, pypdf, the STIX validator and Cytoscape.js"
    fetch
fi
# The interpreter looks beside the path it was called by for its packages, so a link to it would lose them.
printf '#!/bin/sh\nexec "%s" "$@"\n' "$tools/python/bin/python" >"$cache/bin/readers-python"
chmod +x "$cache/bin/readers-python"
ln -sfn "$tools/node_modules" "$cache/bin/readers-node"
say "they are at $tools"
