"""Folders of evidence as audits write them, without an audit for each."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from aspera_roots import KEY
from controllers import PROJECT

sys.path.append(str(PROJECT / "target/collection"))
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.evidence_file import Answer, Evidence, Sums
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.evidence_folder import EvidenceFolder
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.evidence_source import read_source
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.report_fleet import Report, report_of
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.report_host import Judging

if TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.aspera_ops.sse.plugins.plugin_utils.report_difference import Previous
    from ansible_collections.aspera_ops.sse.plugins.plugin_utils.signature import SigningKey

NOW = datetime(2026, 11, 27, 5, 0, 0, tzinfo=timezone.utc)
NIGHT = NOW - timedelta(hours=4)
SUM = "ab" * 32
VIOLATION = {
    "where": "user u1",
    "found": "AES256",
    "expected": "AWS_KMS",
    "why": "another encryption is in effect",
    "fix": "Set AWS_KMS with aspera_docroot_sse.",
}
UNKNOWN = {
    "where": "user up",
    "why": "restrictions without a docroot are for access keys",
    "fix": "Ask the Node API of this host with aspera_access_keys_info.",
    "reasons": ["access_keys"],
}
INCOMPLETE = {
    "where": "/opt/aspera/etc/aspera.conf",
    "reason": "missing",
    "why": "The file does not exist, so no docroot is known.",
    "fix": "Restore it from a backup.",
}


def docroot(name: str = "u1", verdict: str | None = "met", **different: Any) -> dict[str, Any]:
    """Return a docroot as aspera_sse_info does, with what differs of its effect."""
    effective = {
        "server_side_encryption": "AWS_KMS",
        "kms_key_id": KEY,
        "source": "docroot",
        "certain": True,
        "why": None,
        "reasons": [],
        **different,
    }
    return {
        "scope": "user",
        "name": name,
        "peer_ip": None,
        "scheme": "s3",
        "uri": f"s3://****:****@s3.amazonaws.com/{name}",
        "server_side_encryption": "AWS_KMS",
        "kms_key_id": KEY,
        "inherited_from": None,
        "judged_by": 0,
        "verdict": verdict,
        "effective": effective,
    }


def values(docroots: list[dict[str, Any]] | None = None, **different: Any) -> dict[str, Any]:
    """Return an answer of aspera_sse_info that calls a host compliant, with what differs."""
    return {
        "docroots": [docroot()] if docroots is None else docroots,
        "compliant": True,
        "violations": [],
        "unknown": [],
        "incomplete": [],
        **different,
    }


def violated() -> dict[str, Any]:
    """Return the answer of a host with another encryption."""
    found = [docroot("u1", "violated", server_side_encryption="AES256", kms_key_id=None), docroot("u2")]
    return values(found, compliant=False, violations=[VIOLATION])


def unknown() -> dict[str, Any]:
    """Return the answer of a host with access keys."""
    found = [docroot("up", "unknown", certain=False, reasons=["access_keys"]), docroot("u2")]
    return values(found, compliant=None, unknown=[UNKNOWN])


def with_access_keys(**different: Any) -> Evidence:
    """Return evidence of a cloud node whose access keys are as expected, with what differs of what they say."""
    keys = {
        "complete": True,
        "compliant": True,
        "violations": [],
        "unknown": [],
        "incomplete": [],
        "settles": ["user up"],
        **different,
    }
    answers = {
        "aspera_sse_info": Answer("answered", None, unknown()),
        "aspera_access_keys_info": Answer("answered", None, keys),
    }
    return evidence("host", answers=answers)


def incomplete() -> dict[str, Any]:
    """Return the answer of a host whose file is missing."""
    return values([], compliant=None, incomplete=[INCOMPLETE])


def evidence(host: str, answer: dict[str, Any] | None = None, **different: Any) -> Evidence:
    """Return evidence of a host that is compliant, with what differs."""
    common = {
        "host": host,
        "groups": ["aspera"],
        "state": "looked",
        "message": None,
        "started_at": NIGHT,
        "ended_at": NIGHT + timedelta(seconds=2),
        "versions": {"collection": "0.3.0", "ansible_core": "2.21.5", "aspera": "4.4.5.1646"},
        "expectation": [{"server_side_encryption": "AWS_KMS"}],
        "sums": Sums("0123456789abcdef", SUM, SUM),
        "answers": {"aspera_sse_info": Answer("answered", None, answer or values())},
    }
    return Evidence(**{**common, **different})


def unreachable(host: str) -> Evidence:
    """Return evidence of a host that nobody reached."""
    message = "Failed to connect to the host via ssh: Connection refused"
    answers = {"aspera_sse_info": Answer("unreachable", message)}
    return evidence(host, state="unreachable", message=message, answers=answers, sums=None, expectation=None)


def write(folder: Path, *hosts: Evidence, signing_key: SigningKey | None = None) -> EvidenceFolder:
    """Write evidence as an audit does."""
    written = EvidenceFolder(folder)
    for host in hosts:
        written.write(host)
    written.finish(signing_key)
    return written


def report(*folders: Path, **arguments: Any) -> Report:
    """Report on folders."""
    return Reporting(**arguments).report(*folders)


@dataclass
class Reporting:
    """How to report."""

    now: datetime = NOW
    max_age: timedelta = field(default=timedelta(hours=26))
    inventory: list[str] | None = None
    previous: Previous | None = None
    allowed_signers: Path | None = None

    def report(self, *folders: Path) -> Report:
        """Report on folders."""
        sources = [read_source(folder, self.allowed_signers) for folder in folders]
        return report_of(sources, Judging(self.now, self.max_age), self.inventory, self.previous)


def fleet(count: int, reds: int = 0, docroots: int = 10) -> list[Evidence]:
    """Return evidence of many hosts, each docroot with a key of its own; of some, something is wrong."""
    wrong = [violated(), incomplete(), unknown()]
    hosts = []
    for index in range(count):
        name = f"aspera{index:04}.{('eu', 'us')[index % 2]}.example.com"
        groups = ["aspera", f"region_{('eu', 'us')[index % 2]}", f"customer_{index % 20}"]
        keys = [f"{KEY[:-12]}{index:06}{number:06}" for number in range(docroots)]
        answer = values([docroot(f"tenant{number}", kms_key_id=key) for number, key in enumerate(keys)])
        if index < reds:
            answer = wrong[index % 3]
        hosts.append(evidence(name, answer, groups=groups))
    return hosts
