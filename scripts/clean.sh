#!/bin/sh
# Removes what the other targets made: target/ and the built modules.
set -eu
cd "$(dirname "$0")/.."

rm -rf target .ansible
for source in src/bin/*.rs; do
    rm -f "library/$(basename "$source" .rs)"
done
