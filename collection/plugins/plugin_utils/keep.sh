# shellcheck shell=sh
# Keeps the build that comes on standard input in the first place where it can run, and removes old ones. Comes after places.sh.
# shellcheck disable=SC2154
umask 077
received=
refused=
keep_in() {
    if ! find_place "$1" || ! is_ours "$base"; then return; fi
    [ -d "$place" ] || mkdir -p "$place" 2>/dev/null
    is_ours "$place" || return
    new=$place/.$name-$build.$$
    # What is sent can be read once: a place that takes no file leaves it to the next.
    { true >"$new"; } 2>/dev/null || return
    if [ -n "$received" ]; then cp "$received" "$new"; rm -f "$received"; else cat >"$new"; fi 2>/dev/null
    received=$new
    # No link there is ours, and the mv of BusyBox fails at one that leads where this account must not look.
    [ ! -L "$place/$name-$build" ] || rm -f "$place/$name-$build"
    # Several tasks may do this at once: each has a file of its own, and the last to rename it leaves the same.
    if [ "$(sha256sum <"$new" 2>/dev/null)" = "$build  -" ] && chmod 700 "$new" && can_run && mv -f "$new" "$place/$name-$build"; then
        # The two that came last before this version stay: a controller of another version uses them. So do this version's builds for
        # other architectures: hosts may share a home. The names are safe, for places are.
        # shellcheck disable=SC2012
        ls -td "$place/$name"-* 2>/dev/null | (
            left=2
            while read -r old; do
                case $builds in *" ${old##*-} "*) continue ;; esac
                if [ "$left" -gt 0 ]; then left=$((left - 1)); else rm -f "$old"; fi
            done
        )
        # Parts that were left by a lost connection.
        find "$place" -name ".$name-*" -mtime +0 -exec rm -f {} + 2>/dev/null
        report kept "$refused"
        exit 0
    fi
}
can_run() {
    "$new" --version >/dev/null 2>&1
    status=$?
    if [ "$status" = 126 ] && [ -z "$refused" ]; then note_refusal; fi
    return "$status"
}
# Where a policy of SELinux in force may be the reason, notes the domain, the label of the build, and the first such place.
note_refusal() {
    { read -r enforced </sys/fs/selinux/enforce; } 2>/dev/null
    if [ "$enforced" != 1 ] || is_noexec; then return; fi
    # shellcheck disable=SC2012
    label=$(LC_ALL=C ls -dZ "$new" 2>/dev/null)
    # It ends with a zero byte.
    domain=$(tr -d '\0' </proc/self/attr/current 2>/dev/null)
    refused="$domain ${label%% *} $place"
}
# Whether no program may run on the file system of the place, whatever a policy says.
is_noexec() {
    mounted=
    options=
    while read -r _ point _ how _; do
        # The longest path that leads there counts, and the last of several mounts on it.
        case $place/ in
        "${point%/}"/*) if [ "${#point}" -ge "${#mounted}" ]; then mounted=$point && options=$how; fi ;;
        esac
    done </proc/self/mounts
    case ,$options, in *,noexec,*) return 0 ;; *) return 1 ;; esac
}
ask_for_account
each_place keep_in
[ -z "$received" ] || rm -f "$received"
leave nowhere "$refused"
