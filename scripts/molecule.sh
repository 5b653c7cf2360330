#!/bin/sh
# Runs the scenarios on booted hosts, all or those that are named: molecule.sh [SCENARIO...]
set -eu
cd "$(dirname "$0")/.."

if [ "$(id -u)" -ne 0 ]; then
    echo "Hosts are booted by root: run it as root. make test needs no root." >&2
    exit 1
fi
scripts/require.sh ip javac mmdebstrap ssh ssh-keygen systemd-nspawn unshare
if ! unshare --mount --net --pid --fork --mount-proc --kill-child true 2>/dev/null; then
    echo "This machine cannot boot test hosts: it allows no namespaces. make test runs without them." >&2
    exit 1
fi

if [ "$#" -eq 0 ]; then
    for configuration in molecule/*/molecule.yml; do
        set -- "$@" "$(basename "$(dirname "$configuration")")"
    done
fi

# The roots come from Debian's mirrors, which the hosts themselves cannot reach.
for recipe in $(for scenario in "$@"; do sed -n 's/^ *recipe: //p' "molecule/$scenario/molecule.yml"; done | sort -u); do
    molecule/hosts/root.sh "$recipe" >/dev/null
done

PATH=$PWD/target/venv/molecule/bin:$PATH
export PATH
case " $* " in *" collection "* | *" year "*)
    rm -rf target/molecule/collections
    ansible-galaxy collection install --force --collections-path target/molecule/collections target/dist/*.tar.gz >/dev/null
    ;;
esac
export ASPERA_SSE_HOSTS="aspera-sse-$$"
passed=0
failed=0
for scenario in "$@"; do
    # Its gateway is one of Ceph, which not every system has packages of.
    if [ "$scenario" = gateway ] && { ! scripts/ceph.sh || [ ! -e target/ceph/.complete ]; }; then
        echo "SKIPPED: molecule test $scenario"
        continue
    fi
    echo "== molecule test: $scenario"
    # What an earlier run that was killed believed of its hosts.
    rm -rf "target/molecule/$scenario"
    if MOLECULE_EPHEMERAL_DIRECTORY=$PWD/target/molecule/$scenario molecule/hosts/enclosed.sh molecule test --scenario-name "$scenario"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
    # The processes are gone; what may be left are their empty control groups.
    find /sys/fs/cgroup -depth -type d -path "*/$ASPERA_SSE_HOSTS-*" -exec rmdir {} + 2>/dev/null || :
done
echo "$passed passed, $failed failed (scenarios on booted hosts)"
[ "$failed" -eq 0 ]
