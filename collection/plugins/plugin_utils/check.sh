# shellcheck shell=sh
# Says whether the kept build is whole, and removes it if it is not. Comes after places.sh.
# shellcheck disable=SC2154
check_in() {
    if ! find_place "$1" || ! is_kept; then return; fi
    if [ "$(sha256sum <"$place/$name-$build" 2>/dev/null)" = "$build  -" ]; then leave whole "$place/$name-$build"; fi
    rm -f "$place/$name-$build"
    leave damaged "$place/$name-$build"
}
ask_for_account
each_place check_in
leave miss "$system"
