#!/bin/sh
# Makes a site of the documentation: target/docs/index.html. Any warning is a failure.
set -eu
cd "$(dirname "$0")/.."

programs=$PWD/target/venv/docs/bin
source=$PWD/target/docs-source
rm -rf "$source" target/docs
mkdir -p "$source/reference" "$source/roles/aspera_sse"
cp -R docs ./*.md "$source"
cp roles/aspera_sse/README.md "$source/roles/aspera_sse"
mv "$source/docs/site/"* "$source"
rmdir "$source/docs/site"

# antsibull-docs runs ansible-doc by its name.
export PATH="$programs:$PATH" ANSIBLE_COLLECTIONS_PATH="$PWD/target/collection"
# What antsibull-nox checks of a collection's documentation; its other sessions are linters that this project has, in versions that are not pinned.
antsibull-docs lint-collection-docs --plugin-docs --skip-rstcheck target/collection/ansible_collections/aspera_ops/sse
antsibull-docs collection --use-current --fail-on-error \
    --squash-hierarchy --dest-dir "$source/reference" aspera_ops.sse
"$programs/sphinx-build" --quiet --fail-on-warning --keep-going --builder html "$source" target/docs
echo "target/docs/index.html"
