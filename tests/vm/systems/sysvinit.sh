#!/bin/sh
# Prepares a root folder whose init system is sysvinit: sysvinit.sh ROOT FOLDER
set -eu
root=$1
# On a console nobody sits.
sed -i 's/^[^#].*getty/#&/' "$root/etc/inittab"
for service in asperatrapd asperanoded; do
    rm -f "$root/etc/rc2.d/S80$service"
    chroot "$root" update-rc.d "$service" defaults
done
