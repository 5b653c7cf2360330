#!/bin/sh
# The fast part of the tests: format, lint, unit and property tests.
set -eu
cd "$(dirname "$0")/.."

# The property tests ask Java's own class how it reads a properties file.
scripts/require.sh rustup cargo cc java javac

tools=target/venv/tools/bin
PATH=$PWD/$tools:$PATH
export PATH

step() {
    echo "== $*"
    "$@"
}

step cargo fmt --check
step cargo clippy --all-targets --locked -- --deny warnings
step shellcheck scripts/*.sh collection/plugins/plugin_utils/*.sh molecule/hosts/*.sh molecule/hosts/files/asperanoded molecule/hosts/files/asperatrapd molecule/hosts/files/asperatrapd-in-java molecule/hosts/files/script .ci/run
step ruff check --quiet
step ruff format --check --quiet
step yamllint --strict .
step ansible-lint -q
step antsibull-changelog lint
# Tests that mount, or act for another user, are marked as ignored; cargo counts them where they do not run.
if [ "$(id -u)" -eq 0 ]; then
    step cargo test --locked -- --include-ignored
else
    step cargo test --locked
fi
