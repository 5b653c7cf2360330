"""Runs all benchmarks and prints what docs/benchmarks.md holds."""

from __future__ import annotations

import datetime
import os
import platform
import tempfile
from pathlib import Path

import docroots
import trapd


def main() -> None:
    """Print the page."""
    with tempfile.TemporaryDirectory(prefix="aspera-sse-bench-") as folder:
        print(
            (Path(__file__).with_name("page.md").read_text()).format(
                date=datetime.datetime.now(datetime.UTC).date(),
                cores=os.cpu_count(),
                machine=platform.machine(),
                kernel=platform.release(),
                python=platform.python_version(),
                trapd=trapd.run(Path(folder)),
                docroots=docroots.run(Path(folder)),
            )
        )


if __name__ == "__main__":
    main()
