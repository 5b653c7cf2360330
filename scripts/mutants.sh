#!/bin/sh
# Changes the code in one place after another (cargo-mutants) and counts the changes that no Rust test notices: mutants.sh [FOLDER...]
# FOLDER is a folder of src/; SHARD=k/n takes every n-th change, from the k-th on. docs/mutants.md says what the survivors mean.
set -eu
cd "$(dirname "$0")/.."

version=27.1.0
scripts/require.sh rustup cargo cc java
if [ "$(cargo mutants --version 2>/dev/null)" != "cargo-mutants $version" ]; then
    cargo install cargo-mutants --locked --version "$version"
fi

[ $# -gt 0 ] || set -- files text ansible aspera
root=$PWD
work=$root/target/mutants
tree=$work/tree

# The changes are made in a copy of the tree, which keeps its builds from run to run. All of it is new there: cargo builds what is younger
# than the last build, and that one was of changed code.
mkdir -p "$tree/target"
find "$tree" -mindepth 1 -maxdepth 1 ! -name target -exec rm -rf {} +
git ls-files -z --cached --others --exclude-standard | tar --null --ignore-failed-read -T - -cf - | tar -xmf - -C "$tree"
ln -sfn "$root/target/venv" "$tree/target/venv"

# The test programs beside the unit tests that know a folder; all where an example is among them, which cargo builds with all only.
tests_of() {
    case $1 in
    files) echo replace edit_by_program new_file protocol cases ;;
    text) echo properties docroots cases ;;
    ansible) echo all ;;
    aspera) echo audit cases docroots docroot_uri properties processes restart ;;
    *) echo "There are no tests for src/$1. Name one of: files text ansible aspera." >&2 && exit 1 ;;
    esac
}

include_ignored=
[ "$(id -u)" -ne 0 ] || include_ignored=--include-ignored

# Tries changes of a folder, with the tests and the choice of changes that the options name, and adds up what was caught.
try() {
    folder=$1
    shift
    status=0
    cargo mutants --dir "$tree" --in-place --file "src/$folder/**" --output "$work/$folder" --no-times --colors never "$@" \
        -- -- $include_ignored >>"$work/$folder/log" || status=$?
    # 2 and 3: some were not noticed, or ran out of time.
    case $status in 0 | 2 | 3) ;; *) tail -n 20 "$work/$folder/log" >&2 && exit "$status" ;; esac
    cat "$work/$folder/mutants.out/caught.txt" >>"$work/$folder/caught"
    cat "$work/$folder/mutants.out/timeout.txt" >>"$work/$folder/timeout"
    cat "$work/$folder/mutants.out/unviable.txt" >>"$work/$folder/unviable"
    cp "$work/$folder/mutants.out/missed.txt" "$work/$folder/missed"
}

for folder; do
    rm -rf "${work:?}/$folder"
    mkdir -p "$work/$folder"
    programs=$(tests_of "$folder")
    echo "== src/$folder: the unit tests" >&2
    try "$folder" -C=--lib ${SHARD:+--shard "$SHARD"}
    echo "== src/$folder: what they do not notice, with test programs: $programs" >&2
    (
        set --
        if [ "$programs" != all ]; then
            set -- -C=--lib
            for program in $programs; do set -- "$@" -C=--test="$program"; done
        fi
        # A name stands for itself, whatever regular expressions make of its signs.
        while read -r mutant; do set -- "$@" --re "^$(printf '%s\n' "$mutant" | sed 's/[^A-Za-z0-9 _/:<>]/\\&/g')\$"; done <"$work/$folder/missed"
        [ ! -s "$work/$folder/missed" ] || try "$folder" "$@"
    )
done

count() { wc -l <"$1"; }

printf '\n%-12s %8s %8s %8s %9s\n' folder caught missed timeout unviable
unexplained=
for folder; do
    printf '%-12s %8d %8d %8d %9d\n' "src/$folder" "$(count "$work/$folder/caught")" "$(count "$work/$folder/missed")" \
        "$(count "$work/$folder/timeout")" "$(count "$work/$folder/unviable")"
done
for folder; do
    # The place in the file moves with each edit; file, change and function are what docs/mutants.md names.
    while read -r mutant; do
        name=$(printf '%s\n' "$mutant" | sed 's/:[0-9]*:[0-9]*:/:/')
        if ! grep -qF -- "\`$name\`" docs/mutants.md; then
            unexplained=yes
            printf 'Not in docs/mutants.md: %s\n' "$mutant"
        fi
    done <"$work/$folder/missed"
done
[ -z "$unexplained" ]
