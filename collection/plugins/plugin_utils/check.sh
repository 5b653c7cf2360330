# shellcheck shell=sh
# Says whether the kept build is whole, and removes it if it is not. Comes after places.sh.
# shellcheck disable=SC2154
for option; do
    if ! find_place "$option" || ! is_ours "$place/$name-$build"; then continue; fi
    if [ "$(sha256sum <"$place/$name-$build" 2>/dev/null)" = "$build  -" ]; then leave whole "$place/$name-$build"; fi
    rm -f "$place/$name-$build"
    leave damaged "$place/$name-$build"
done
leave miss "$system"
