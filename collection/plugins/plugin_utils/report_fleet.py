# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a fleet: all hosts joined from all folders, and what it all comes to."""

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import asdict, dataclass, field

from .evidence_file import utc_text
from .evidence_source import Doubt, Found, Source
from .report_answers import Finding
from .report_difference import Difference, Previous, difference
from .report_host import STATES, HostReport, Judging, judge

#: The version of report.json.
REPORT_VERSION = 1
#: What makes a report red, by the word for it. Each word stands for what is worse, too.
FAIL_ON: dict[str, tuple[str, ...]] = {
    "never": (),
    "violated": ("violated", "untrusted"),
    "incomplete": ("violated", "untrusted", "incomplete", "missing", "old"),
    "unknown": ("violated", "untrusted", "incomplete", "missing", "old", "unknown"),
}
#: What is said of hosts in a state, of one and of several.
SAID: dict[str, tuple[str, str]] = {
    "violated": ("1 host violates the expectation", "{} hosts violate the expectation"),
    "untrusted": ("the evidence of 1 host cannot be trusted", "the evidence of {} hosts cannot be trusted"),
    "incomplete": ("1 host could not be read completely", "{} hosts could not be read completely"),
    "missing": ("1 host has no evidence", "{} hosts have no evidence"),
    "old": ("1 host has old evidence only", "{} hosts have old evidence only"),
    "unknown": ("1 host is not known to be as expected", "{} hosts are not known to be as expected"),
    "met": ("1 host is as expected", "{} hosts are as expected"),
}


@dataclass
class Report:
    """All that is in a report."""

    created_at: str
    max_age_seconds: int
    hosts: list[HostReport]
    #: What is wrong with folders as a whole.
    doubts: list[Doubt]
    #: What a reader should know, and is no reason to fail.
    notes: list[str]
    sources: list[dict[str, t.Any]]
    difference: Difference | None = None
    counts: dict[str, int] = field(default_factory=dict)
    #: By their verdict.
    docroots: dict[str, int] = field(default_factory=dict)

    @property
    def is_proven(self) -> bool:
        """Whether every host, and there is one, is as expected."""
        return bool(self.hosts) and not self.doubts and all(host.state == "met" for host in self.hosts)

    @property
    def summary(self) -> str:
        """All of it in one sentence."""
        if not any(host.ended_at for host in self.hosts):
            hosts = f" on {_number(len(self.hosts), 'host')}" if self.hosts else ""
            return f"Nothing is proven{hosts}: there is no evidence that counts."
        judged = sum(host.judged for host in self.hosts)
        as_of = f"as of {self.as_of}"
        if self.is_proven:
            return (
                f"Proven {self._basis()}: on {_all(len(self.hosts), 'host')}, uploads to {_all(judged, 'docroot')} are "
                f"encrypted as expected, {as_of}."
            )
        said = [SAID[state][count > 1].format(f"{count:,}") for state, count in self.counts.items() if count]
        if self.doubts:
            said.insert(0, f"{_number(len(self.doubts), 'folder or file', 'folders or files')} cannot be trusted")
        met = self.docroots.get("met", 0)
        return (
            f"Not proven: of {_number(len(self.hosts), 'host')}, {_listed(said)}; {met:,} of {judged:,} judged "
            f"docroots are as expected, {as_of}."
        )

    @property
    def as_of(self) -> str:
        """The times of the oldest and the newest evidence."""
        times = sorted(host.started_at for host in self.hosts if host.started_at)
        oldest, newest = (time[:16].replace("T", " ") for time in (times[0], times[-1]))
        return f"{oldest} UTC" if oldest == newest else f"{oldest} to {newest} UTC"

    def failures(self, fail_on: str) -> list[str]:
        """Return why a play must fail, if it must."""
        if fail_on == "never":
            return []
        failures = [f"{doubt.why} {doubt.fix}" for doubt in self.doubts]
        if not self.hosts:
            failures.append("There is no evidence of any host. Run the audit with evidence_dir, and name that folder.")
        for state in FAIL_ON[fail_on]:
            hosts = [host.host for host in self.hosts if host.state == state]
            if hosts:
                said = SAID[state][len(hosts) > 1].format(f"{len(hosts):,}")
                more = f" and {len(hosts) - 10:,} more" if len(hosts) > 10 else ""
                failures.append(f"{said[:1].upper()}{said[1:]}: {', '.join(hosts[:10])}{more}.")
        return failures

    def as_json(self) -> dict[str, t.Any]:
        """Return what report.json holds."""
        return {
            "report_version": REPORT_VERSION,
            "summary": self.summary,
            "proven": self.is_proven,
            **asdict(self),
        }

    def _basis(self) -> str:
        judged = [docroot for host in self.hosts for docroot in host.docroots if docroot.verdict == "met"]
        on_objects = sum(docroot.proven_on == "objects" for docroot in judged)
        if on_objects == len(judged) and judged:
            return "by the settings and the uploaded objects"
        return "by the settings" + (f", and on {on_objects:,} by the uploaded objects" if on_objects else "")


