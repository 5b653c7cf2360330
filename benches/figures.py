"""Draws the figures of docs/benchmarks.md from its tables, beside the page: `python3 benches/figures.py [PAGE]`.

A figure is made from what stands in the page and nothing else, so the two always agree (tests/ansible/test_figures.py).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

from chart import Chart, Series

PAGE = Path(__file__).parents[1] / "docs/benchmarks.md"
TIME = re.compile(r"([0-9.,]+) (µs|ms|s)\b")
UNITS = {"µs": 1e-6, "ms": 1e-3, "s": 1.0}
#: The row of the page, and the name of its line. The first is ours.
OF_ROUND_TRIPS = {
    "s3.properties: ours": "ours",
    "s3.properties: ours, first task on a host": "ours, first task on a host",
    "s3.properties: ours without the collection": "ours without the collection",
    "s3.properties: `lineinfile`": "lineinfile",
    "s3.properties: `lineinfile`, pipelined": "lineinfile, pipelined",
    "s3.properties: `lineinfile`, mitogen": "lineinfile, mitogen",
    "`raw: true`": "raw: true (does nothing)",
    "nothing: `raw`": "raw: true (does nothing)",
}

Row = dict[str, str]
Table = list[Row]


def tables(page: str) -> list[Table]:
    """Return the tables of a page in Markdown. Of columns with the same name, the first counts."""
    found = []
    for block in re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE):
        head, _, *rows = (
            [cell.strip() for cell in line.strip().strip("|").split(" | ")] for line in block.splitlines()
        )
        found.append([dict(reversed(list(zip(head, row, strict=True)))) for row in rows])
    return found


def figures(page: str) -> dict[str, str]:
    """Return the figures for which a page has the tables, by the names of their files."""
    makers: dict[str, Callable[[list[Table]], Chart | None]] = {
        "benchmark-round-trips.svg": by_round_trip,
        "benchmark-users.svg": by_users,
        "benchmark-audit.svg": by_users_of_the_audit,
        "benchmark-hosts.svg": by_hosts,
    }
    charts = {name: maker(tables(page)) for name, maker in makers.items()}
    return {name: chart.svg() for name, chart in charts.items() if chart}


def by_round_trip(found: list[Table]) -> Chart | None:
    """Draw the first table of tasks over SSH: those that change a file."""
    table = _first(found, "task", "0 ms")
    if table is None:
        return None
    by_name = {row["task"]: row for row in table}
    trips = [column for column in table[0] if re.fullmatch(r"[0-9]+ ms", column)]
    trips.sort(key=_count)
    series = [
        Series(name, tuple((_count(trip), _seconds(by_name[row][trip])) for trip in trips))
        for row, name in OF_ROUND_TRIPS.items()
        if row in by_name
    ]
    title = "A task over SSH that changes s3.properties, by the round trip to the host"
    return Chart(title, "round trip", tuple(series), x_unit=" ms")


def by_users(found: list[Table]) -> Chart | None:
    """Draw the table of docroots that are set in one task."""
    table = _first(found, "users (changed)", "lxml")
    if table is None:
        return None

    def series(name: str, column: str, ending: str) -> Series:
        rows = [row for row in table if row["users (changed)"].endswith(ending)]
        return Series(name, tuple((_count(row["users (changed)"]), _seconds(row[column])) for row in rows))

    lines = (
        series("ours", "ours", ")"),
        series("ours, nothing to change", "ours", " unchanged"),
        series("lxml", "lxml", ")"),
    )
    return Chart(
        "Docroots of many users in one task, one in ten changed", "users in aspera.conf", lines, x_is_logarithmic=True
    )


def by_users_of_the_audit(found: list[Table]) -> Chart | None:
    """Draw the table of audits of many users."""
    table = _first(found, "users (groups)", "time")
    if table is None:
        return None
    points = tuple((_count(row["users (groups)"]), _seconds(row["time"])) for row in table)
    title = "The audit of a server with many users"
    return Chart(title, "users in aspera.conf", (Series("aspera_sse_info", points),), x_is_logarithmic=True)


def by_hosts(found: list[Table]) -> Chart | None:
    """Draw the table of very many hosts: what goes to 20 of them at once, near the controller."""
    table = _first(found, "playbook", "hosts", "forks", "wall")
    if table is None:
        return None
    points: dict[str, list[tuple[float, float]]] = {}
    for row in table:
        if (row["forks"], row["round trip"]) == ("20", "0 ms"):
            points.setdefault(row["playbook"], []).append((_count(row["hosts"]), _seconds(row["wall"])))
    ours_first = sorted(points, key=lambda name: (name != "audit", name))
    series = tuple(Series(name, tuple(sorted(points[name]))) for name in ours_first)
    title = "A playbook on many hosts, 20 at once, from start to end"
    return Chart(title, "hosts", series, x_is_logarithmic=True) if series else None


def _first(found: list[Table], *columns: str) -> Table | None:
    """Return the first table that has these columns."""
    return next((table for table in found if table and set(columns) <= set(table[0])), None)


def _seconds(cell: str) -> float:
    """Read a time, such as `1,068.5 ms`."""
    number, unit = TIME.match(cell).groups()
    return float(number.replace(",", "")) * UNITS[unit]


def _count(cell: str) -> float:
    """Read the number that a cell begins with, such as that of `1,000 (100)`."""
    return float(re.match(r"[0-9,]+", cell).group().replace(",", ""))


def draw(page: str, folder: Path) -> None:
    """Write the figures of a page to a folder, and remove those for which it has no table."""
    made = figures(page)
    for old in folder.glob("benchmark-*.svg"):
        if old.name not in made:
            old.unlink()
    for name, svg in made.items():
        (folder / name).write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    own_page = Path(sys.argv[1]) if sys.argv[1:] else PAGE
    draw(own_page.read_text(encoding="utf-8"), own_page.parent)
