#!/bin/sh
# Everything that must hold. The build has been made before.
set -eu
cd "$(dirname "$0")/.."

echo "== formats and lints"
cargo fmt --all --check
cargo clippy --workspace --all-targets --locked --quiet -- -D warnings
cargo clippy --package idp-janitor --lib --target wasm32-unknown-unknown --locked --quiet -- -D warnings
RUSTDOCFLAGS="-D warnings" cargo doc --package idp-janitor --no-deps --locked --quiet
biome check --error-on-warnings .
tsc --project tsconfig.test.json

echo "== the core, natively and as wasm"
cargo test --package idp-janitor --locked
cargo test --package idp-janitor --lib --target wasm32-unknown-unknown --locked

echo "== the package, its adapters, the command line, and the originals as the judge"
node --test "tests/**/*.test.ts"
