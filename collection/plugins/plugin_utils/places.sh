# shellcheck shell=sh
# Goes before run.sh and keep.sh: the places on a host where builds may be kept, and whether one can be trusted. It runs in any
# POSIX shell and needs no Python. Before it come the name of the module, its builds (what "uname -sm" says, sum and size of each,
# in brackets), the folder to keep them in where one is set, and the function run, which knows the environment of the task.
# shellcheck disable=SC2154
tell() { echo "aspera_ops.sse $*"; }
# What is sent and not read would look like a lost connection.
leave() { tell "$@" && cat >/dev/null && exit 0; }
[ -t 0 ] && tell terminal && exit 0
system=$(uname -sm)
case $builds in
*"[$system "*) build=${builds#*"[$system "} && build=${build%%]*} && size=${build#* } && build=${build% *} ;;
*) leave unsupported "$system" ;;
esac
# The home is that of the account; HOME may still be that of the caller of sudo.
me=$(id) && uid=${me#uid=} && uid=${uid%%[!0-9]*} && user=
case $me in "uid=$uid("*) user=${me#*"("} && user=${user%%")"*} ;; esac
case $user in "" | *[!A-Za-z0-9._@-]*) home= ;; *) eval "home=~$user" ;; esac
# Each place is a folder that exists, and after two slashes what is made in it.
if [ -n "$folder" ]; then set -- "$folder//aspera_ops.sse"
elif [ "$uid" = 0 ]; then set -- "$home//.cache/aspera_ops.sse" /var/cache//aspera_ops.sse
else set -- "$home//.cache/aspera_ops.sse"; fi
# Sets base and place, with no link on the way to base. Names that ls or the shell could take for something else are left alone.
find_place() {
    base=${1%//*}
    case $base in /*) base=$(cd -P "$base" 2>/dev/null && pwd -P) || return 1 ;; *) return 1 ;; esac
    place=${base%/}/${1##*//}
    case $place in *[!A-Za-z0-9/._@+-]*) return 1 ;; esac
}
# Whether all folders down to here are root's or ours, no link, and for no other to write to; a file at the end must be a whole build of ours.
is_ours() {
    way=$1
    set --
    while [ -n "$way" ]; do set -- "$way" "$@" && way=${way%/*}; done
    # What ls prints of these is the same everywhere; stat, and the tests of find, are not.
    # shellcheck disable=SC2012
    ls -ldn / "$@" 2>/dev/null | (
        left=$(($# + 1))
        while read -r mode _ owner _ bytes _; do
            case $mode in
            d????-??-*) [ "$owner" = 0 ] || [ "$owner" = "$uid" ] || exit 1 ;;
            -rwx------*) [ "$owner $bytes" = "$uid $size" ] || exit 1 ;;
            *) exit 1 ;;
            esac
            left=$((left - 1))
        done
        [ "$left" = 0 ]
    )
}
