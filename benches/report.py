"""The report of very many hosts from their evidence: time, memory, and the sizes of its files."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from controller import Controller, controller
from tables import megabytes, table

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests/ansible"))

from evidence_samples import docroot, evidence, values, violated, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evidence_samples import Evidence

HOSTS = (100, 1_000, 10_000)
DOCROOTS = 10
#: Of so many hosts, one is not as expected.
RED = 50
RUNS = 3
HEAD = ["hosts", "wall", "CPU", "largest process", "report.html", "report.csv", "report.json"]


@dataclass(frozen=True)
class Fleet:
    """So many hosts, and the folder for their evidence and report."""

    hosts: int
    folder: Path

    @property
    def options(self) -> dict[str, object]:
        """The variables of the playbook; the evidence is of a day that stays."""
        return {
            "evidence_dir": str(self.folder / "evidence"),
            "report_dir": str(self.folder / "report"),
            "max_age": "9999d",
            "fail_on": "never",
        }


def run(folder: Path) -> str:
    """Measure and return the report."""
    with controller(folder) as ansible:
        return table(HEAD, [row(ansible, Fleet(hosts, folder / str(hosts))) for hosts in HOSTS])


def row(ansible: Controller, fleet: Fleet) -> list[str]:
    """Return the row of a fleet."""
    write(fleet.folder / "evidence", *all_evidence(fleet.hosts))
    extra = ("--extra-vars", json.dumps(fleet.options))
    runs = [ansible.run("aspera_ops.sse.report", {"all": {"hosts": {}}}, *extra) for _ in range(RUNS)]
    sizes = [megabytes((fleet.folder / f"report/report.{kind}").stat().st_size) for kind in ("html", "csv", "json")]
    wall, cpu = (median(getattr(one, what) for one in runs) for what in ("wall", "cpu"))
    return [f"{fleet.hosts:,}", f"{wall:.1f} s", f"{cpu:.1f} s", megabytes(max(one.peak for one in runs)), *sizes]


def all_evidence(hosts: int) -> Iterator[Evidence]:
    """Return the evidence of hosts with docroots of their own."""
    for number in range(hosts):
        docroots = [docroot(f"tenant{number}-{one}") for one in range(DOCROOTS)]
        yield evidence(f"aspera{number:05}.example.com", values(docroots) if number % RED else violated())
