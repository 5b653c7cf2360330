#!/bin/sh
# Prints the packages and the suite of a root file system, as mmdebstrap takes them: recipe.sh NAME
set -eu
base="systemd-sysv,dbus,openssh-server,iproute2,procps"
case $1 in
systemd-247) echo "--include=$base,python3 bullseye" ;;
systemd-252) echo "--include=$base,python3 bookworm" ;;
systemd-252-java) echo "--include=$base,python3,openjdk-17-jre-headless bookworm" ;;
systemd-257) echo "--include=$base,python3 trixie" ;;
nopython) echo "--include=$base bookworm" ;;
sysv) echo "--include=sysvinit-core,openssh-server,iproute2,procps,python3 bullseye" ;;
sysv-nopython) echo "--include=sysvinit-core,openssh-server,iproute2,procps bullseye" ;;
*)
    echo "There is no recipe for a host named $1." >&2
    exit 1
    ;;
esac
