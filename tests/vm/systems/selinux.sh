#!/bin/sh
# Prepares a root folder for SELinux in enforcing mode: selinux.sh ROOT FOLDER. It runs in a mount namespace of its own.
set -eu
root=$1
here=$2
mount -t proc proc "$root/proc"
sed -i 's/^SELINUX=.*/SELINUX=enforcing/' "$root/etc/selinux/config"

# Administrators, by the user of SELinux that each of them is. An account without a password could not log in ("!").
for user in unconfined sysadm staff; do
    account=admin-$user
    chroot "$root" useradd --create-home --shell /bin/bash --password '*' "$account"
    echo "$account ALL=(ALL:ALL) NOPASSWD: ALL" >>"$root/etc/sudoers"
    cp -R "$root/root/.ssh" "$root/home/$account/"
    chroot "$root" chown -R "$account:$account" "/home/$account/.ssh"
done

cp "$here/test_domain.cil" "$root/tmp/"
chroot "$root" semodule --noreload --store default --install /tmp/test_domain.cil
rm "$root/tmp/test_domain.cil"
chroot "$root" semanage import -N -S default <<EOF
login -a -s unconfined_u -r s0-s0:c0.c1023 admin-unconfined
login -a -s sysadm_u -r s0-s0:c0.c1023 admin-sysadm
login -a -s staff_u -r s0-s0:c0.c1023 admin-staff
boolean -m --on ssh_sysadm_login
fcontext -a -t bin_t '/root/.cache/aspera_ops.sse(/.*)?'
EOF
# No SELinux runs here, so labels can be set at will; where it runs, it must allow all of these.
chroot "$root" setfiles -F /etc/selinux/default/contexts/files/file_contexts /
umount "$root/proc"
