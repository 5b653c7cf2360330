#!/bin/sh
# The build for aarch64, on a machine that is another: its unit tests and its programs, each under qemu.
set -eu
cd "$(dirname "$0")/.."

if [ "$(uname -m)" = aarch64 ]; then
    echo "This machine is aarch64: all other tests are those of that build."
    exit 0
fi

scripts/require.sh clang qemu-aarch64-static
scripts/build.sh aarch64

target=aarch64-unknown-linux-musl
# Tests unwind, which the flags for the programs rule out (.cargo/config.toml).
CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_RUNNER=qemu-aarch64-static RUSTFLAGS='-C debuginfo=0' \
    cargo test --locked --lib --target "$target"

for source in src/bin/*.rs; do
    qemu-aarch64-static "target/$target/release/$(basename "$source" .rs)" --version
done
