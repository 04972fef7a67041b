#!/bin/sh
# Builds pkg/: the wasm core by cargo, everything else by the TypeScript compiler.
set -eu
cd "$(dirname "$0")/.."
# An output of an earlier build would stand before the source that it came from.
rm -rf pkg
cargo xtask build
tsc --project tsconfig.json
# The compiler takes a declaration that is written by hand as it is, and leaves it where it is.
cp js/entry/core-wasm.d.ts pkg/entry/
chmod +x pkg/cli/main.js
