"""A release is signed only if it can be repeated and its changelog is written."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from controllers import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.needs("git", "ssh-keygen")

CHANGELOG = "releases:\n  1.2.3:\n    release_date: '2026-01-01'\n"


@pytest.fixture
def project(folder: Path) -> Path:
    """Return a project of which everything is ready, with a stand-in for the second build, which takes minutes."""
    project = folder / "project"
    (project / "scripts").mkdir(parents=True)
    shutil.copy(PROJECT / "scripts/release.sh", project / "scripts")
    write(project / "scripts/test-reproducible.sh", "#!/bin/sh\ntest ! -e ../differs\n").chmod(0o755)
    write(project / "Cargo.toml", '[package]\nversion = "1.2.3"\n')
    write(project / "changelogs/changelog.yaml", CHANGELOG)
    write(project / ".gitignore", "/target/\n")
    built = write(project / "target/dist/aspera_ops-sse-1.2.3.tar.gz", "built\n")
    write(built.with_name("SHA256SUMS"), f"{hashlib.sha256(built.read_bytes()).hexdigest()}  {built.name}\n")
    git(project, "init", "--quiet")
    commit(project)
    keygen("-q", "-t", "ed25519", "-N", "", "-C", "maintainer", "-f", folder / "key")
    return project


def test_a_release_is_signed(project: Path) -> None:
    """Whoever has the public key can check the sums."""
    released = release(project, project.parent / "key")
    assert released.returncode == 0, released.stderr
    kind, key = (project.parent / "key.pub").read_text().split()[:2]
    signers = write(project.parent / "signers", f"maintainer {kind} {key}\n")
    dist = project / "target/dist"
    who = ("-f", signers, "-I", "maintainer", "-n", "aspera-sse-release", "-s", dist / "SHA256SUMS.sig")
    keygen("-Y", "verify", *who, text=(dist / "SHA256SUMS").read_text())


def test_what_cannot_be_released_is_not_signed(project: Path) -> None:
    """Each reason is said, and what to do."""
    key = project.parent / "key"
    refused(project, "", "make release KEY=FILE")
    refused(project, project.parent / "none", "there is no key")

    write(project / "Cargo.toml", '[package]\nversion = "1.2.4"\n')
    refused(project, key, "not committed")
    commit(project)
    refused(project, key, "the changelog has no version 1.2.4")

    git(project, "reset", "--quiet", "--hard", "HEAD~1")
    write(project / "changelogs/fragments/1-what.yml", "---\n")
    commit(project)
    refused(project, key, "changes are not in the changelog yet")

    git(project, "tag", "v1.2.3")
    git(project, "rm", "--quiet", "-r", "changelogs/fragments")
    commit(project)
    refused(project, key, "v1.2.3 is the tag of another commit")

    git(project, "tag", "--delete", "v1.2.3")
    write(project.parent / "differs", "")
    refused(project, key, "")


def refused(project: Path, key: Path | str, reason: str) -> None:
    """See that nothing is signed, for a reason."""
    finished = release(project, key)
    assert finished.returncode != 0
    assert reason in finished.stderr
    assert not (project / "target/dist/SHA256SUMS.sig").exists()


def release(project: Path, key: Path | str) -> subprocess.CompletedProcess:
    """Run the script, as `make release` does."""
    command = ["scripts/release.sh", key]
    return subprocess.run(command, cwd=project, check=False, capture_output=True, encoding="utf-8")


def commit(project: Path) -> None:
    """Commit everything."""
    git(project, "add", "--all")
    git(project, "-c", "user.name=maintainer", "-c", "user.email=m@example.invalid", "commit", "--quiet", "-m", "what")


def git(project: Path, *arguments: str) -> None:
    """Run git in the project."""
    subprocess.run(["git", *arguments], cwd=project, check=True, capture_output=True)


def keygen(*arguments: Path | str, text: str = "") -> None:
    """Run ssh-keygen."""
    subprocess.run(["ssh-keygen", *arguments], input=text, check=True, capture_output=True, encoding="utf-8")


def write(path: Path, text: str) -> Path:
    """Write a file and its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
