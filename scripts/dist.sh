#!/bin/sh
# Builds the collection aspera_ops.sse: target/dist/aspera_ops-sse-VERSION.tar.gz, beside it what its binaries are made of
# (CycloneDX), and SHA256SUMS of both.
# The tree from which it is built stays in target/collection/ansible_collections/aspera_ops/sse, for the tests.
set -eu
cd "$(dirname "$0")/.."

scripts/require.sh git gzip sha256sum tar
for architecture in x86_64 aarch64; do
    scripts/build.sh "$architecture"
done

version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
# The same commit gives the same file.
date=$(date -u -d "@${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}" +%Y-%m-%d)
tree=$PWD/target/collection/ansible_collections/aspera_ops/sse
built=$PWD/target/dist/aspera_ops-sse-$version.tar.gz
programs=$PWD/target/venv/tools/bin

"$programs/python" scripts/assemble_collection.py "$version" "$date" "$tree"
mkdir -p target/dist
rm -rf target/dist/*
"$programs/ansible-galaxy" collection build --output-path target/dist "$tree" >/dev/null
# Ansible puts the time and the user into it.
(
    work=$(mktemp -d "$PWD/target/dist/.repack.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    tar -C "$work" -xzf "$built"
    cd "$work"
    tar --sort=name --mtime="$date" --owner=0 --group=0 --numeric-owner --format=gnu -cf - -- * | gzip -9 -n >"$built"
)
"$programs/python" scripts/sbom.py "$version" "$date" "$built" "${built%.tar.gz}.cdx.json"
(cd target/dist && sha256sum -- *.tar.gz *.cdx.json >SHA256SUMS)
echo "target/dist/$(basename "$built"): $(($(wc -c <"$built") / 1024)) KB"
