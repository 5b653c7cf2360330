"""What the tests in virtual machines need of this machine: Debian's packages, which are fetched once."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import packages
import pytest
from guest import accelerator

# The controllers are those of the tests of playbooks.
sys.path.append(str(Path(__file__).resolve().parents[1] / "ansible"))
from controllers import PROJECT, Controller


@pytest.fixture(scope="session", autouse=True)
def debian_packages() -> None:
    """Fetch what boots a guest, or leave the tests out, with the reason."""
    try:
        packages.tool("qemu-system-x86_64")
        packages.kernel()
        packages.busybox()
    except packages.NoPackagesError as error:
        pytest.skip(f"needs Debian's packages of QEMU and kernels: {error}")


@pytest.fixture(scope="session")
def installed() -> Controller:
    """Give the newest ansible-core, with the collection as `make dist` built it."""
    home = Path(tempfile.mkdtemp())
    (home / "ansible.cfg").write_text("[defaults]\nnocows = true\n", encoding="utf-8")
    controller = Controller("newest", home, home / "collections")
    (built,) = (PROJECT / "target/dist").glob("*.tar.gz")
    screen = controller.run("ansible-galaxy", "collection", "install", built)
    assert screen.exit_status == 0, screen.text
    return controller


def pytest_report_header() -> str:
    """Say what runs the guests."""
    return f"guests: {accelerator('x86_64')}"
