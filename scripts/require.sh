#!/bin/sh
# Makes sure that the named commands are there: require.sh COMMAND...
# What is missing comes from Debian's packages where this may install them, else one sentence names it.
# require.sh --packages COMMAND... only prints the Debian packages that bring the commands.
set -eu

# The Debian package that brings a command.
package_of() {
    case $1 in
    cc) echo build-essential ;;
    chattr) echo e2fsprogs ;;
    chromedriver) echo chromium-driver ;;
    doas) echo opendoas ;;
    ip) echo iproute2 ;;
    java | javac) echo default-jdk-headless ;;
    qemu-aarch64-static) echo qemu-user-static ;;
    readelf) echo binutils ;;
    setfacl) echo acl ;;
    prlimit | setpriv | unshare) echo util-linux ;;
    ssh | ssh-keygen) echo openssh-client ;;
    sshd) echo openssh-server ;;
    systemd-nspawn) echo systemd-container ;;
    *) echo "$1" ;;
    esac
}

if [ "${1:-}" = --packages ]; then
    shift
    for command in "$@"; do package_of "$command"; done | sort -u | paste -s -d ' ' -
    exit
fi

is_there() {
    case $1 in
    # No command of its own: Debian splits what venv needs off Python.
    python3-venv) python3 -c 'import ensurepip, venv' 2>/dev/null ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
    esac
}

missing_of() {
    missing=
    for command in "$@"; do
        is_there "$command" || missing="$missing $command"
    done
}

# sshd and the like live where only root's PATH looks.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

missing_of "$@"
[ -n "$missing" ] || exit 0

# Which Rust toolchain there is, is the user's choice, not Debian's.
case "$missing " in
*" rustup "* | *" cargo "*)
    echo "Missing: rustup with cargo. Install them as https://rustup.rs describes, and put them on the PATH." >&2
    exit 1
    ;;
esac

wanted=$*
set --
for command in $missing; do
    set -- "$@" "$(package_of "$command")"
done

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "Missing:$missing; install what brings them (Debian packages: $*) and try again." >&2
    exit 1
fi

echo "Installing Debian packages: $*"

log=$(mktemp)
policy=/usr/sbin/policy-rc.d
made_policy=
leave() {
    rm -f "$log"
    [ -z "$made_policy" ] || rm -f "$policy"
}
trap leave EXIT
trap 'exit 1' HUP INT TERM

# Debian starts a service as it installs it, sshd for one; here only the programs are wanted.
if [ ! -e "$policy" ]; then
    made_policy=yes
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi

install_packages() {
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$@" </dev/null >"$log" 2>&1
}
# The lists of packages are fetched only where the ones there do not do: absent on a new machine, or out of date.
if ! install_packages "$@" && ! { apt-get update >"$log" 2>&1 && install_packages "$@"; }; then
    tail -n 20 "$log" >&2
    echo "Could not install the Debian packages $*; the lines above say why." >&2
    exit 1
fi

for command in $wanted; do
    if ! is_there "$command"; then
        echo "Still missing after the Debian packages $* were installed: $command" >&2
        exit 1
    fi
done
