"""The controllers, and the ways in which they reach their hosts."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import temporary
from controllers import PROJECT, Controller
from ssh_server import SshServer, running_own_ssh_server, running_ssh_server

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def sandbox() -> Path:
    """Give a folder that every user may enter, with a path short enough for sockets."""
    path = Path(tempfile.gettempdir(), os.environ.get("PYTEST_XDIST_WORKER", "main"))
    path.mkdir()
    path.chmod(0o755)
    return path


@pytest.fixture
def folder(request: pytest.FixtureRequest, sandbox: Path) -> Path:
    """Give a test a folder of its own."""
    folder = Path(tempfile.mkdtemp(dir=sandbox))
    # Builds for this machine are kept in the project. What the SSH server keeps goes with the server.
    uses_collection = {"installed", "under_runner"} & set(request.fixturenames)
    if uses_collection and "ssh_server" not in request.fixturenames:
        kept = request.getfixturevalue("kept_builds")
        (folder / "group_vars").mkdir()
        (folder / "group_vars/all.yml").write_text(f"aspera_sse_cache_folder: {kept}\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def kept_builds() -> Iterator[Path]:
    """Give a folder to which nobody else may write on the way, which a temporary one is not."""
    place = PROJECT / "target"
    place.mkdir(exist_ok=True)
    with temporary.folder(place=place) as folder:
        yield folder


@pytest.fixture(scope="session", params=["newest", "oldest"])
def controller(request: pytest.FixtureRequest, sandbox: Path) -> Controller:
    """Give the newest ansible-core that this Python runs, and the oldest that is supported."""
    home = sandbox / f"home-{request.param}"
    home.mkdir(mode=0o700, exist_ok=True)
    return Controller(request.param, home)


@pytest.fixture(scope="session", params=["newest", "2.19", "2.18", "oldest"])
def installed(request: pytest.FixtureRequest, sandbox: Path) -> Controller:
    """Give every series of ansible-core in use, with the collection as `make dist` built it."""
    home = sandbox / f"c-{request.param}"
    home.mkdir(mode=0o700, exist_ok=True)
    return with_collection(Controller(request.param, home, home / "collections"), "[defaults]\nnocows = true\n")


@pytest.fixture(scope="session", params=["mitogen"])
def under_mitogen(request: pytest.FixtureRequest, sandbox: Path) -> Controller:
    """Give an ansible-core that reaches its hosts by mitogen, with the collection as `make dist` built it."""
    home = sandbox / f"c-{request.param}"
    home.mkdir(mode=0o700, exist_ok=True)
    (plugins,) = (PROJECT / "target/venv/ansible-mitogen").glob("lib/*/site-packages/ansible_mitogen/plugins/strategy")
    settings = f"[defaults]\nnocows = true\nstrategy = mitogen_linear\nstrategy_plugins = {plugins}\n"
    return with_collection(Controller(request.param, home, home / "collections"), settings)


@pytest.fixture(scope="session", params=["aws"])
def under_aws(request: pytest.FixtureRequest, sandbox: Path) -> Controller:
    """Give an ansible-core with the collections for AWS, and a stand-in for AWS beside it."""
    home = sandbox / f"c-{request.param}"
    home.mkdir(mode=0o700, exist_ok=True)
    return Controller(request.param, home)


@pytest.fixture(scope="session", params=["runner"])
def under_runner(request: pytest.FixtureRequest, sandbox: Path) -> Controller:
    """Give an ansible-core with ansible-runner and ansible-builder, and the collection as `make dist` built it."""
    home = sandbox / f"c-{request.param}"
    home.mkdir(mode=0o700, exist_ok=True)
    return with_collection(Controller(request.param, home, home / "collections"), "[defaults]\nnocows = true\n")


def with_collection(controller: Controller, settings: str) -> Controller:
    """Install the collection for a controller."""
    (controller.home / "ansible.cfg").write_text(settings, encoding="utf-8")
    (built,) = (PROJECT / "target/dist").glob("*.tar.gz")
    screen = controller.run("ansible-galaxy", "collection", "install", built)
    assert screen.exit_status == 0, screen.text
    return controller


@pytest.fixture(scope="session")
def ssh_server(sandbox: Path) -> Iterator[SshServer]:
    """Run a real sshd for the session."""
    folder = sandbox / "sshd"
    folder.mkdir(mode=0o755)
    with running_ssh_server(folder) as server:
        yield server


@pytest.fixture(scope="session")
def ssh_server_variables(ssh_server: SshServer) -> dict[str, object]:
    """Give what Ansible needs to log in to it."""
    return ssh_server.inventory_variables


@pytest.fixture(scope="session")
def own_ssh_server(sandbox: Path) -> Iterator[SshServer]:
    """Run a real sshd that lets in whoever runs the tests."""
    folder = sandbox / "own-sshd"
    folder.mkdir(mode=0o755)
    with running_own_ssh_server(folder) as server:
        yield server


@pytest.fixture(scope="session", params=["local", "ssh", "sudo"])
def connection(request: pytest.FixtureRequest, sandbox: Path) -> dict[str, object]:
    """Give the inventory variables of a way to reach a host: local or over SSH as oneself, or over SSH with sudo."""
    if request.param == "local":
        return {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "ansible_async_dir": str(sandbox / "async"),
        }
    if request.param == "ssh":
        server = request.getfixturevalue("own_ssh_server")
        return {
            **server.inventory_variables,
            "ansible_python_interpreter": sys.executable,
            # The home of the login, which Ansible takes from its account, is that of a person.
            "ansible_remote_tmp": str(server.folder / "remote-tmp"),
            # Only root may give a terminal to a session.
            "ansible_ssh_use_tty": False,
        }
    return {**request.getfixturevalue("ssh_server_variables"), "ansible_become": True}
