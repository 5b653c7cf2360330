"""One setting in s3.properties: our module against lineinfile's, each as it runs on the host."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ansible_modules import packed
from measure import median_seconds, peak_bytes
from tables import megabytes, milliseconds, table, times

if TYPE_CHECKING:
    from collections.abc import Callable

MODULE = Path(__file__).parents[1] / "library/aspera_trapd_sse"
TEMPLATE = "# server-side-encryption=NONE\n"
BLOCK = (
    "# The period after which a bucket is checked again.\n# Default is 900000\n#aspera.dummy-{:06}.frequency=900000\n\n"
)
RUNS = 51
RUNS_OF_LINEINFILE = 11


def properties(size: int) -> str:
    """Give a file of about so many bytes, with the template in the middle of it."""
    blocks = [BLOCK.format(number) for number in range(size // len(BLOCK))]
    middle = len(blocks) // 2
    return "".join([*blocks[:middle], TEMPLATE, *blocks[middle:]])


def run(folder: Path) -> str:
    """Measure and give the report."""
    file = folder / "s3.properties"
    arguments = folder / "arguments.json"
    options = {"path": str(file), "server_side_encryption": "AES256", "_ansible_no_log": True}
    arguments.write_text(json.dumps(options))
    line = {"path": str(file), "regexp": "^#? *server-side-encryption *=", "line": "server-side-encryption=AES256"}
    rows = []
    for name, size in (("4 KB", 4_000), ("1 MB", 1_000_000)):
        before = properties(size)
        after = before.replace(TEMPLATE, "server-side-encryption=AES256\n")
        for state, content in (("changed", before), ("unchanged", after)):

            def prepare(content: str = content) -> None:
                file.write_text(content)

            prepare()
            lineinfile = [sys.executable, packed("lineinfile", line, folder)]
            rows.append(row(name, state, [MODULE, arguments], lineinfile, prepare))
    floor = median_seconds(["/bin/true"], RUNS)
    head = ["s3.properties", "ours", "lineinfile", "less time", "our peak", "lineinfile's", "less memory"]
    return f"{table(head, rows)}\n\nStarting `/bin/true` takes {milliseconds(floor)}, which is in all these times."


def row(name: str, state: str, ours: list, lineinfile: list, prepare: Callable[[], None]) -> list[str]:
    """Measure one file in one state."""
    our_time, our_peak = median_seconds(ours, RUNS, prepare), peak_bytes(ours, prepare)
    their_time, their_peak = median_seconds(lineinfile, RUNS_OF_LINEINFILE, prepare), peak_bytes(lineinfile, prepare)
    return [
        f"{name}, {state}",
        milliseconds(our_time),
        milliseconds(their_time),
        times(their_time / our_time),
        megabytes(our_peak),
        megabytes(their_peak),
        times(their_peak / our_peak),
    ]
