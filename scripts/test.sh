#!/bin/sh
# The modules under real controllers; `make test` has made the modules and the controllers before.
set -eu
cd "$(dirname "$0")/.."

# What the tests mount is gone with them, however they end.
exec unshare --mount --propagation private target/venv/tools/bin/python -m pytest tests/faults tests/ansible
