#!/bin/sh
# Prints the newest Python of this machine that can make a venv: the newer it is, the newer the ansible-core that it runs.
# Python's own, those beside it with a version in their names, and those that pyenv has built.
set -eu
newest=python3
newest_minor=0
# What is not there stays a pattern, and does not run.
for python in python3 $(IFS=: && for folder in $PATH; do echo "$folder"/python3.1[0-9]; done) "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.*/bin/python3; do
    minor=$("$python" -c 'import sys, ensurepip, venv; print(sys.version_info.minor if sys.version_info.releaselevel == "final" else 0)' 2>/dev/null) || continue
    if [ "$minor" -gt "$newest_minor" ]; then
        newest=$python
        newest_minor=$minor
    fi
done
echo "$newest"
