#!/bin/sh
# Builds the modules as static binaries for an architecture, this machine's if none is named: build.sh [ARCHITECTURE]
# Those for this machine go into library/, beside their documentation; all stay in target/TRIPLE/release/.
set -eu
cd "$(dirname "$0")/.."

architecture_of() {
    case $1 in
    x86_64 | amd64) echo x86_64 ;;
    aarch64 | arm64) echo aarch64 ;;
    *)
        echo "The modules are built for x86_64 and aarch64, not for $1." >&2
        exit 1
        ;;
    esac
}

here=$(architecture_of "$(uname -m)")
architecture=$(architecture_of "${1:-$here}")
target=$architecture-unknown-linux-musl

# The cryptography of TLS is partly C, without a C library. The compiler of this machine does for its own architecture, clang for any.
if [ "$architecture" = "$here" ]; then compiler=cc; else compiler=clang; fi
scripts/require.sh rustup cargo cc "$compiler"
export "CC_$(echo "$target" | tr - _)=$compiler"

if ! rustup target list --installed | grep -q -x "$target" && ! rustup target add "$target"; then
    echo "The Rust target $target is not installed and could not be added; run 'rustup target add $target' where rustup can download it." >&2
    exit 1
fi

# The binaries hold paths of source files, for the message of a panic: those of this machine stay out.
registry=${CARGO_HOME:-$HOME/.cargo}/registry/src
build() {
    command=$1
    shift
    cargo "$command" --release --locked --target "$target" \
        --config "target.$target.rustflags = ['--remap-path-prefix=$registry=registry', '--remap-path-prefix=$PWD=.']" "$@"
}

with_tls='aspera_s3_objects_info aspera_s3_trial_upload aspera_access_keys_info'
set --
for source in src/bin/*.rs; do
    name=$(basename "$source" .rs)
    case " $with_tls " in *" $name "*) ;; *) set -- "$@" --bin "$name" ;; esac
done
build build "$@"
# Repeated sequences of instructions become functions: 2 % smaller, which keeps these below 2 MB, and slower, where the network takes nearly all the time.
for name in $with_tls; do
    build rustc --bin "$name" -- -C llvm-args=-enable-machine-outliner=always
done

[ "$architecture" = "$here" ] || exit 0

for source in src/bin/*.rs; do
    name=$(basename "$source" .rs)
    # An equal file is left as it is; a new one takes the old one's place whole, also under a running playbook.
    if ! cmp -s "target/$target/release/$name" "library/$name"; then
        install -m 755 "target/$target/release/$name" "library/$name.new"
        mv "library/$name.new" "library/$name"
    fi
done
