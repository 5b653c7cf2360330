#!/bin/sh
# What the tests with real controllers and injected faults need of the machine, asked for before anything that takes long.
set -eu

if [ "$(id -u)" -ne 0 ]; then
    echo "make test needs root: it starts an sshd with a login of its own in a mount namespace; make check does not." >&2
    exit 1
fi
"$(dirname "$0")/require.sh" busybox cc chattr git ip java javac mmdebstrap mount openssl prlimit qemu-aarch64-static readelf setfacl setpriv ssh ssh-keygen sshd strace sudo systemd-nspawn tcsh unshare
