#!/bin/sh
# Lays out an Aspera server in a root file system, with stand-ins for its services: stand_ins.sh ROOT
set -eu
cd "$(dirname "$0")"
root=$1
mkdir -p "$root/opt/aspera/sbin"
cp -R ../../examples/sandbox/. "$root/opt/aspera"
for service in asperatrapd asperanoded; do
    stand_in=files/$service
    if [ "$service" = asperatrapd ] && [ -e "$root/usr/bin/java" ]; then
        stand_in=files/asperatrapd-in-java
        javac --release 17 -d "$root/opt/aspera/sbin" files/AsperatrapdStandIn.java
    fi
    install -m 755 "$stand_in" "$root/opt/aspera/sbin/$service.sh"
    # What the service becomes once it has loaded its file: a program of its name that waits.
    cp "$root/bin/sleep" "$root/opt/aspera/sbin/$service"
    if [ -e "$root/etc/inittab" ]; then
        sed "s/SERVICE/$service/g" files/script >"$root/etc/init.d/$service"
        chmod 755 "$root/etc/init.d/$service"
        ln -sf "../init.d/$service" "$root/etc/rc2.d/S80$service"
    else
        sed "s/SERVICE/$service/g" files/unit >"$root/etc/systemd/system/$service.service"
        mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
        ln -sf "../$service.service" "$root/etc/systemd/system/multi-user.target.wants/$service.service"
    fi
done
