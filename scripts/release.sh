#!/bin/sh
# Checks that what `make dist` built can be released, and signs it: release.sh KEY. KEY is a private key of OpenSSH, or a public key
# whose private key is in the agent.
set -eu
cd "$(dirname "$0")/.."

key=${1:-}
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)

refuse() {
    echo "This cannot be released: $*" >&2
    exit 1
}

[ -n "$key" ] || refuse "no key signs it. Name a key of OpenSSH: make release KEY=FILE"
[ -f "$key" ] || refuse "there is no key $key."
[ -z "$(git status --porcelain)" ] || refuse "there are changes that are not committed. Commit them."
grep -q "^  $version:\$" changelogs/changelog.yaml ||
    refuse "the changelog has no version $version. Run antsibull-changelog release --version $version."
[ -z "$(git ls-files changelogs/fragments)" ] ||
    refuse "changes are not in the changelog yet (changelogs/fragments). Raise the version in Cargo.toml and run antsibull-changelog release."
[ -z "$(git tag --list "v$version")" ] || [ "$(git rev-list -n 1 "v$version")" = "$(git rev-parse HEAD)" ] ||
    refuse "v$version is the tag of another commit. Raise the version in Cargo.toml."
scripts/test-reproducible.sh

cd target/dist
rm -f SHA256SUMS.sig
ssh-keygen -q -Y sign -f "$key" -n aspera-sse-release SHA256SUMS
sha256sum --check --quiet SHA256SUMS
echo "target/dist has version $version. Whoever gets it checks it with"
echo "ssh-keygen -Y verify -f ALLOWED_SIGNERS -I SIGNER -n aspera-sse-release -s SHA256SUMS.sig <SHA256SUMS && sha256sum --check SHA256SUMS"
