# shellcheck shell=sh
# Runs the kept build with the arguments that came with the command or come on standard input, or reports that there is none. Comes
# after places.sh.
# shellcheck disable=SC2034,SC2154
run_from() {
    if ! find_place "$1" || ! is_kept; then return; fi
    report run
    run "$place/$name-$build" "${arguments:--}"
    status=$?
    # It could not be started: its file system is noexec, or another task has just removed it.
    case $status in 126 | 127) ;; *) exit "$status" ;; esac
}
# In the home that the environment names first, since to ask for the account takes a program. A home of another fails the tests.
home=$HOME
each_place run_from
ask_for_account
each_place run_from
leave miss "$system"
