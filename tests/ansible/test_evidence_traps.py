"""Traps in a folder of evidence, by whoever may write to it: no run waits for them, or writes elsewhere."""

from __future__ import annotations

import fcntl
import hashlib
import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import evidence_samples as samples
import pytest
from ansible_collections.aspera_ops.sse.plugins.plugin_utils import evidence_folder
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.evidence_folder import EvidenceFolder, FolderError
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.evidence_key import EvidenceKey, UnusableKeyError
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.evidence_source import read_source
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.report_difference import (
    UnusablePreviousError,
    read_previous,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FILES = ("SHA256SUMS", "SHA256SUMS.part")
TRAPS: dict[str, Callable[[Path], object]] = {
    "FIFO": os.mkfifo,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "folder": lambda path: path.mkdir(),
    "link": lambda path: path.symlink_to("/etc/hostname"),
}


@contextmanager
def not_for_ever() -> Iterator[None]:
    """End what waits for nothing."""

    def fail(*_: object) -> None:
        pytest.fail("it waits for ever")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(60)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("trap", TRAPS.values(), ids=TRAPS)
@pytest.mark.parametrize("file", FILES)
def test_an_audit_waits_for_no_file_of_others(folder: Path, file: str, trap: Callable[[Path], object]) -> None:
    """It fails, and says which file it is."""
    evidence = folder / "evidence"
    evidence.mkdir()
    trap(evidence / file)
    with not_for_ever(), pytest.raises(FolderError, match=str(evidence)):
        samples.write(evidence, samples.evidence("first"))


def test_an_audit_follows_no_link_to_write_elsewhere(folder: Path) -> None:
    """Evidence is only written into its own folder."""
    evidence, elsewhere = folder / "evidence", folder / "elsewhere"
    evidence.mkdir()
    elsewhere.mkdir()
    (evidence / "hosts").symlink_to(elsewhere)
    with pytest.raises(FolderError, match="hosts: it is a link"):
        samples.write(evidence, samples.evidence("first"))
    assert list(elsewhere.iterdir()) == []


def test_an_audit_waits_for_a_lock_no_longer_than_it_must(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may read the file can lock it, and an audit that is killed holds it no more."""
    evidence = samples.write(folder / "evidence", samples.evidence("first")).path
    monkeypatch.setattr(evidence_folder, "LOCK_SECONDS", 1)
    with (evidence / ".lock").open("rb") as lock, not_for_ever():
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(FolderError, match="has locked"):
            EvidenceFolder(evidence).write(samples.evidence("second"))
    EvidenceFolder(evidence).write(samples.evidence("second"))


@pytest.mark.parametrize("trap", ["FIFO", "device", "folder"])
def test_a_key_is_a_regular_file(folder: Path, trap: str) -> None:
    """A link to one is followed: it is the operator's."""
    TRAPS[trap](folder / "key")
    with not_for_ever(), pytest.raises(UnusableKeyError, match=str(folder / "key")):
        EvidenceKey.of_file(folder / "key")


@pytest.mark.parametrize("trap", ["FIFO", "device", "folder"])
def test_a_previous_report_is_a_regular_file(folder: Path, trap: str) -> None:
    """Otherwise nothing is compared."""
    TRAPS[trap](folder / "report.json")
    with not_for_ever(), pytest.raises(UnusablePreviousError, match=r"report\.json cannot be read"):
        read_previous(folder / "report.json")


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", "Infinity"])
def test_a_number_that_json_cannot_hold_is_no_evidence(folder: Path, number: str) -> None:
    """The report would not be JSON any more."""
    evidence = samples.write(folder / "evidence", samples.evidence("first")).path
    file = evidence / "hosts/first.json"
    changed = file.read_bytes().replace(b'"AWS_KMS"', number.encode("ascii"))
    file.write_bytes(changed)
    digest = hashlib.sha256(changed).hexdigest()
    (evidence / "SHA256SUMS").write_text(f"{digest}  hosts/first.json\n", encoding="ascii")
    (found,) = read_source(evidence).found
    assert found.evidence is None
    assert found.doubt
    assert "number" in found.doubt.why
