#!/usr/bin/env bash
# Installs what building hansel needs and is missing: a C++ compiler and libclang, for RocksDB. Says what it installs.
set -euo pipefail

missing=()
command -v g++ > /dev/null || missing+=(g++)
compgen -G '/usr/lib/llvm-*/lib/libclang*.so*' > /dev/null || compgen -G '/usr/lib/*/libclang*.so*' > /dev/null || missing+=(libclang1)

if ! command -v cargo > /dev/null; then
    echo "setup: Rust is missing; install it with rustup (rust-toolchain 1.94 or newer) and run this again" >&2
    exit 1
fi
if [ ${#missing[@]} -eq 0 ]; then
    exit 0
fi
if ! command -v apt-get > /dev/null; then
    echo "setup: please install with your package manager: ${missing[*]}" >&2
    exit 1
fi
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
echo "setup: installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
