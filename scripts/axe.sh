#!/bin/sh
# Installs axe-core, which tests/browser needs, into target/axe. Nothing that is installed is run here.
set -eu
cd "$(dirname "$0")/.."

source=tests/browser/axe
folder=target/axe
if [ -e "$folder/.complete" ] && cmp -s "$source/package-lock.json" "$folder/package-lock.json"; then
    exit 0
fi
scripts/require.sh npm
rm -rf "$folder"
mkdir -p "$folder"
cp "$source/package.json" "$source/package-lock.json" "$folder"
npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --silent
touch "$folder/.complete"
