#!/bin/sh
# Builds a root file system, unless it is there: root.sh RECIPE. Prints its folder.
set -eu
cd "$(dirname "$0")"
recipe=$(./recipe.sh "$1")
roots=$PWD/../../target/hosts
hash=$(printf '%s' "$recipe" | sha256sum | cut -c1-12)
root=$roots/$1-$hash
mkdir -p "$roots"
exec 9>"$roots/$1.lock"
flock 9
if [ ! -d "$root" ]; then
    echo "Building the root file system $1" >&2
    log=$roots/$1.log
    rm -rf "$root.new"
    # Java's packages link into the folder of the manual, which stays empty.
    # shellcheck disable=SC2016 # The hook is a script of its own.
    if ! mmdebstrap --variant=minbase --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --essential-hook='mkdir -p "$1/usr/share/man/man1"' "${recipe% *}" "${recipe##* }" "$root.new" \
        >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        exit 1
    fi
    # Hosts get a name and an identity of their own; on a console nobody sits.
    : >"$root.new/etc/machine-id"
    rm -f "$root.new/etc/hostname"
    if [ -f "$root.new/etc/inittab" ]; then
        sed -i 's/^[^#].*getty/#&/' "$root.new/etc/inittab"
        find "$root.new/etc/rcS.d" -name 'S*' ! -name '*hostname.sh' ! -name '*bootmisc.sh' -delete
        # Scripts start by their links, one after the other, not by an order that was reckoned when the root was built.
        rm -f "$root.new"/etc/init.d/.depend.* "$root.new"/etc/rc[06].d/*hwclock* "$root.new"/etc/rc[06].d/*umountfs "$root.new"/etc/rc[06].d/*umountroot
    fi
    mv "$root.new" "$root"
fi
echo "$root"
