"""Takes the pictures of the page in docs/: screenshots.py FOLDER. They are looked at before they are committed."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from chromium import ReportPage, page, running_chromium, samples

PICTURES = {
    "report-proven": (samples.fleet(1000), "light"),
    "report-not-proven": ([*samples.fleet(1000, reds=9), samples.unreachable("aspera-lost.eu.example.com")], "light"),
    "report-nothing": ([], "light"),
    "report-dark": ([*samples.fleet(12, reds=3)], "dark"),
}


def main(target: Path) -> None:
    """Take them."""
    with tempfile.TemporaryDirectory() as work, running_chromium(Path(work)) as driver:
        driver.set_window_size(960, 760)
        for name, (hosts, scheme) in PICTURES.items():
            opened = ReportPage(driver, page(Path(work, name), *hosts))
            opened.media(scheme=scheme)
            if scheme == "dark":
                opened.run(
                    "document.querySelectorAll('#all details').forEach((one, index) => { one.open = index < 2 })"
                )
                opened.run("document.getElementById('hosts').scrollIntoView()")
            driver.save_screenshot(str(target / f"{name}.png"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
