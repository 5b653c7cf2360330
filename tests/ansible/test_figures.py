"""The figures of the benchmarks show what the tables say, in text that can be read and on any page."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

from controllers import PROJECT

DOCS = PROJECT / "docs"
PAGE = (DOCS / "benchmarks.md").read_text(encoding="utf-8")
SVG = "{http://www.w3.org/2000/svg}"
HOSTS = """
| playbook | hosts | forks | round trip | wall | a host | CPU of the controller | a host | largest process |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| audit in Python, pipelined | 100 | 20 | 0 ms | 90.0 s | 900 ms | 1.0 s | 10 ms | 1.0 MB |
| audit | 100 | 20 | 0 ms | 10.0 s | 100 ms | 1.0 s | 10 ms | 1.0 MB |
| audit | 1,000 | 5 | 0 ms | 400.0 s | 400 ms | 1.0 s | 10 ms | 1.0 MB |
| audit | 1,000 | 20 | 0 ms | 100.0 s | 100 ms | 1.0 s | 10 ms | 1.0 MB |
"""


def figures_of(page: str, folder: Path) -> dict[str, str]:
    """Return the figures that are drawn of a page."""
    path = folder / "benchmarks.md"
    path.write_text(page, encoding="utf-8")
    subprocess.run([sys.executable, PROJECT / "benches/figures.py", path], check=True)
    return figures_in(folder)


def figures_in(folder: Path) -> dict[str, str]:
    """Read the figures in a folder."""
    return {path.name: path.read_text(encoding="utf-8") for path in folder.glob("benchmark-*.svg")}


def test_figures_show_the_tables_of_the_page(tmp_path: Path) -> None:
    """After an edit of a table, `python3 benches/figures.py` draws them anew."""
    drawn = figures_in(DOCS)
    assert drawn == figures_of(PAGE, tmp_path)
    assert {"benchmark-round-trips.svg", "benchmark-users.svg"} <= set(drawn)
    assert [name for name in drawn if f"]({name})" not in PAGE] == []


def test_another_number_in_a_table_is_another_figure(tmp_path: Path) -> None:
    """A figure that ignored its table would pass the test above."""
    changed = re.sub(r"(?m)^(\| 10,000 \(1,000\) \|) [0-9.]+ ms", r"\1 99.9 ms", PAGE)
    assert changed != PAGE
    first = figures_of(PAGE, tmp_path)
    then = figures_of(changed, tmp_path)
    assert {name for name in first if first[name] != then[name]} == {"benchmark-users.svg"}


def test_a_page_without_tables_has_no_figures(tmp_path: Path) -> None:
    """Of a part that is no longer measured, the figure goes."""
    assert figures_of(PAGE, tmp_path) != {}
    assert figures_of("# Benchmarks\n", tmp_path) == {}


def test_figures_are_text_within_their_edges(tmp_path: Path) -> None:
    """Nothing is cut off, names do not cover one another, and light and dark pages have colours."""
    drawn = figures_of(PAGE + HOSTS, tmp_path)
    assert "benchmark-hosts.svg" in drawn
    for name, svg in drawn.items():
        check_texts(name, svg)


def check_texts(name: str, svg: str) -> None:
    """Check the texts of a figure, with a letter taken to be 8 pixels wide and 12 high."""
    root = ElementTree.fromstring(svg)  # noqa: S314
    width, height = float(root.get("width", "")), float(root.get("height", ""))
    places = []
    for one in root.iter(f"{SVG}text"):
        x, y, text = float(one.get("x", "")), float(one.get("y", "")), one.text or ""
        long = 8 * len(text)
        start = x - {"middle": long / 2, "end": long}.get(one.get("text-anchor", ""), 0)
        assert start >= 0, (name, text)
        assert one.get("class") == "title" or start + long <= width, (name, text)
        assert 12 <= y <= height, (name, text)
        places.append((start, start + long, y, text))
    for index, (start, end, y, text) in enumerate(places):
        for other_start, other_end, other_y, other in places[:index]:
            assert start >= other_end or end <= other_start or abs(y - other_y) >= 12, (name, text, other)
    assert root.findtext(f"{SVG}title") in {text for *_, text in places}
    assert "prefers-color-scheme: dark" in svg


def test_points_lie_where_their_numbers_are(tmp_path: Path) -> None:
    """Ten times the hosts and ten times the seconds are as far apart as the axes say."""
    root = ElementTree.fromstring(figures_of(HOSTS, tmp_path)["benchmark-hosts.svg"])  # noqa: S314
    (line,) = (one for one in root.iter(f"{SVG}polyline") if "ours" in one.get("class", ""))
    (near, first), (far, last) = (map(float, point.split(",")) for point in line.get("points", "").split())
    marks = {
        one.text: float(one.get("y", "")) - 4 for one in root.iter(f"{SVG}text") if "end" in one.get("text-anchor", "")
    }
    assert (first, last) == (marks["10 s"], marks["100 s"])
    places = {
        one.text: float(one.get("x", "")) for one in root.iter(f"{SVG}text") if one.get("text-anchor") == "middle"
    }
    assert (near, far) == (places["100"], places["1,000"])
