#!/bin/sh
# Asks the laws about inputs that cover ever more of the code, without end or for some minutes each: fuzz.sh [TARGET...]
# MINUTES=10 ends each target after ten minutes. An input that breaks a law is in target/fuzz/found/TARGET/, and its name is printed.
# KEEP=yes does no fuzzing: it takes the least number of inputs that cover what all found ones do into tests/fuzz/corpus.
#
# libFuzzer wants to hear which code an input runs. The compiler of stable Rust can tell it: these are the flags of cargo-fuzz without the sanitizers, of
# which code without unsafe has little use.
set -eu
cd "$(dirname "$0")/.."

minutes=${MINUTES:-0}
all="arguments aspera_conf docroot_uri evidence node_answers s3_answers s3_properties"
# shellcheck disable=SC2086 # They are words.
[ $# -gt 0 ] || set -- $all
scripts/require.sh rustup cargo cc
host=$(rustc -vV | sed -n 's/^host: //p')
program=target/fuzz/$host/release/fuzz

build() {
    flags="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters"
    flags="$flags -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1"
    # With a target, the programs that only run while it builds are built as always.
    RUSTFLAGS=$flags cargo build --quiet --locked --release --manifest-path tests/fuzz/Cargo.toml --target "$host" --target-dir target/fuzz
}

# Runs the program of a target with options of libFuzzer.
run() {
    target=$1
    shift
    if [ "$target" = evidence ]; then
        make --silent target/venv/fuzz/.complete
        target/venv/fuzz/bin/python tests/fuzz/fuzz_evidence.py "$@"
    else
        [ -x "$program" ] && [ -n "${built:-}" ] || build
        built=yes
        FUZZ_TARGET=$target "$program" "$@"
    fi
}

for target; do
    case " $all " in *" $target "*) ;; *) echo "There is no target $target. Name one of: $all." >&2 && exit 1 ;; esac
    corpus=tests/fuzz/corpus/$target
    work=target/fuzz/work/$target
    found=target/fuzz/found/$target
    mkdir -p "$corpus" "$work" "$found"
    if [ -n "${KEEP:-}" ]; then
        kept=$(mktemp -d target/fuzz/kept.XXXXXX)
        run "$target" -merge=1 -max_len=2048 "$kept" "$corpus" "$work"
        rm -rf "$corpus"
        mv "$kept" "$corpus"
        chmod 755 "$corpus"
    else
        # What takes ten seconds for 16 KB takes more than linear time.
        run "$target" -dict="tests/fuzz/dictionaries/$target" -use_value_profile=1 -max_len=16384 -timeout=10 -rss_limit_mb=1024 \
            -max_total_time=$((minutes * 60)) -print_final_stats=1 -artifact_prefix="$found/" "$work" "$corpus"
    fi
done
