"""A connection that is lost after the module wrote: the retry of Ansible says what is so, and the restart is found."""

from __future__ import annotations

import shutil
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from host_over_ssh import TRAPD, WARM, Host, encrypt
from ssh_server import LOGIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controllers import Controller
    from ssh_server import SshServer

UNDER_SYSTEMD = Path("/run/systemd/system").is_dir()

#: An ssh that loses the answer of the first command that runs the module, as a connection that breaks does.
LOSING_SSH = """#!/bin/sh
case $* in
*name=aspera_trapd_sse*)
    if mkdir {lost} 2>/dev/null; then
        ssh "$@" >/dev/null 2>&1
        echo "client_loop: send disconnect: Broken pipe" >&2
        exit 255
    fi ;;
esac
exec ssh "$@"
"""


@pytest.fixture
def host(installed: Controller, ssh_server: SshServer, folder: Path) -> Host:
    """Give a host where nothing is kept."""
    folder.chmod(0o755)
    return Host(installed, ssh_server, folder)


@contextmanager
def running_trapd(host: Host) -> Iterator[None]:
    """Run a program of the installation under the name of the service, on the host."""
    program = host.aspera.folder / "sbin/asperatrapd"
    program.parent.mkdir(exist_ok=True)
    shutil.copy(str(shutil.which("sleep")), program)
    program.chmod(0o755)
    host.give_root_to(LOGIN)
    number = host.aspera.folder / "pid"
    start = f"setsid sh -c 'echo $$ >{number}; exec {program} 600' </dev/null >/dev/null 2>&1 &"
    on_host(host, f"{start} until grep -q asperatrapd /proc/$(cat {number})/cmdline; do sleep 0.1; done")
    try:
        yield
    finally:
        on_host(host, f"kill $(cat {number})")


def on_host(host: Host, command: str) -> None:
    """Run a command as the login."""
    screen = host.run({"ansible.builtin.raw": command})
    assert screen.exit_status == 0, screen.text


def test_the_restart_of_a_write_without_an_answer_is_found(host: Host) -> None:
    """The retry finds nothing to do, and a service that still runs with the older file."""
    # A build is kept, so that the one command that is lost is the one that writes.
    assert host.run({TRAPD: {"state": "absent"}}).exit_status == 0
    before = host.aspera.properties.read_bytes()
    losing = host.folder / "losing-ssh"
    lost = host.folder / "lost"
    losing.write_text(LOSING_SSH.format(lost=lost), encoding="ascii")
    losing.chmod(losing.stat().st_mode | stat.S_IXUSR)
    reaching = {"ansible_ssh_executable": str(losing), "ansible_ssh_retries": 2}
    with running_trapd(host):
        sessions = host.server.sessions
        screen = host.run(encrypt(), "-v", **reaching)
        assert lost.is_dir()
        assert host.server.sessions - sessions == 2 * WARM
        assert screen.exit_status == 0, screen.text
        assert host.aspera.properties.read_bytes() != before
        result = screen.result("server")
        assert (result.status, screen.recap["server"]["changed"]) == ("ok", 0)
        assert result.answer["changed"] is False, result.answer
        # Under systemd, this process is of no unit.
        assert result.answer["restart_reason"] == ("outside_unit" if UNDER_SYSTEMD else "pending")
        assert result.answer["restart_required"] is (None if UNDER_SYSTEMD else True)
