#!/bin/sh
# Runs a command where hosts can be booted: a network with no way out, mounts and processes that end with the command.
# enclosed.sh COMMAND...
set -eu
# Control groups, unlike all else, are the whole machine's: those of these hosts get a name of their own.
export ASPERA_SSE_HOSTS="${ASPERA_SSE_HOSTS:-aspera-sse-$$}"
exec unshare --mount --net --pid --fork --mount-proc --kill-child --propagation private sh -c '
    set -eu
    mkdir -p /run/netns /run/aspera-sse-hosts
    mount -t tmpfs none /run/netns
    mount -t tmpfs none /run/aspera-sse-hosts
    ip link set lo up
    ip link add hosts type bridge
    ip address add 10.77.0.1/24 dev hosts
    ip link set hosts up
    ssh-keygen -q -t ed25519 -N "" -f /run/aspera-sse-hosts/key
    "$@"
' sh "$@"
