# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as rows for spreadsheets, where nothing of a host may be taken for a formula."""

from __future__ import annotations

import csv
import io
import re
import typing as t

from .host_text import safe_text
from .report_fleet import Report
from .report_host import HostReport

COLUMNS = (
    *("host", "state", "groups", "evidence_from", "record", "place", "verdict", "encryption", "kms_key_id", "source"),
    *("inherited_from", "proven_on", "certain", "reasons", "uri", "why", "fix"),
)
#: Where a program may see the beginning of a cell: it may split the line at a separator of its own.
FORMULA = re.compile(r"(^|[;,\t|\"'])([\s\u200b-\u200f\ufeff]*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])", re.MULTILINE)


def csv_of(report: Report) -> bytes:
    """Write a row for each host, each finding and each docroot."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writeheader()
    for doubt in report.doubts:
        writer.writerow(_cells({"state": "untrusted", "record": "folder", "why": doubt.why, "fix": doubt.fix}))
    for host in report.hosts:
        writer.writerows(map(_cells, _rows(host)))
    return text.getvalue().encode("utf-8")


def cell(value: t.Any) -> str:
    """Return text that no spreadsheet takes for a formula, on one line."""
    if value is None:
        return ""
    text = safe_text(str(value)).replace("\n", " ").replace("\t", " ")
    return FORMULA.sub(r"\1\2'", text)


def _cells(row: dict[str, t.Any]) -> dict[str, str]:
    return {name: cell(value) for name, value in row.items()}


def _rows(host: HostReport) -> t.Iterator[dict[str, t.Any]]:
    common = {
        "host": host.host,
        "state": host.state,
        "groups": " ".join(host.groups),
        "evidence_from": host.started_at,
    }
    yield {**common, "record": "host"}
    for finding in host.findings:
        yield {
            **common,
            "record": "finding",
            "place": finding.where,
            "verdict": finding.kind,
            "why": finding.why,
            "fix": finding.fix,
        }
    for docroot in host.docroots:
        yield {
            **common,
            "record": "docroot",
            "place": docroot.place,
            "verdict": docroot.verdict or "not_judged",
            "encryption": docroot.encryption,
            "kms_key_id": docroot.key,
            "source": docroot.source,
            "inherited_from": docroot.inherited_from,
            "proven_on": docroot.proven_on,
            "certain": "yes" if docroot.is_certain else "no",
            "reasons": " ".join(docroot.reasons),
            "uri": docroot.uri,
        }
