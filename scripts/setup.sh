#!/bin/sh
# What a fresh clone needs before it can build: the pinned packages, and the wasm target of the pinned toolchain.
set -eu
cd "$(dirname "$0")/.."
stamp=node_modules/.idp-janitor-setup
if ! cmp -s package-lock.json "$stamp"; then
  npm ci --no-fund --no-audit
  cp package-lock.json "$stamp"
fi
rustup toolchain list | grep -q "^1.95.0" || rustup toolchain install 1.95.0 --profile minimal
rustup target add wasm32-unknown-unknown >/dev/null 2>&1
