"""Which run of the tests a test belongs to, what it needs of the machine, and which tests share a process.

All of it follows from the fixtures of a test and the folder that it is in, so that a new test needs no marks:

- `make test-collection` runs what takes another ansible-core than the newest;
- `make test-collection` runs `tests/browser`, too, with Python packages of its own;
- `make test-vm` runs `tests/vm`;
- `make test-hosts` runs what takes the SSH server with logins of its own, and `tests/faults`;
- `make test` runs all others.

A test that needs more than its fixtures do says so: `@pytest.mark.needs("root", "busybox")`.
"""

from __future__ import annotations

import contextlib
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import machine
import pytest
import temporary

if TYPE_CHECKING:
    from collections.abc import Iterable

TESTS = Path(__file__).resolve().parent

#: What fixtures need. The values of `connection` stand here, too.
NEEDS = {
    "ssh": ("own login", "setpriv", "ssh", "ssh-keygen", "sshd"),
    "ssh_server": ("root", "namespaces", "openssl", "setpriv", "ssh", "ssh-keygen", "sshd", "sudo", "tcsh"),
    "ascp": ("cc",),
}
NEEDS["sudo"] = NEEDS["ssh_server"]
NEEDS_OF_FAULTS = ("root", "namespaces", "chattr", "prlimit", "setfacl", "strace")
NEEDS_OF_GUESTS = ("apt-get", "dpkg-deb", "tar")

#: Fixtures with the version of ansible-core as their parameter.
VERSIONED = ("controller", "each_controller", "installed", "under_aws", "under_mitogen", "under_runner")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marks, and make one folder for all temporary files of the processes of this run."""
    config.addinivalue_line("markers", "needs(*names): what a test needs of the machine, see tests/machine.py")
    config.addinivalue_line("markers", "hosts: part of `make test-hosts`; set by tests/conftest.py")
    config.addinivalue_line("markers", "vm: part of `make test-vm`; set by tests/conftest.py")
    config.addinivalue_line("markers", "collection: part of `make test-collection`; set by tests/conftest.py")
    if not hasattr(config, "workerinput"):
        # Without this, the process would end where it is, and nothing would be cleaned up.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        stack = contextlib.ExitStack()
        config.add_cleanup(stack.close)
        folder = stack.enter_context(temporary.folder())
        stack.enter_context(pytest.MonkeyPatch.context()).setenv("TMPDIR", str(folder))
        # It is looked up anew.
        tempfile.tempdir = None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test before marks select among them."""
    for item in items:
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        used = {*item.fixturenames, parameters.get("connection")}
        is_fault = item.path.is_relative_to(TESTS / "faults")

        is_in_guest = item.path.is_relative_to(TESTS / "vm")

        if is_in_guest:
            item.add_marker("vm")
        elif {parameters.get(fixture, "newest") for fixture in VERSIONED} != {"newest"}:
            item.add_marker("collection")
        elif is_fault or used & {"ssh_server", "sudo"}:
            item.add_marker("hosts")

        needs = [*NEEDS_OF_FAULTS] if is_fault else [*NEEDS_OF_GUESTS] if is_in_guest else []
        for fixture, of_fixture in NEEDS.items():
            needs += of_fixture if fixture in used else ()
        for mark in item.iter_markers("needs"):
            needs += mark.args
        if reason := machine.reason_to_skip(tuple(needs)):
            item.add_marker(pytest.mark.skip(reason=reason))

        if group := group_of(item, parameters):
            item.add_marker(pytest.mark.xdist_group(group))


def group_of(item: pytest.Item, parameters: dict[str, object]) -> str | None:
    """Name the tests that must run in one process: those that share what takes long to make."""
    # One server for all tests: as root, it needs a folder that the whole machine shares.
    if parameters.get("connection") == "ssh":
        return "ssh"
    definitions = item._fixtureinfo.name2fixturedefs.values()
    if "installed" in parameters or any(found[-1].scope == "module" for found in definitions):
        parts = [str(parameters[name]) for name in (*VERSIONED, "connection") if name in parameters]
        return "-".join([item.path.stem, *parts])
    return None


@pytest.fixture
def count(record_property: pytest.fixture) -> object:
    """Give a function that notes how many points of a kind were tried and survived."""
    return record_property


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end how much was tried."""
    counts: dict[str, int] = {}
    for kind, number in properties(terminalreporter.stats.get("passed", [])):
        counts[kind] = counts.get(kind, 0) + number
    for kind, number in counts.items():
        terminalreporter.write_line(f"{kind}: {number} tried, {number} survived")


def properties(reports: Iterable[pytest.TestReport]) -> Iterable[tuple[str, int]]:
    """Collect what tests have noted, in whichever process they ran."""
    return (noted for report in reports for noted in report.user_properties)
