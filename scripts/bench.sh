#!/bin/sh
# Measures the modules beside what people use today, and prints a page in Markdown: `scripts/bench.sh > docs/benchmarks.md`.
set -eu
cd "$(dirname "$0")/.."

scripts/require.sh strace >&2

exec target/venv/bench/bin/python benches
