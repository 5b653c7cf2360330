#!/bin/sh
# The slow part of the tests: another architecture, a second build, injected faults, real controllers. `make test` has made what they need before.
set -eu
cd "$(dirname "$0")/.."

scripts/test-aarch64.sh
scripts/test-reproducible.sh

# What the tests mount is gone with them, however they end; so is what is kept for root on this machine.
# shellcheck disable=SC2016 # The script is run by a shell of its own.
exec unshare --mount --propagation private sh -c '
    mkdir -p ~/.cache
    mount -t tmpfs none ~/.cache
    exec target/venv/tools/bin/python -m pytest "$@"
' sh tests/faults tests/ansible
