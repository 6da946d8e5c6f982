#!/usr/bin/env bash
# Checks dependencies against the advisory database, licences and sources, where cargo-deny and the database are there.
set -euo pipefail

if ! command -v cargo-deny > /dev/null; then
    echo "advisories: skipped, cargo-deny is not installed (cargo install cargo-deny --locked)"
    exit 0
fi
cargo deny --offline check bans licenses sources
if ! cargo deny fetch > /dev/null 2>&1; then
    echo "advisories: skipped, the advisory database cannot be reached"
    exit 0
fi
cargo deny check advisories