def report_of(
    sources: list[Source], judging: Judging, inventory: list[str] | None = None, previous: Previous | None = None
) -> Report:
    """Join all folders. The inventory says which hosts there should be; without one, no host is missed."""
    by_host: dict[str, list[Found]] = {host: [] for host in inventory or ()}
    for source in sources:
        for found in source.found:
            by_host.setdefault(found.host, []).append(found)
    hosts = [judge(host, found, judging) for host, found in by_host.items()]
    hosts.sort(key=lambda host: (STATES.index(host.state), host.host))
    counts = Counter(host.state for host in hosts)
    verdicts = Counter(docroot.verdict or "not_judged" for host in hosts for docroot in host.docroots)
    return Report(
        created_at=utc_text(judging.now),
        max_age_seconds=int(judging.max_age.total_seconds()),
        hosts=hosts,
        doubts=[doubt for source in sources for doubt in source.doubts],
        notes=[*_notes(sources, inventory, by_host), *_superseded(by_host, judging)],
        sources=[_source(source) for source in sources],
        difference=difference(previous, hosts) if previous else None,
        counts={state: counts[state] for state in STATES},
        docroots=dict(sorted(verdicts.items())),
    )


def findings_by_cause(hosts: list[HostReport], kinds: t.Container[str]) -> list[tuple[Finding, list[tuple[str, str]]]]:
    """Join the findings with the same reason and remedy, each with its hosts and places, the worst first."""
    places: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
    for host in hosts:
        for finding in host.findings:
            if finding.kind in kinds:
                places.setdefault((finding.kind, finding.why, finding.fix), []).append((host.host, finding.where))
    joined = [(Finding(kind, "", why, fix), found) for (kind, why, fix), found in places.items()]
    return sorted(joined, key=lambda cause: (STATES.index(cause[0].kind), -len(cause[1])))


def _notes(sources: list[Source], inventory: list[str] | None, by_host: dict[str, list[Found]]) -> list[str]:
    notes = []
    if inventory is None:
        notes.append("No inventory was given, so hosts that were never audited are not listed here.")
    else:
        known = set(inventory)
        others = [host for host in by_host if host not in known]
        if others:
            notes.append(
                f"{_number(len(others), 'host')} with evidence, but not in the inventory, such as {others[0]}."
            )
    notes += [
        f"{source.path} has {_number(source.other_files, 'file')} that no audit writes. They were not opened."
        for source in sources
        if source.other_files
    ]
    return notes


def _superseded(by_host: dict[str, list[Found]], judging: Judging) -> list[str]:
    """Say where older evidence, which does not count, is worse and not too old: perhaps two servers have one name."""
    notes = []
    for host, found in by_host.items():
        if len(found) < 2 or any(one.evidence is None for one in found):
            continue
        judged = {one.folder: judge(host, [one], judging).state for one in found}
        newest = judge(host, found, judging).state
        worse = [
            folder for folder, state in judged.items() if STATES.index(state) < STATES.index(newest) and state != "old"
        ]
        if worse:
            notes.append(
                f"{host} has evidence in several folders, and the newest counts. The evidence in {worse[0]} is worse: "
                f"{judged[worse[0]]}. If these are two servers, give each a name of its own."
            )
    return notes


def _source(source: Source) -> dict[str, t.Any]:
    return {
        "path": str(source.path),
        "files": len(source.found),
        "other_files": source.other_files,
        "signed_by": source.signed_by,
    }


def _number(count: int, one: str, several: str | None = None) -> str:
    return f"1 {one}" if count == 1 else f"{count:,} {several or one + 's'}"


def _all(count: int, one: str, several: str | None = None) -> str:
    return _number(count, one) if count == 1 else f"all {_number(count, one, several)}"


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
