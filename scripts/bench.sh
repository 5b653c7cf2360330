#!/bin/sh
# Measures the modules beside what people use today, and prints a page in Markdown: `scripts/bench.sh > docs/benchmarks.md`.
# Its figures go to docs/. After an edit of the tables by hand: `python3 benches/figures.py`.
# Named parts alone: bench.sh [trapd] [docroots] [audit] [memory] [objects] [access_keys] [over_ssh] [fleet] [scale] [report]. With
# OTHER_BUILD, the file of another build of the collection, the fleet is measured with that, too.
set -eu
cd "$(dirname "$0")/.."

if [ "$(id -u)" -ne 0 ]; then
    echo "make bench starts an sshd and boots hosts, which needs root: run it as root." >&2
    exit 1
fi
scripts/require.sh ip mmdebstrap openssl setpriv ssh ssh-keygen sshd strace sudo systemd-nspawn unshare >&2
make --silent build dist target/venv/bench/.complete >&2

exec target/venv/bench/bin/python benches "$@"
