#!/bin/sh
# Makes a folder of pinned Python packages: venv.sh PYTHON FOLDER REQUIREMENTS
set -eu
python=$1
folder=$2
requirements=$3

"$(dirname "$0")/require.sh" python3 python3-venv
echo "Setting up $folder from $requirements"
rm -rf "$folder"
"$python" -m venv "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements"
"$folder/bin/python" -m pip check --quiet --disable-pip-version-check
touch "$folder/.complete"
