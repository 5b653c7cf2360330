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
PATH=$programs:$PATH ANSIBLE_COLLECTIONS_PATH=$PWD/target/collection antsibull-docs collection --use-current --fail-on-error \
    --squash-hierarchy --dest-dir "$source/reference" aspera_ops.sse
"$programs/sphinx-build" --quiet --fail-on-warning --keep-going --builder html "$source" target/docs
echo "target/docs/index.html"
