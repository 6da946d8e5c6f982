#!/usr/bin/env bash
# Installs what the tests of the HTML report run: Chromium from the system, puppeteer-core and axe-core from npm.
#
# The packages are pinned in scripts/browser and go to ${XDG_CACHE_HOME:-~/.cache}/hansel/browser/KEY, where KEY is a
# digest of what is pinned; ../bin/puppeteer-core leads there. When all is there already, nothing is done.
set -euo pipefail

pinned=$(cd "$(dirname "$0")/browser" && pwd)
cache="${XDG_CACHE_HOME:-$HOME/.cache}/hansel"
key=$(cat "$pinned/package.json" "$pinned/package-lock.json" | sha256sum | cut -c1-16)
tools="$cache/browser/$key"
entry="$tools/node_modules/puppeteer-core/lib/cjs/puppeteer/puppeteer-core.js"

say() { printf 'install-browser: %s\n' "$*" >&2; }

install_packages() {
    local missing=()
    command -v node >/dev/null || missing+=(nodejs)
    command -v npm >/dev/null || missing+=(npm)
    [ -n "${CHROMIUM:-}" ] || command -v chromium >/dev/null || missing+=(chromium)
    # The page is measured with a font whose widths every machine agrees on.
    [ -e /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf ] || missing+=(fonts-dejavu-core)
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

mkdir -p "$cache/bin" "$cache/browser"
exec 9>"$cache/browser/.lock"
flock 9
install_packages
if [ ! -f "$entry" ]; then
    say "installing puppeteer-core and axe-core"
    work=$(mktemp -d "$cache/browser/.new.XXXXXX")
    cp "$pinned/package.json" "$pinned/package-lock.json" "$work"
    if ! npm install --prefix "$work" --ignore-scripts --no-audit --no-fund >"$work/npm.log" 2>&1; then
        tail -20 "$work/npm.log" >&2
        rm -rf "$work"
        exit 1
    fi
    rm -rf "$tools"
    mv "$work" "$tools"
fi
ln -sfn "$entry" "$cache/bin/puppeteer-core"
say "puppeteer-core is at $cache/bin/puppeteer-core"
