#!/bin/sh
# What a fresh clone needs before it can build: the pinned packages, and the wasm target of the pinned toolchain.
set -eu
cd "$(dirname "$0")/.."
stamp=node_modules/.idp-janitor-setup
if ! cmp -s package-lock.json "$stamp"; then
  npm ci --no-fund --no-audit
  cp package-lock.json "$stamp"
fi
channel=$(sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)
rustup toolchain list | grep -q "^$channel" || rustup toolchain install "$channel" --profile minimal --component rustfmt,clippy
rustup --quiet target add wasm32-unknown-unknown
