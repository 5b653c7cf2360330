#!/bin/sh
# Becomes a host, in a mount namespace of its own: boot.sh NAME ROOT
set -eu
mount -t cgroup2 none /sys/fs/cgroup
exec systemd-nspawn --quiet --register=no --keep-unit --console=pipe "--network-namespace-path=/run/netns/$1" "--machine=$1" \
    "--directory=$2" /sbin/init
