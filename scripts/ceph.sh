#!/bin/sh
# Unpacks Debian's Ceph into target/ceph, for the tests that ask its gateway: no users, no units, nothing is installed (67 MB to fetch, 250 MB on disk).
# Where the system has no such packages, it says so, and these tests are left out.
set -eu
cd "$(dirname "$0")/.."
[ ! -e target/ceph/.complete ] || exit 0

if ! packages=$(apt-get install --simulate --no-install-recommends radosgw ceph-mon ceph-osd 2>/dev/null); then
    echo "This system has no packages of Ceph (radosgw, ceph-mon, ceph-osd); the tests of its gateway are left out."
    exit 0
fi
rm -rf target/ceph
mkdir -p target/ceph/packages
# Those that the machine has already are not among them.
(cd target/ceph/packages && echo "$packages" | sed -n 's/^Inst \([^ ]*\).*/\1/p' | xargs apt-get download --quiet >/dev/null)
for package in target/ceph/packages/*.deb; do
    dpkg-deb --extract "$package" target/ceph/root
done
rm -r target/ceph/packages
touch target/ceph/.complete
