# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changed since the previous report."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from .regular_file import NotRegularError, read_regular
from .report_host import STATES, HostReport

#: More than the report of any fleet.
SIZE_LIMIT = 1024 * 1024 * 1024


class UnusablePreviousError(Exception):
    """The previous report cannot be compared with; the text says why and what to do."""


@dataclass(frozen=True)
class Before:
    """What the previous report says of a host."""

    state: str
    sums: dict[str, str | None] | None


@dataclass(frozen=True)
class Previous:
    """The previous report."""

    created_at: str
    hosts: dict[str, Before]


@dataclass(frozen=True)
class Change:
    """A host of which the two reports say different things."""

    host: str
    before: str | None
    after: str | None


@dataclass
class Difference:
    """All that changed."""

    since: str
    worse: list[Change] = field(default_factory=list)
    better: list[Change] = field(default_factory=list)
    new: list[Change] = field(default_factory=list)
    #: Hosts that are in no folder and no inventory any more.
    missing: list[Change] = field(default_factory=list)
    #: Hosts of which a configuration file changed, and the state did not.
    edited: list[Change] = field(default_factory=list)


def read_previous(path: Path) -> Previous:
    """Read report.json of an earlier run."""
    try:
        read = json.loads(read_regular(path, SIZE_LIMIT))
        if read["report_version"] != 1 or not isinstance(read["created_at"], str):
            raise ValueError
        return Previous(read["created_at"], {_host(host): _before(host) for host in read["hosts"]})
    except OSError as error:
        raise UnusablePreviousError(f"The previous report {path} cannot be read: {error.strerror}.") from error
    except NotRegularError as error:
        raise UnusablePreviousError(f"The previous report {path} cannot be read: {error}.") from error
    except (KeyError, RecursionError, TypeError, ValueError) as error:
        raise UnusablePreviousError(
            f"{path} is not a report.json of this version, so nothing was compared. Name that of an earlier report as "
            "previous."
        ) from error


def difference(previous: Previous, hosts: list[HostReport]) -> Difference:
    """Compare the hosts of two reports."""
    found = Difference(previous.created_at)
    for host in hosts:
        before = previous.hosts.get(host.host)
        if before is None:
            found.new.append(Change(host.host, None, host.state))
            continue
        change = Change(host.host, before.state, host.state)
        rank = STATES.index(host.state) - STATES.index(before.state)
        if rank:
            (found.worse if rank < 0 else found.better).append(change)
        elif _is_edited(before.sums, host.sums):
            found.edited.append(change)
    now = {host.host for host in hosts}
    found.missing = [Change(host, before.state, None) for host, before in previous.hosts.items() if host not in now]
    return found


def _is_edited(before: dict[str, str | None] | None, after: dict[str, str | None] | None) -> bool:
    """Say whether files changed. Sums under different keys cannot be compared."""
    return bool(before and after) and before != after and (before or {}).get("key") == (after or {}).get("key")


def _host(read: t.Any) -> str:
    if not isinstance(read["host"], str):
        raise TypeError
    return str(read["host"])


def _before(read: t.Any) -> Before:
    sums = read["sums"]
    if read["state"] not in STATES or not isinstance(sums, (dict, type(None))):
        raise ValueError
    return Before(read["state"], sums)
