# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges one host by its evidence. Nothing here looks at a file or a clock."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .evidence_file import Evidence, utc_text
from .evidence_source import Found
from .report_answers import Docroot, Finding, read_answers

#: From the worst to the best. Each kind of finding gives its host the state of the same name.
STATES = ("violated", "untrusted", "incomplete", "missing", "old", "unknown", "met")
#: The clocks of two controllers may differ by as much.
CLOCK_TOLERANCE = timedelta(minutes=5)
#: Why a host has no evidence, and what to do, by the state of its file.
NOT_LOOKED = {
    "unreachable": ("The audit could not reach it", "Make the server reachable, and run the audit again."),
    "failed": ("The audit failed on it", "Correct what the reason names, and run the audit again."),
    "skipped": ("The audit did not look at it", "Run the audit again."),
}


@dataclass(frozen=True)
class Judging:
    """By what all hosts are judged."""

    now: datetime
    max_age: timedelta


@dataclass
class HostReport:
    """What a report says of one host."""

    host: str
    groups: list[str]
    state: str
    findings: list[Finding]
    docroots: list[Docroot] = field(default_factory=list)
    started_at: str | None = None
    ended_at: str | None = None
    #: The folder of its evidence, and the SHA-256 of the file.
    folder: str | None = None
    sha256: str | None = None
    versions: dict[str, str | None] = field(default_factory=dict)
    expectation: list[dict[str, t.Any]] | None = None
    #: Of the configuration files, with the name of their key.
    sums: dict[str, str | None] | None = None

    @property
    def judged(self) -> int:
        """How many docroots the expectation judges."""
        return sum(docroot.verdict in ("met", "violated", "unknown") for docroot in self.docroots)


def judge(host: str, found: list[Found], judging: Judging) -> HostReport:
    """Judge a host by what the folders have of it: the newest evidence counts, and none if any is in doubt."""
    doubts = dict.fromkeys(one.doubt for one in found if one.doubt)
    if doubts:
        return _without_evidence(host, [Finding("untrusted", "", doubt.why, doubt.fix) for doubt in doubts])
    with_evidence = [(one.evidence, one) for one in found if one.evidence]
    if not with_evidence:
        why = "There is no evidence of it."
        return _without_evidence(
            host, [Finding("missing", "", why, "Run the audit on it, or remove it from the inventory.")]
        )
    newest = max(pair[0].ended_at for pair in with_evidence)
    last = {pair[1].sha256: pair for pair in with_evidence if pair[0].ended_at == newest}
    if len(last) > 1:
        folders = " and ".join(sorted(str(pair[1].folder) for pair in last.values()))
        why = f"Its evidence in {folders} has the same time and differs."
        fix = "Give each server a name of its own in all inventories, and run the audit again."
        return _without_evidence(host, [Finding("untrusted", "", why, fix)])
    ((evidence, one),) = last.values()
    return _by_evidence(evidence, one, judging)


def _by_evidence(evidence: Evidence, found: Found, judging: Judging) -> HostReport:
    answers = read_answers(evidence)
    findings = [*_of_time(evidence, judging), *_of_state(evidence), *answers.findings]
    if not findings and not answers.is_compliant:
        findings.append(_not_judged(evidence))
    findings.sort(key=lambda finding: STATES.index(finding.kind))
    return HostReport(
        host=evidence.host,
        groups=evidence.groups,
        state=findings[0].kind if findings else "met",
        findings=findings,
        docroots=answers.docroots,
        started_at=utc_text(evidence.started_at),
        ended_at=utc_text(evidence.ended_at),
        folder=str(found.folder),
        sha256=found.sha256,
        versions=evidence.versions,
        expectation=evidence.expectation,
        sums=vars(evidence.sums) if evidence.sums else None,
    )


def _without_evidence(host: str, findings: list[Finding]) -> HostReport:
    return HostReport(host, [], findings[0].kind, findings)


def _of_time(evidence: Evidence, judging: Judging) -> list[Finding]:
    if evidence.ended_at > judging.now + CLOCK_TOLERANCE:
        why = f"Its evidence is dated {utc_text(evidence.ended_at)}, which is in the future."
        fix = "Set the clocks of the controllers, and run the audit again."
        return [Finding("untrusted", "", why, fix)]
    # What was true when the audit began may have changed until it ended.
    if judging.now - evidence.started_at > judging.max_age:
        why = f"Its evidence is dated {utc_text(evidence.started_at)}, which is too old."
        return [Finding("old", "", why, "Find out why no later audit looked at it, and run the audit.")]
    return []


def _of_state(evidence: Evidence) -> list[Finding]:
    if evidence.state == "looked":
        return []
    why, fix = NOT_LOOKED[evidence.state]
    return [Finding("missing", "", f"{why}: {evidence.message}" if evidence.message else f"{why}.", fix)]


def _not_judged(evidence: Evidence) -> Finding:
    """Nothing speaks against the host, and no module calls it compliant."""
    if evidence.expectation is None:
        return Finding("unknown", "", "The audit had no expectation for it.", "Run the audit with aspera_sse_expect.")
    why = "The audit does not call it compliant, and gives no reason."
    return Finding("unknown", "", why, "Run the audit with the version of the collection that makes this report.")
