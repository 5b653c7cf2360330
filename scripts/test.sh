#!/bin/sh
# The slow part of the tests: another architecture, injected faults, real controllers. `make test` has made what they need before.
set -eu
cd "$(dirname "$0")/.."

scripts/test-aarch64.sh

# What the tests mount is gone with them, however they end.
exec unshare --mount --propagation private target/venv/tools/bin/python -m pytest tests/faults tests/ansible
