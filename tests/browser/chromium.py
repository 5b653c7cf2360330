"""A Chromium without a screen, and pages of reports for it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

sys.path.append(str(Path(__file__).resolve().parents[1] / "ansible"))
import evidence_samples as samples
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.report_difference import read_previous
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.report_page import page_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ansible_collections.aspera_ops.sse.plugins.plugin_utils.evidence_file import Evidence
    from selenium.webdriver import Chrome

PROJECT = Path(__file__).resolve().parents[2]
AXE = PROJECT / "target/axe/node_modules/axe-core/axe.min.js"
ARGUMENTS = (
    "--headless=new",
    # Root has no other way.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--hide-scrollbars",
    "--no-first-run",
    # Nothing here is for a network.
    "--host-resolver-rules=MAP * ~NOTFOUND",
)


@contextmanager
def running_chromium(folder: Path) -> Iterator[Chrome]:
    """Run Chromium with a profile of its own."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for argument in (*ARGUMENTS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    environment = {**os.environ, "HOME": str(folder)}
    driver = webdriver.Chrome(options, Service(shutil.which("chromedriver"), env=environment))
    try:
        driver.set_window_size(1200, 900)
        yield driver
    finally:
        driver.quit()


def page(folder: Path, *hosts: Evidence, before: tuple[Evidence, ...] = (), **arguments: Any) -> Path:
    """Write the page of a report on hosts, compared with one on what was before."""
    folder.mkdir(parents=True, exist_ok=True)
    if before:
        samples.write(folder / "before", *before)
        previous = folder / "report.json"
        previous.write_text(json.dumps(samples.report(folder / "before").as_json()), encoding="ascii")
        arguments["previous"] = read_previous(previous)
    if hosts:
        samples.write(folder / "evidence", *hosts)
    made = samples.report(folder / "evidence", **arguments)
    path = folder / "report.html"
    path.write_bytes(page_of(made, "0.3.0"))
    return path


class ReportPage:
    """A page as a person uses it."""

    def __init__(self, driver: Chrome, path: Path) -> None:
        """Open it."""
        self.driver = driver
        driver.get(path.as_uri())

    def all(self, selector: str) -> list[Any]:
        """Find elements."""
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> Any:
        """Find the only element."""
        (element,) = self.all(selector)
        return element

    def run(self, script: str, *arguments: object) -> Any:
        """Run a script in the page, which its own policy does not keep a driver from."""
        return self.driver.execute_script(script, *arguments)

    @property
    def shown(self) -> list[str]:
        """The hosts that are shown, in their order."""
        script = "return [...document.querySelectorAll('#all > tbody')].filter((b) => b.checkVisibility())"
        return self.run(f"{script}.map((b) => b.rows[0].cells[1].textContent)")

    def choose(self, field: str, value: str) -> None:
        """Choose a value of a filter."""
        Select(self.one(f"#{field}")).select_by_value(value)

    def write(self, text: str) -> None:
        """Write the text to filter by."""
        field = self.one("#text")
        field.clear()
        field.send_keys(text)

    @property
    def columns(self) -> dict[str, str | None]:
        """The columns, and how each is sorted."""
        return {head.text.strip(): head.get_attribute("aria-sort") for head in self.all("#all > thead th")}

    def sort(self, column: str) -> Any:
        """Press the head of a column, and return it."""
        (button,) = [button for button in self.all("#all > thead button") if button.text == column]
        button.click()
        return button

    def said(self) -> list[str]:
        """Return what the browser has complained about."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def media(self, media: str = "", scheme: str = "light") -> None:
        """Show it as on paper, or in the dark."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})
