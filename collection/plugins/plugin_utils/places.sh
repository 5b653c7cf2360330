# shellcheck shell=sh
# Goes before run.sh, keep.sh and check.sh: the places on a host where builds may be kept, and whether one can be trusted. It runs
# in any POSIX shell and needs no Python. Before it come the name of the module, its builds (what "uname -sm" says, sum and size of
# each, in brackets), the folder to keep them in where one is set, the arguments where they come with the command, and the function
# run, which knows the environment of the task.
# shellcheck disable=SC2154
report() { echo "aspera_ops.sse $*"; }
# What is sent and not read would look like a lost connection.
leave() { report "$@" && cat >/dev/null && exit 0; }
[ -t 0 ] && report terminal && exit 0
# Nothing is sent then, and the connection does not say so: a read from it would wait for ever.
[ -z "$arguments" ] || exec </dev/null
# Linux has the machine in a file since 6.1. Reading it starts no program, which every task would pay for.
if { read -r machine </proc/sys/kernel/arch; } 2>/dev/null; then system="Linux $machine"; else system=$(uname -sm); fi
case $builds in
*"[$system "*) build=${builds#*"[$system "} && build=${build%%]*} && size=${build#* } && build=${build% *} ;;
*) leave unsupported "$system" ;;
esac
uid=
# Calls a function with each place: a folder that exists, and after two slashes what is made in it.
each_place() {
    if [ -n "$folder" ]; then "$1" "$folder//aspera_ops.sse"; return; fi
    "$1" "$home//.cache/aspera_ops.sse"
    # Only root keeps builds there, and of others none is trusted; that this is root may not be known yet.
    case $uid in 0 | "") "$1" /var/cache//aspera_ops.sse ;; esac
    # A policy may let an account run nothing from a cache, but all that Ansible sends to its own folder.
    [ ! -e /sys/fs/selinux/enforce ] || "$1" "$home//.ansible/aspera_ops.sse"
}
# Sets uid and home to those of the account. The variable HOME may still be that of the caller of sudo.
ask_for_account() {
    me=$(id) && uid=${me#uid=} && uid=${uid%%[!0-9]*} && user=
    case $me in "uid=$uid("*) user=${me#*"("} && user=${user%%")"*} ;; esac
    case $user in "" | *[!A-Za-z0-9._@-]*) home= ;; *) eval "home=~$user" ;; esac
}
# Sets base and place, with no link on the way to base. Names that ls or the shell could take for something else are left alone.
find_place() {
    base=${1%//*}
    case $base in /*) base=$(cd -P "$base" 2>/dev/null && pwd -P) || return 1 ;; *) return 1 ;; esac
    place=${base%/}/${1##*//}
    case $place in *[!A-Za-z0-9/._@+-]*) return 1 ;; esac
}
# Whether there is a whole build of ours in the place.
is_kept() { [ -f "$place/$name-$build" ] && is_ours "$place/$name-$build"; }
# Whether all folders down to here are root's or ours, no link, and for no other to write to; a file at the end must be a whole build of
# ours. Where uid is not set yet, the shell says who we are, by the first that is not root's: nobody but root could have put another
# in its place, since all above it is root's.
is_ours() {
    way=$1
    set --
    while [ -n "$way" ]; do set -- "$way" "$@" && way=${way%/*}; done
    set -- / "$@"
    # What ls prints of these is the same everywhere; stat, and the tests of find, are not. It sorts them, in C from / downwards.
    # shellcheck disable=SC2012
    LC_ALL=C ls -ldn "$@" 2>/dev/null | (
        while read -r mode _ owner _ bytes _; do
            case $mode in
            d????-??-*) [ "$owner" = 0 ] || is_us "$1" "$owner" || exit 1 ;;
            -rwx------*) { [ "$bytes" = "$size" ] && is_us "$1" "$owner"; } || exit 1 ;;
            *) exit 1 ;;
            esac
            shift
        done
        [ $# = 0 ]
    )
}
# -O is not in POSIX, but dash, bash, BusyBox and ksh have it. In a shell without it, no build is found until ask_for_account has set uid.
# shellcheck disable=SC3067
is_us() { if [ -z "$uid" ] && [ -O "$1" ]; then uid=$2; fi && [ "$uid" = "$2" ]; }
