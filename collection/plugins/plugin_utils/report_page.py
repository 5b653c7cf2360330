# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as a page: one file that loads nothing, in which no text of a host is anything but text.

Jinja2 escapes everything here, which Ansible's own templates do not. The policy in the page allows one style and one
script, by their sums, so that a browser runs nothing else even if a text got out of its place.
"""

from __future__ import annotations

import base64
import hashlib
import typing as t
from collections import Counter
from pathlib import Path

import jinja2
from markupsafe import Markup, escape

from .host_text import safe_text
from .report_answers import Docroot
from .report_fleet import Report, findings_by_cause
from .report_host import STATES, HostReport

PARTS = Path(__file__).resolve().parent
#: Characters shown of one text. The other files have all of it.
TEXT_LIMIT = 240
#: Rows shown of each table, and names in each row.
CAUSE_LIMIT = 100
ABSENT_LIMIT = 100
CHANGE_LIMIT = 50
NAME_LIMIT = 12
FINDING_LIMIT = 5
GROUP_LIMIT = 200
GROUP_TEXT = 60
HOST_LIMIT = 2000
#: Bytes of the page, so that it opens at once whatever the fleet.
PAGE_LIMIT = 1_950_000
MARGIN = 10_000
#: What the tags take of a host, of a row in it, and of a key there.
HOST_COST = 600
ROW_COST = 90
KEY_COST = 19
POLICY = "default-src 'none'; style-src {style}; script-src {script}; base-uri 'none'; form-action 'none'"
#: What wrongs are listed by their cause. The others are about hosts as a whole.
CAUSES = ("violated", "untrusted", "incomplete", "unknown")
ABSENT = ("missing", "old")

WORDS = {
    "violated": "violated",
    "untrusted": "not trusted",
    "incomplete": "incomplete",
    "missing": "no evidence",
    "old": "old evidence",
    "unknown": "unknown",
    "met": "as expected",
    "not_s3": "not S3",
    "not_judged": "not judged",
}


def page_of(report: Report, version: str | None) -> bytes:
    """Render the page, with as much of the hosts as it has room for."""
    room = PAGE_LIMIT
    while True:
        page = _rendered(report, version, room)
        if len(page) <= PAGE_LIMIT or room <= 0:
            return page
        # Only a fleet that fills the page comes here: what is around the table takes room, too.
        room -= len(page) - PAGE_LIMIT + MARGIN


def _rendered(report: Report, version: str | None, room: int) -> bytes:
    # From a text and not from a folder, so that no template can name another file.
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["shown"] = shown
    environment.filters["word"] = lambda state: WORDS[state]
    template = environment.from_string(_part("report.html.j2"))
    style, script = _part("report.css"), _part("report.js")
    text = template.render(
        report=report,
        version=version,
        # They are ours, and hold nothing of a host.
        style=Markup(style),  # noqa: S704
        script=Markup(script),  # noqa: S704
        policy=POLICY.format(style=_sum(style), script=_sum(script)),
        states=[(state, report.counts[state]) for state in STATES],
        causes=_cut(findings_by_cause(report.hosts, CAUSES), CAUSE_LIMIT),
        absent=_cut(
            [host for host in report.hosts if any(finding.kind in ABSENT for finding in host.findings)], ABSENT_LIMIT
        ),
        changes=_changes(report),
        hosts=_hosts(report.hosts, room),
        groups=_groups(report.hosts),
        groups_of=_groups_of,
        expectations=_expectations(report.hosts),
        names_limit=NAME_LIMIT,
    )
    return text.encode("utf-8", "backslashreplace")


def shown(value: str | None, limit: int = TEXT_LIMIT) -> str:
    """Return text without characters that nobody sees, cut at a limit."""
    text = safe_text((value or "")[: limit + 1])
    return text if len(text) <= limit else f"{text[: limit - 1]}\u2026"


class Cut(t.NamedTuple):
    """The beginning of a list, and how many more there are."""

    rows: list[t.Any]
    more: int


class DocrootRow(t.NamedTuple):
    """Docroots of a host of which all but the key is the same."""

    docroot: Docroot
    #: By their key.
    places: list[tuple[str | None, Cut]]
    #: How many keys are in the other files only.
    more: int


class HostRow(t.NamedTuple):
    """A host, with what of it the page has room for."""

    host: HostReport
    met: int
    findings: Cut
    docroots: Cut


def _hosts(hosts: list[HostReport], room: int) -> Cut:
    """Share out the room, first to the rows of hosts and then to what is in them, the worst first."""
    seen: list[HostReport] = []
    for host in hosts[:HOST_LIMIT]:
        room -= HOST_COST + _length(
            shown(host.host, 120), shown(host.host, 40), *_groups_of(host), shown(host.versions.get("aspera"), 40)
        )
        if room < 0:
            break
        seen.append(host)
    rows = []
    for host in seen:
        findings = []
        for finding in host.findings[:FINDING_LIMIT]:
            room -= ROW_COST + _length(shown(finding.why), shown(finding.where, 120))
            if room > 0:
                findings.append(finding)
        docroots = []
        more = 0
        for row in _alike(host.docroots):
            room -= ROW_COST + _length(shown(", ".join(row.docroot.reasons)), shown(row.docroot.inherited_from, 80))
            kept = []
            for key, places in row.places:
                room -= KEY_COST + _length(shown(key, 200), *(shown(place, 80) for place in places.rows))
                if room < 0:
                    break
                kept.append((key, places))
            if kept:
                docroots.append(row._replace(places=kept, more=len(row.places) - len(kept)))
            else:
                more += 1
        met = sum(docroot.verdict == "met" for docroot in host.docroots)
        rows.append(HostRow(host, met, Cut(findings, len(host.findings) - len(findings)), Cut(docroots, more)))
    return Cut(rows, len(hosts) - len(rows))


def _length(*texts: str) -> int:
    return sum(len(escape(text)) for text in texts)


def _groups_of(host: HostReport) -> list[str]:
    return [shown(group, GROUP_TEXT) for group in host.groups[:NAME_LIMIT]]


def _alike(docroots: list[Docroot]) -> list[DocrootRow]:
    alike: dict[t.Hashable, tuple[Docroot, dict[str | None, list[str]]]] = {}
    for one in docroots:
        same = (one.verdict, one.encryption, one.source, one.inherited_from, one.proven_on, *one.reasons)
        keys = alike.setdefault(same, (one, {}))[1]
        keys.setdefault(one.key, []).append(one.place)
    order = ("violated", "unknown", "met", None, "not_s3")
    rows = sorted(alike.values(), key=lambda row: order.index(row[0].verdict))
    return [DocrootRow(one, [(key, _cut(places, NAME_LIMIT)) for key, places in keys.items()], 0) for one, keys in rows]


def _changes(report: Report) -> list[tuple[str, Cut]]:
    found = report.difference
    if not found:
        return []
    named = (
        ("Worse", found.worse),
        ("Missing", found.missing),
        ("New", found.new),
        ("Better", found.better),
        ("Edited, with the same result", found.edited),
    )
    return [(name, _cut(changes, CHANGE_LIMIT)) for name, changes in named if changes]


def _groups(hosts: list[HostReport]) -> list[tuple[str, int]]:
    counts = Counter(group for host in hosts for group in set(_groups_of(host)))
    return sorted(counts.most_common(GROUP_LIMIT))


def _expectations(hosts: list[HostReport]) -> Cut:
    counts = Counter(_expectation(host.expectation) for host in hosts if host.expectation)
    return _cut([(list(lines), count) for lines, count in counts.most_common()], NAME_LIMIT)


def _expectation(entries: list[dict[str, t.Any]]) -> tuple[str, ...]:
    """Say in words what was expected. Its values are of the controller, in forms that the module took."""
    lines = []
    for entry in entries:
        encryption = entry.get("server_side_encryption") or f"state {entry.get('state', 'present')}"
        keys = entry.get("kms_key_ids")
        scopes = entry.get("scopes")
        with_keys = f" with {' or '.join(map(str, keys))}" if isinstance(keys, list) and keys else ""
        of_scopes = (
            f" for {', '.join(map(str, scopes))}" if isinstance(scopes, list) and scopes else " for all docroots"
        )
        lines.append(f"{encryption}{with_keys}{of_scopes}")
    return tuple(lines)


def _cut(rows: t.Sequence[t.Any], limit: int) -> Cut:
    return Cut(list(rows[:limit]), max(0, len(rows) - limit))


def _part(name: str) -> str:
    return (PARTS / name).read_text(encoding="utf-8").strip("\n")


def _sum(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
