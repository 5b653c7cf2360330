"""Reading a folder of evidence as a stranger left it: what counts is as an audit wrote it, and nothing else is used."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import evidence_samples as samples
import pytest
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.evidence_folder import EvidenceFolder, file_name
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.evidence_source import Found, Source, read_source
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.signature import SigningKey

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def evidence(folder: Path) -> Path:
    """Give the evidence of two hosts."""
    return samples.write(folder / "evidence", samples.evidence("first"), samples.evidence("second")).path


def found(source: Source) -> dict[str, Found]:
    """Return what a folder has, by host."""
    by_host = {one.host: one for one in source.found}
    assert len(by_host) == len(source.found)
    return by_host


def only_first_counts(source: Source) -> Found:
    """See that the first host is as it was, and return what is said of the other one."""
    by_host = found(source)
    first = by_host.pop("first")
    assert first.evidence == samples.evidence("first")
    assert first.doubt is None
    (other,) = [one for one in by_host.values() if one.doubt]
    assert other.evidence is None
    assert all(one.evidence for one in by_host.values() if one is not other)
    assert source.doubts == []
    return other


def test_what_an_audit_wrote_counts(evidence: Path) -> None:
    """Each file, with its sum."""
    source = read_source(evidence)
    assert source.doubts == []
    assert source.other_files == 0
    assert {host: one.evidence for host, one in found(source).items()} == {
        host: samples.evidence(host) for host in ("first", "second")
    }
    listed = (evidence / "SHA256SUMS").read_text()
    assert all(f"{one.sha256}  hosts/{host}.json" in listed for host, one in found(source).items())


def changed(evidence: Path) -> None:
    """Change a file so that it is still evidence."""
    file = evidence / "hosts/second.json"
    file.write_bytes(file.read_bytes().replace(b"4.4.5.1646", b"4.4.5.1647"))


def half(evidence: Path) -> None:
    """Cut a file."""
    file = evidence / "hosts/second.json"
    file.write_bytes(file.read_bytes()[:200])


def copied(evidence: Path) -> None:
    """Take the evidence of another host."""
    shutil.copy(evidence / "hosts/first.json", evidence / "hosts/second.json")


def linked(evidence: Path) -> None:
    """Put a link to the file in its place."""
    (evidence / "hosts/second.json").rename(evidence / "moved")
    (evidence / "hosts/second.json").symlink_to(evidence / "moved")


def piped(evidence: Path) -> None:
    """Put a pipe that nobody writes to in its place."""
    (evidence / "hosts/second.json").unlink()
    os.mkfifo(evidence / "hosts/second.json")


def replaced_by_folder(evidence: Path) -> None:
    """Put a folder in its place."""
    (evidence / "hosts/second.json").unlink()
    (evidence / "hosts/second.json").mkdir()


def added(evidence: Path) -> None:
    """Add evidence of another host, which no audit wrote here."""
    (evidence / "hosts/third.json").write_bytes(samples.evidence("third").to_bytes())


def running(evidence: Path) -> None:
    """Let an audit write, and not end."""
    EvidenceFolder(evidence).write(samples.evidence("second", samples.violated()))


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (changed, "was changed after the audit"),
        (half, "was changed after the audit"),
        (copied, "was changed after the audit"),
        (lambda evidence: (evidence / "hosts/second.json").unlink(), "is missing, and SHA256SUMS lists it"),
        (linked, "cannot be read"),
        (piped, "cannot be read: it is not a regular file"),
        (replaced_by_folder, "cannot be read"),
        (added, "was added after the audit"),
        (running, "has not finished"),
    ],
)
def test_of_a_file_that_does_not_fit_nothing_is_used(evidence: Path, harm: Callable[[Path], None], says: str) -> None:
    """Its host gets a doubt with a remedy, and the others count."""
    harm(evidence)
    doubt = only_first_counts(read_source(evidence)).doubt
    assert doubt
    assert says in doubt.why
    assert doubt.fix


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (
            samples.evidence("second").to_bytes().replace(b'"schema_version": 1', b'"schema_version": 2'),
            "schema version 2",
        ),
        (samples.evidence("second").to_bytes()[:-30], "not whole JSON"),
        (samples.evidence("first").to_bytes(), "evidence of a host other than its name says"),
        (b"{}", "schema version unknown"),
    ],
)
def test_files_with_right_sums_are_read_with_care(evidence: Path, content: bytes, says: str) -> None:
    """Another version of the collection wrote them, or somebody who made sums of his own."""
    (evidence / "hosts/second.json").write_bytes(content)
    sums = subprocess.run(
        ("sha256sum", *sorted(f"hosts/{file.name}" for file in (evidence / "hosts").iterdir())),
        cwd=evidence,
        check=True,
        capture_output=True,
    )
    (evidence / "SHA256SUMS").write_bytes(sums.stdout)
    doubt = only_first_counts(read_source(evidence)).doubt
    assert doubt
    assert says in doubt.why


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (lambda sums: sums.unlink(), "has no SHA256SUMS"),
        (lambda sums: sums.write_bytes(sums.read_bytes()[:-1]), "is not as the audit writes it"),
        (lambda sums: sums.write_bytes(sums.read_bytes() + b"x\n"), "is not as the audit writes it"),
        (
            lambda sums: sums.write_bytes(sums.read_bytes().replace(b"hosts/first", b"hosts/../hosts/first")),
            "not as the audit",
        ),
        (lambda sums: (sums.unlink(), sums.mkdir()), "cannot be read"),
    ],
)
def test_without_whole_sums_nothing_counts(evidence: Path, harm: Callable[[Path], object], says: str) -> None:
    """It is said of the folder, once, and of every host."""
    harm(evidence / "SHA256SUMS")
    source = read_source(evidence)
    assert says in source.doubts[0].why
    assert {host for host, one in found(source).items() if one.evidence is None} == {"first", "second"}


def test_other_files_are_counted_and_not_opened(evidence: Path) -> None:
    """Ten thousand, among them some that would never end."""
    for index in range(5000):
        (evidence / f"other{index}").touch()
        (evidence / f"hosts/other{index}.txt").touch()
    (evidence / "hosts/.first.json").symlink_to("/dev/zero")
    (evidence / "hosts/deep").mkdir()
    source = read_source(evidence)
    assert source.other_files == 10_002
    assert set(found(source)) == {"first", "second"}
    assert source.doubts == []


@pytest.mark.parametrize("name", ["a b.json", "%zz.json", "%61.json", "ä.json", "x\u202e.json", "'.json"])
def test_a_name_that_no_audit_gives_is_no_host(evidence: Path, name: str) -> None:
    """Whoever put it there wanted something."""
    (evidence / "hosts" / name).write_bytes(samples.evidence("x").to_bytes())
    source = read_source(evidence)
    assert set(found(source)) == {"first", "second"}
    assert "has a name that no audit uses" in source.doubts[0].why


@pytest.mark.parametrize("host", ["../../up", "a/b", "..", "%2E", "ä", "x" * 300, "\u202e<script>", "{{ 7 * 7 }}"])
def test_hosts_of_any_name_are_read(folder: Path, host: str) -> None:
    """From their own file, and from no other."""
    samples.write(folder / "evidence", samples.evidence(host))
    source = read_source(folder / "evidence")
    assert [one.host for one in source.found] == [host]
    assert source.found[0].evidence == samples.evidence(host)
    assert [file.name for file in (folder / "evidence/hosts").iterdir()] == [file_name(host)]


@pytest.mark.parametrize("name", ["none", "file"])
def test_a_folder_that_is_not_there_is_said(folder: Path, name: str) -> None:
    """It is no failure, so that the report is red and not that of yesterday."""
    (folder / "file").touch()
    source = read_source(folder / name)
    assert source.found == []
    assert f"The folder of evidence {folder / name} cannot be read" in source.doubts[0].why


@pytest.mark.needs("ssh-keygen")
def test_a_signature_counts_if_somebody_known_made_it(folder: Path) -> None:
    """It must be of these sums, for this purpose, and of a key that is allowed."""
    keys = [folder / name for name in ("own", "other")]
    for key in keys:
        subprocess.run(("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key), check=True)
    signers = folder / "allowed_signers"
    signers.write_text(f"night@audit {keys[0].with_suffix('.pub').read_text()}", encoding="ascii")
    path = folder / "evidence"
    hosts = (samples.evidence("first"), samples.evidence("second"))

    samples.write(path, *hosts, signing_key=SigningKey(keys[0]))
    source = read_source(path, signers)
    assert source.signed_by == "night@audit"
    assert all(one.evidence for one in source.found)
    # Nobody asked for it.
    assert read_source(path).signed_by is None

    signed = (path / "SHA256SUMS.sig").read_bytes()
    sums = (path / "SHA256SUMS").read_bytes()
    other_purpose = folder / "text"
    other_purpose.write_bytes(sums)
    subprocess.run(
        ("ssh-keygen", "-q", "-Y", "sign", "-n", "file", "-f", keys[0], other_purpose), check=True, capture_output=True
    )
    for signature, content, says in (
        (b"", sums, "there is no signature"),
        (b"nothing like it", sums, "names nobody who signed it"),
        (signed, sums[: len(sums) // 2], "the signature is wrong"),
        (other_purpose.with_suffix(".sig").read_bytes(), sums, "the signature is wrong"),
        (SigningKey(keys[1]).sign(sums), sums, "names nobody who signed it"),
    ):
        (path / "SHA256SUMS.sig").write_bytes(signature)
        (path / "SHA256SUMS").write_bytes(content)
        source = read_source(path, signers)
        assert says in source.doubts[0].why
        assert source.signed_by is None
        assert not any(one.evidence for one in source.found)


def test_everything_in_a_file_is_read_as_it_was_written(folder: Path) -> None:
    """Also what is not in ASCII."""
    written = samples.evidence("ä", message=None, groups=["a\u202eb", "{{ x }}"])
    samples.write(folder / "evidence", written)
    (one,) = read_source(folder / "evidence").found
    assert one.evidence == written
    assert json.loads(written.to_bytes())["groups"] == ["a\u202eb", "{{ x }}"]
