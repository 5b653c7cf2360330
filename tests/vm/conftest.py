"""What the tests in virtual machines need of this machine: Debian's packages, which are fetched once."""

from __future__ import annotations

import packages
import pytest
from guest import accelerator


@pytest.fixture(scope="session", autouse=True)
def debian_packages() -> None:
    """Fetch what boots a guest, or leave the tests out, with the reason."""
    try:
        packages.tool("qemu-system-x86_64")
        packages.kernel()
        packages.busybox()
    except packages.NoPackagesError as error:
        pytest.skip(f"needs Debian's packages of QEMU and kernels: {error}")


def pytest_report_header() -> str:
    """Say what runs the guests."""
    return f"guests: {accelerator('x86_64')}"
