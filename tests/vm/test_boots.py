"""Hosts that boot for real, with systemd or sysvinit as their first process, and the role over their sshd."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from booted import booted
from controllers import PROJECT
from playing import INFO, ROLE, SETTINGS, TRAPD, play
from roots import SYSTEMD, SYSVINIT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from booted import BootedHost
    from controllers import Controller

pytestmark = pytest.mark.needs("root", "namespaces", "mmdebstrap", "ssh", "ssh-keygen")

SERVICES = ("asperatrapd", "asperanoded")
LOADED = " && ".join(f"[ -e /run/{service}.loaded ]" for service in SERVICES)


@pytest.fixture(scope="module")
def systemd() -> Iterator[BootedHost]:
    """Boot a host with systemd."""
    with booted(SYSTEMD) as host:
        assert host.ask("cat /proc/1/comm") == "systemd"
        host.wait_for(LOADED)
        yield host


@pytest.fixture(scope="module")
def sysvinit() -> Iterator[BootedHost]:
    """Boot a host with sysvinit."""
    with booted(SYSVINIT) as host:
        assert host.ask("cat /proc/1/comm; readlink /proc/1/exe").split() == ["init", "/usr/sbin/init"]
        host.wait_for(LOADED)
        yield host


def encrypt(controller: Controller, host: BootedHost, encryption: str) -> tuple[bool, object, object]:
    """Set the encryption of the server; return whether that was a change, whether a restart is required, and why."""
    task = {TRAPD: {"server_side_encryption": encryption}}
    screen = play(controller, host, {"tasks": [task]}, "-v")
    assert screen.exit_status == 0, screen.text
    answer = screen.result("guest").answer
    return answer["changed"], answer["restart_required"], answer["restart_reason"]


def restart(host: BootedHost, service: str) -> None:
    """Restart a service as an operator does, and wait until it has loaded its file again."""
    host.ask(f"rm /run/{service}.loaded; service {service} stop; service {service} start")
    host.wait_for(f"[ -e /run/{service}.loaded ]")


def starts(host: BootedHost) -> list[int]:
    """Count the starts of each service since the boot."""
    return [int(host.ask(f"wc -l </run/{service}.starts")) for service in SERVICES]


@pytest.mark.parametrize("init", ["systemd", "sysvinit"])
def test_the_role_and_the_restarts(init: str, installed: Controller, request: pytest.FixtureRequest) -> None:
    """Each service restarts once; a later change is due until its service was restarted, whoever restarts it."""
    host = request.getfixturevalue(init)
    assert starts(host) == [1, 1]
    first = play(installed, host, {"roles": [ROLE]}, **SETTINGS)
    assert first.exit_status == 0, first.text
    host.wait_for("grep -q server-side-encryption=AWS_KMS /run/asperatrapd.loaded")
    host.wait_for("grep -q server-side-encryption=AWS_KMS /run/asperanoded.loaded")
    assert starts(host) == [2, 2]
    second = play(installed, host, {"roles": [ROLE]}, **SETTINGS)
    assert (second.exit_status, second.recap["guest"]["changed"]) == (0, 0), second.text
    assert starts(host) == [2, 2]

    assert encrypt(installed, host, "AES256") == (True, True, "changed")
    assert encrypt(installed, host, "AES256") == (False, True, "pending")
    restart(host, "asperatrapd")
    assert encrypt(installed, host, "AES256") == (False, False, None)
    assert starts(host) == [3, 2]


def test_a_service_that_failed(systemd: BootedHost, installed: Controller) -> None:
    """The audit does not take it for one that was stopped."""
    program = "/opt/aspera/sbin/asperanoded.sh"
    systemd.ask(f"cp {program} /root/kept && printf '#!/bin/sh\\nexit 3\\n' >{program}")
    systemd.run("systemctl restart asperanoded")
    systemd.wait_for("systemctl is-failed asperanoded")
    look = {INFO: {"expect": [{"server_side_encryption": "AES256"}]}}
    answer = play(installed, systemd, {"tasks": [look]}, "-v").result("guest").answer
    systemd.ask(f"cp /root/kept {program} && systemctl restart asperanoded")
    assert answer["services"]["asperanoded"]["state"] == "failed"
    assert [one["reason"] for one in answer["incomplete"] if "asperanoded" in one["where"]] == ["failed"], answer
    assert answer["compliant"] is not True


def test_units_that_systemd_makes_from_scripts(systemd: BootedHost, installed: Controller) -> None:
    """As on hosts where the vendor's package brings scripts for System V."""
    for service in SERVICES:
        systemd.ask(f"systemctl disable --now {service}; rm /etc/systemd/system/{service}.service /run/{service}.*")
        systemd.put(f"/etc/init.d/{service}", _script(service))
        systemd.ask(f"ln -sf ../init.d/{service} /etc/rc3.d/S80{service}")
    systemd.ask("systemctl daemon-reload && systemctl start asperatrapd asperanoded")
    systemd.wait_for(LOADED)
    assert "systemd-sysv-generator" in systemd.ask("systemctl cat asperatrapd")
    assert encrypt(installed, systemd, "NONE") == (True, True, "changed")
    assert encrypt(installed, systemd, "NONE") == (False, True, "pending")
    done = play(
        installed,
        systemd,
        {"roles": [ROLE]},
        aspera_sse_settle_seconds=2,
        aspera_sse_system={"server_side_encryption": "AES256"},
    )
    assert done.exit_status == 0, done.text
    assert starts(systemd)[0] == 2
    assert encrypt(installed, systemd, "AES256") == (False, False, None)


def test_a_clock_that_was_set_back(systemd: BootedHost, installed: Controller) -> None:
    """The last test on this host. The file looks older than the service, so the restart is due until it was made."""
    restart(systemd, "asperatrapd")
    systemd.ask("date --set='2 hours ago'")
    assert encrypt(installed, systemd, "NONE")[1:] == (True, "changed")
    assert encrypt(installed, systemd, "NONE") == (False, True, "clock_set")
    restart(systemd, "asperatrapd")
    assert encrypt(installed, systemd, "NONE") == (False, False, None)


def _script(service: str) -> bytes:
    """Return the script of a service, as the hosts of Molecule have it."""
    return (PROJECT / "molecule/hosts/files/script").read_bytes().replace(b"SERVICE", service.encode())
