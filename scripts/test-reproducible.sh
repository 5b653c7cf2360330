#!/bin/sh
# Builds the modules once more, in another folder, and holds them against those that `make dist` has packed.
set -eu
cd "$(dirname "$0")/.."

scripts/require.sh git sha256sum

packed=$PWD/target/collection/ansible_collections/aspera_ops/sse/plugins/binaries
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git ls-files -z .cargo Cargo.lock Cargo.toml rust-toolchain.toml library scripts src tests | xargs -0 cp --parents -t "$work"
unset CARGO_TARGET_DIR
for architecture in x86_64 aarch64; do
    (cd "$work" && scripts/build.sh "$architecture")
    for source in src/bin/*.rs; do
        name=$(basename "$source" .rs)
        cmp "$work/target/$architecture-unknown-linux-musl/release/$name" "$packed/${name}_$architecture"
    done
done
echo "Built twice, the binaries are the same."
