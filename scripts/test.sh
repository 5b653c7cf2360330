#!/bin/sh
# The modules under real controllers; `make test` has made the modules and the controllers before.
set -eu
cd "$(dirname "$0")/.."

exec target/venv/tools/bin/python -m pytest tests/faults tests/ansible
