#!/bin/sh
# Runs the main job three times on a sandbox Aspera root: in check mode, for real, and once more.
set -eu
cd "$(dirname "$0")/.."

root=target/demo/opt/aspera
rm -rf target/demo
mkdir -p "$root"
cp -R examples/sandbox/. "$root"

# As if run by hand in this folder, whatever the settings of this machine's Ansible are.
ANSIBLE_CONFIG=$PWD/ansible.cfg
export ANSIBLE_CONFIG
PATH=$PWD/target/venv/ansible-newest/bin:$PATH

bold=
plain=
if [ -t 1 ]; then
    bold=$(printf '\033[1m')
    plain=$(printf '\033[0m')
fi
heading() {
    printf '\n%s== %s%s\n' "$bold" "$1" "$plain"
}
show() {
    printf '\n$ %s\n' "$*"
    "$@"
}
playbook() {
    show ansible-playbook -i examples/demo_inventory.yml "$@"
}

settings() {
    show grep -n server-side-encryption "$root/etc/trapd/s3.properties"
    # The URIs without their credentials.
    show grep -n -o 's3.amazonaws.com/.*' "$root/etc/aspera.conf"
}

heading "A sandbox of a fresh Aspera server is in $root; it asks S3 for no encryption:"
settings
heading "1. What would change? Nothing is written yet."
playbook examples/demo.yml --check --diff
heading "2. Change it."
playbook examples/demo.yml --diff
heading "3. Once more: there is nothing left to do."
playbook examples/demo.yml --diff
heading "The settings that the server loads when its services restart:"
settings
heading "4. Is every upload encrypted now? Nothing of Aspera runs here, so that what trapd would do is not certain."
playbook examples/demo_audit.yml
