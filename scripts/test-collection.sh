#!/bin/sh
# Holds the collection, as `make dist` left it, against what other people check collections with. None of it is ignored or skipped.
set -eu
cd "$(dirname "$0")/.."

scripts/require.sh git gzip tar

folder=$PWD/target/collection
tarball=$(echo "$PWD"/target/dist/*.tar.gz)
programs=$PWD/target/venv/collection/bin
settings=$PWD/tests/collection
checked=$folder/checked/ansible_collections/aspera_ops/sse
log=$folder/step.log
# Galaxy asks for the address of the source. There is no public one yet: what is checked is given one that leads nowhere.
repository=https://aspera-sse.invalid

# pyenv's own Pythons come before its shims, of which only the chosen ones run.
pythons=$(for python in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin; do printf '%s:' "$python"; done)
PATH=$programs:$PWD/target/venv/tools/bin:$pythons$PATH
export PATH

# What the tools keep for themselves stays in target/, and the settings of this user stay out.
home=$folder/home
mkdir -p "$home/.ansible/test/cache" "$home/.config/pip"
: >"$home/ansible.cfg"
# ansible-test gives pip neither the user's settings nor those of the environment. Nobody else may read them: they can hold a password.
(
    umask 077
    {
        echo "[global]"
        {
            python -m pip config list | sed -n "s/^[^=]*\.\([^.=]*\)='\(.*\)'$/\1 = \2/p"
            [ -z "${HTTPS_PROXY:-${https_proxy:-}}" ] || echo "proxy = ${HTTPS_PROXY:-$https_proxy}"
        } | sort -s -u -k 1,1
    } >"$home/.config/pip/pip.conf"
)
# By the name under which this ansible-test looks for what it would download.
pip=$(python -c 'from ansible_test._internal import python_requirements as r; print(r.get_venv_packages(r.VirtualPythonConfig())["pip"])')
cp "$settings/get_pip.py" "$home/.ansible/test/cache/get_pip_$(echo "$pip" | tr . _).py"
# pip asks rustc for its version, for which rustup would install a toolchain in a home without one.
ln -sfn "${RUSTUP_HOME:-$HOME/.rustup}" "$home/.rustup"
unset ANSIBLE_HOME XDG_CACHE_HOME XDG_CONFIG_HOME XDG_DATA_HOME
export HOME="$home" ANSIBLE_CONFIG="$home/ansible.cfg" ANSIBLE_COLLECTIONS_PATH="$folder/checked"

# A copy, for some tools leave files behind. It is a work tree of its own: in this project's, git ignores target/, and antsibull-docs,
# which takes what git lists, would find nothing wrong in nothing. ansible-lint would take this project's settings.
rm -rf "$folder/checked"
mkdir -p "$(dirname "$checked")"
cp -R "$folder/ansible_collections/aspera_ops/sse" "$checked"
git init -q "$checked"
printf '/.ansible/\n/tests/output/\n' >>"$checked/.git/info/exclude"
grep -q '^repository:' "$checked/galaxy.yml" || echo "repository: $repository" >>"$checked/galaxy.yml"

passed=0
failed=0
step() {
    echo "== $*"
    if "$@" >"$log" 2>&1; then
        passed=$((passed + 1))
        tail -n 1 "$log"
    else
        failed=$((failed + 1))
        cat "$log"
    fi
}

sanity() (
    cd "$checked"
    ansible-test sanity --allow-disabled --color no || exit
    # It is content to do without a tool. Only a Python may be missing.
    if grep -E 'Skipping sanity test|Required program' "$log" | grep -v 'could not be found'; then exit 1; fi
    pythons=$(sed -n 's/^Running sanity test "compile" on Python //p' "$log" | tr '\n' ' ')
    echo "Passed: $(grep -c '^Running sanity test' "$log") tests, those for each Python with $pythons"
)

lint() (
    cd "$checked"
    ansible-lint --profile production --strict --offline --nocolor
)

# The file that is released, but for the address.
import() (
    work=$folder/import
    rm -rf "$work"
    mkdir -p "$work/content"
    tar -C "$work/content" -xzf "$tarball"
    sed -i "s|\"repository\": null|\"repository\": \"$repository\"|" "$work/content/MANIFEST.json"
    (cd "$work/content" && tar -czf "../$(basename "$tarball")" -- *)
    cd "$work"
    GALAXY_IMPORTER_CONFIG=$settings/galaxy-importer.cfg python -m galaxy_importer.main "$(basename "$tarball")" || exit
    # It imports in spite of them.
    ! grep -q -E '^(WARNING|ERROR)' "$log"
)

documentation() (
    cd "$checked"
    antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs all --disallow-unknown-collection-refs --check-extra-docs-refs .
)

step sanity
step lint
step import
step documentation
step mypy

echo "$passed passed, $failed failed (other people's checks of the collection)"
[ "$failed" -eq 0 ]
