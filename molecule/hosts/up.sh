#!/bin/sh
# Boots a host with stand-ins for Aspera's services: up.sh NAME RECIPE ADDRESS. Returns when it answers to SSH.
set -eu
cd "$(dirname "$0")"
name=$1
recipe=$2
address=$3
state=/run/aspera-sse-hosts/$name
root=$(./root.sh "$recipe")
groups=/sys/fs/cgroup
[ ! -d "$groups/unified" ] || groups=$groups/unified

# Its place in the network.
ip netns add "$name"
ip link add "v-$name" type veth peer name host0 netns "$name"
ip link set "v-$name" master hosts up
ip -n "$name" link set lo up
ip -n "$name" address add "$address/24" dev host0
ip -n "$name" link set host0 up

# Its own files over the root that all share.
upper=$state/upper
home=$upper/root
mkdir -p "$upper/etc" "$home/.ssh" "$upper/opt" "$state/work" "$state/root"
echo "$name" >"$upper/etc/hostname"
chmod 700 "$home" "$home/.ssh"
install -m 600 /run/aspera-sse-hosts/key.pub "$home/.ssh/authorized_keys"
mount -t overlay none -o "lowerdir=$root,upperdir=$upper,workdir=$state/work" "$state/root"
./stand_ins.sh "$state/root"

# The host, in a control group by which it can be ended whole.
mkdir "$groups/$ASPERA_SSE_HOSTS-$name"
(
    exec >"$state/console" 2>&1 </dev/null
    sh -c 'echo $PPID' >"$groups/$ASPERA_SSE_HOSTS-$name/cgroup.procs"
    exec setsid unshare --mount --propagation private ./boot.sh "$name" "$state/root"
) &

attempts=0
until ssh-keyscan -T 10 -t ed25519 "$address" 2>/dev/null | grep -q ssh-ed25519; do
    attempts=$((attempts + 1))
    # Either it has ended, or it will never be up.
    if [ "$attempts" -gt 2400 ] || ! kill -0 "$!"; then
        tail -n 20 "$state/console" >&2
        echo "The host $name did not come up." >&2
        exit 1
    fi
    sleep 0.25
done
