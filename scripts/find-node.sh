#!/usr/bin/env bash
# Prints where a node for the tests is: the variable of its name, then PATH, then the cache; nothing where it is not.
set -euo pipefail

name=$1
variable=${name^^}
cached=${XDG_CACHE_HOME:-$HOME/.cache}/hansel/bin/$name
if [ -n "${!variable:-}" ]; then
    echo "${!variable}"
elif command -v "$name" > /dev/null; then
    command -v "$name"
elif [ -x "$cached" ]; then
    echo "$cached"
fi
