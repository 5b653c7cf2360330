# shellcheck shell=sh
# Runs the kept build with the arguments that come on standard input, or tells that there is none. Comes after places.sh.
# shellcheck disable=SC2154
for option; do
    if ! find_place "$option" || ! is_ours "$place/$name-$build"; then continue; fi
    tell run
    run "$place/$name-$build" -
    status=$?
    # It could not be started: its file system is noexec, or another task has just removed it.
    case $status in 126 | 127) ;; *) exit "$status" ;; esac
done
leave miss "$system"
