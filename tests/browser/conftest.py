"""A browser for all tests. Where selenium is not installed, which other runs do not need, there is nothing to run."""

from __future__ import annotations

import importlib.util
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from chromium import ReportPage
    from selenium.webdriver import Chrome

collect_ignore_glob = [] if importlib.util.find_spec("selenium") else ["test_*.py"]


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """Run one browser for all tests."""
    from chromium import running_chromium

    with running_chromium(tmp_path_factory.mktemp("chromium")) as driver:
        yield driver


@pytest.fixture
def opened(driver: Chrome, tmp_path: Path) -> Iterator[Callable[..., ReportPage]]:
    """Give a function that opens the page of a report on hosts; the browser is as it was afterwards."""
    from chromium import ReportPage, page

    yield lambda *hosts, **arguments: ReportPage(
        driver, page(Path(tempfile.mkdtemp(dir=tmp_path)), *hosts, **arguments)
    )
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    driver.set_window_size(1200, 900)
    driver.get("about:blank")
    driver.get_log("browser")


@pytest.fixture(scope="session")
def axe() -> str:
    """Give the script of axe-core."""
    from chromium import AXE, PROJECT

    subprocess.run((PROJECT / "scripts/axe.sh",), check=True)
    return AXE.read_text(encoding="utf-8")
