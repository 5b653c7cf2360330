# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One file of evidence: what an audit found out about one host, and when.

`docs/evidence.schema.json` of the collection describes it.
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone

#: The version of the schema.
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Sums:
    """The sums of the files of a host, and the name of the key under which they are."""

    key: str
    aspera_conf: str | None
    s3_properties: str | None


@dataclass(frozen=True)
class Answer:
    """What an info module answered, or why it did not."""

    state: str
    message: str | None = None
    values: dict[str, t.Any] | None = None


@dataclass(frozen=True)
class Evidence:
    """What an audit found out about one host."""

    host: str
    groups: list[str]
    state: str
    message: str | None
    started_at: datetime
    ended_at: datetime
    versions: dict[str, str | None]
    expectation: list[dict[str, t.Any]] | None
    sums: Sums | None = None
    #: By the name of the module.
    answers: dict[str, Answer] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Write it down, in ASCII."""
        written = {
            "schema_version": SCHEMA_VERSION,
            **asdict(self),
            "started_at": utc_text(self.started_at),
            "ended_at": utc_text(self.ended_at),
        }
        return (json.dumps(written, indent=1, allow_nan=False) + "\n").encode("ascii")


def utc_text(moment: datetime) -> str:
    """Write a time as evidence has it."""
    return moment.astimezone(timezone.utc).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
