#!/usr/bin/env bash
# Installs what the EVM tests run: the nodes anvil and hardhat, and the Solidity compiler solcjs.
#
# All three are packages of npm, pinned with their dependencies in scripts/evm-tools. They go to
# ${XDG_CACHE_HOME:-~/.cache}/hansel/evm-tools/KEY, where KEY is a digest of what is pinned, and are linked from
# ../bin, where the tests look for them. Takes 15 seconds and 350 MB; when they are there already, nothing is done.
set -euo pipefail

pinned=$(cd "$(dirname "$0")/evm-tools" && pwd)
cache="${XDG_CACHE_HOME:-$HOME/.cache}/hansel"
key=$(cat "$pinned/package.json" "$pinned/package-lock.json" | sha256sum | cut -c1-16)
tools="$cache/evm-tools/$key"

say() { printf 'install-evm-tools: %s\n' "$*" >&2; }

# npm is the only client of the packages; hardhat and solcjs run on node.
install_packages() {
    local missing=()
    command -v node >/dev/null || missing+=(nodejs)
    command -v npm >/dev/null || missing+=(npm)
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing ${missing[*]}"
    local sudo=()
    [ "$(id -u)" -eq 0 ] || sudo=(sudo)
    if ! command -v apt-get >/dev/null || { [ ${#sudo[@]} -gt 0 ] && ! command -v sudo >/dev/null; }; then
        say "cannot install them here; please install ${missing[*]} (node 18 or newer)"
        exit 1
    fi
    "${sudo[@]}" apt-get update -qq
    "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# The native anvil of this machine: the package's own launcher would be the parent of the node.
native_anvil() {
    find "$1/node_modules/@foundry-rs" -path '*/bin/anvil' -type f -perm -u+x -print -quit 2>/dev/null
}

fetch() {
    local work
    work=$(mktemp -d "$cache/evm-tools/.new.XXXXXX")
    cp "$pinned/package.json" "$pinned/package-lock.json" "$work"
    # `npm ci` refuses lock files that lack the other platforms' optional packages; this keeps every pinned version.
    if ! npm install --prefix "$work" --ignore-scripts --no-audit --no-fund >"$work/npm.log" 2>&1; then
        tail -20 "$work/npm.log" >&2
        rm -rf "$work"
        exit 1
    fi
    rm -rf "$tools"
    mv "$work" "$tools"
}

complete() {
    [ -n "$(native_anvil "$tools")" ] && [ -x "$hardhat" ] && [ -x "$solcjs" ]
}

hardhat="$tools/node_modules/hardhat/internal/cli/bootstrap.js"
solcjs="$tools/node_modules/solc/solc.js"
mkdir -p "$cache/bin" "$cache/evm-tools"
exec 9>"$cache/evm-tools/.lock"
flock 9
install_packages
if ! complete; then
    say "installing anvil, hardhat and solcjs"
    fetch
    chmod +x "$hardhat" "$solcjs"
    if ! complete; then
        say "npm has no anvil for this machine; put one on PATH or name it in ANVIL"
        exit 1
    fi
fi
ln -sfn "$(native_anvil "$tools")" "$cache/bin/anvil"
ln -sfn "$hardhat" "$cache/bin/hardhat"
ln -sfn "$solcjs" "$cache/bin/solcjs"
say "$("$cache/bin/anvil" --version | head -1) is at $cache/bin/anvil"
