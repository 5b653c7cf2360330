"""The laws of a file of evidence, which may come from anywhere.

Fuzzing asks them about any file, and a test about those that it found worth keeping.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

# The sources themselves: no collection needs to be built.
sys.path.append(str(Path(__file__).resolve().parents[2] / "collection/plugins"))
from plugin_utils.evidence_file import Evidence
from plugin_utils.evidence_reader import UnusableEvidenceError, read_evidence
from plugin_utils.evidence_source import Found, Source
from plugin_utils.report_csv import csv_of
from plugin_utils.report_fleet import FAIL_ON, Report, report_of
from plugin_utils.report_host import Judging
from plugin_utils.report_page import page_of

#: It occurs in no message of ours.
PLANTED = "q9Dummy0Secret"
JUDGING = Judging(datetime(2026, 11, 27, 5, 0, 0, tzinfo=timezone.utc), timedelta(hours=26))
#: What runs or loads something in a page.
TAGS = re.compile(rb"<(script|style|img|iframe|object|embed|link|a|form)\b", re.IGNORECASE)


def check(content: bytes, every_page: bool = False) -> None:
    """Check every law. A page takes a hundred times as long as all else, so of most inputs none is made."""
    try:
        evidence = read_evidence(content)
    except UnusableEvidenceError as error:
        _says_nothing_of_it(str(error))
        return
    _there_and_back(evidence)
    report = _report(evidence, content)
    if every_page or hashlib.sha256(content).digest()[0] < 8:
        _page(report)


def _says_nothing_of_it(message: str) -> None:
    """Check that a reason is fit to be shown."""
    assert PLANTED not in message
    assert message.isprintable()
    assert len(message) < 300


def _there_and_back(evidence: Evidence) -> None:
    """Write what was read, and read it again."""
    written = evidence.to_bytes()
    assert written.isascii()
    again = read_evidence(written)
    assert again == evidence
    assert again.to_bytes() == written


def _report(evidence: Evidence, content: bytes) -> Report:
    """Make a report, whatever the evidence holds, and check that its green is earned."""
    folder = Path("/evidence")
    source = Source(folder, [Found(evidence.host, folder, hashlib.sha256(content).hexdigest(), evidence)])
    report = report_of([source], JUDGING)
    (host,) = report.hosts
    assert report.is_proven is (host.state == "met")
    assert bool(host.findings) is (host.state != "met")
    if host.state == "met":
        _earned(evidence)
    for words in FAIL_ON:
        report.failures(words)
    written = json.dumps(report.as_json(), allow_nan=False)
    assert json.loads(written)["proven"] is report.is_proven
    _cells(csv_of(report).decode())
    return report


def _page(report: Report) -> None:
    """Check that text of a host is text in the page: it brings no tag that runs or loads something."""
    written = TAGS.findall(page_of(report, "0.0.0"))
    assert written == TAGS.findall(page_of(_PLAIN, "0.0.0")), written


def _earned(evidence: Evidence) -> None:
    """Check that each answer of a green host is there, and that all of them say so."""
    assert evidence.state == "looked"
    assert all(answer.state == "answered" for answer in evidence.answers.values())
    settings: dict[str, Any] = evidence.answers["aspera_sse_info"].values or {}
    assert settings["violations"] == []
    assert settings["incomplete"] == []
    if settings["compliant"] is not True:
        keys: dict[str, Any] = evidence.answers["aspera_access_keys_info"].values or {}
        assert settings["compliant"] is None
        assert keys["compliant"] is True
        assert keys["complete"] is True
    for answer in evidence.answers.values():
        values = answer.values or {}
        assert values.get("compliant", True) is not False
        assert not values.get("violations")
        assert not values.get("incomplete")


def _cells(text: str) -> None:
    """Check that no cell begins a formula."""
    for line in text.split("\r\n"):
        for cell in line[1:-1].split('","'):
            assert not cell.startswith(("=", "+", "-", "@")), line


#: A report whose page has the tags that every page has.
_PLAIN = report_of([], JUDGING, ["a host"])
