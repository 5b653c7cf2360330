"""Runs the benchmarks, prints docs/benchmarks.md and draws its figures, or prints the named parts of it."""

from __future__ import annotations

import datetime
import importlib
import os
import platform
import signal
import sys
import tempfile
from pathlib import Path

from figures import PAGE, draw

PARTS = ("trapd", "docroots", "audit", "memory", "objects", "access_keys", "over_ssh", "fleet", "scale", "report")


def main(names: list[str]) -> None:
    """Print the page, or some parts of it."""
    if unknown := set(names) - set(PARTS):
        sys.exit(f"There is no part {', '.join(sorted(unknown))}. The parts are {', '.join(PARTS)}.")
    reports = {name: report_of(name) for name in names or PARTS}
    if names:
        print("\n\n".join(reports.values()))
        return
    page = (Path(__file__).with_name("page.md").read_text()).format(
        date=datetime.datetime.now(datetime.UTC).date(),
        cores=os.cpu_count(),
        machine=platform.machine(),
        kernel=platform.release(),
        python=platform.python_version(),
        **reports,
    )
    print(page)
    draw(page, PAGE.parent)


def report_of(name: str) -> str:
    """Run one part in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="aspera-sse-bench-") as folder:
        return importlib.import_module(name).run(Path(folder))


if __name__ == "__main__":
    # Whoever ends this has its temporary folder removed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    main(sys.argv[1:])
