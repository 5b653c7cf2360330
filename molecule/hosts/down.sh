#!/bin/sh
# Ends a host, if it runs: down.sh NAME
set -eu
name=$1
group=/sys/fs/cgroup/$ASPERA_SSE_HOSTS-$name
[ ! -d /sys/fs/cgroup/unified ] || group=/sys/fs/cgroup/unified/$ASPERA_SSE_HOSTS-$name
if [ -d "$group" ]; then
    echo 1 >"$group/cgroup.kill"
    attempts=0
    while ! find "$group" -depth -type d -exec rmdir {} + 2>/dev/null; do
        attempts=$((attempts + 1))
        [ "$attempts" -lt 2000 ] || exit 1
        sleep 0.1
    done
fi
if ip netns list | grep -q "^$name\b"; then
    ip netns delete "$name"
fi
