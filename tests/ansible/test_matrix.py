"""Every way of connecting, with every controller: where a task stands, what the host is like."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from matrix import HOSTS, PLACES, chosen, pairwise, whole
from matrix_hosts import run_in, running_servers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from controllers import Controller
    from ssh_server import SshServer

# All of it runs with every ansible-core, the newest as well.
pytestmark = pytest.mark.collection

FALLBACK = "is sent to the host for this task alone, since "


@pytest.fixture(scope="module")
def servers(ssh_server: SshServer, sandbox: Path) -> Iterator[dict[str, SshServer]]:
    """Run an sshd for each kind of host. What the common one needs of the machine, these need."""
    del ssh_server
    with running_servers(sandbox) as running:
        yield running


def test_all_pairs_of_values_meet() -> None:
    """They are fewer cells than all, and there is none twice."""
    cells = list(pairwise())
    assert len(set(cells)) == len(cells) < len(set(whole()))
    for one, other in itertools.combinations(range(3), 2):
        assert {(cell[one], cell[other]) for cell in cells} == {(cell[one], cell[other]) for cell in whole()}


@pytest.mark.needs("doas")
@pytest.mark.parametrize("place", PLACES)
def test_each_way_of_connecting(
    place: str,
    installed: Controller,
    servers: dict[str, SshServer],
    folder: Path,
    count: Callable[[str, int], None],
) -> None:
    """The setting is made, with a kept build where one can be used, and else in Ansible's own way."""
    folder.chmod(0o755)
    hosts = [cell.host for cell in sorted(chosen()) if (cell.controller, cell.place) == (installed.name, place)]
    run = run_in(place, hosts, installed, servers, folder)
    said = run.screen.as_one_line
    assert run.screen.exit_status == 0, run.screen.text
    for host in hosts:
        assert run.encrypts(host), f"{host}: {run.screen.text}"
        reason = "it is asynchronous" if place == "async" else HOSTS[host].closed
        reasons = reason.split("|") if reason else []
        name = host.replace(" ", "-")
        sent = [f"{name}> aspera_trapd_sse {FALLBACK}{reason}" in said for reason in reasons]
        assert any(sent) is bool(reason), f"{host}: {run.screen.text}"
        assert reason or f"{name}> aspera_trapd_sse {FALLBACK}" not in said, run.screen.text
    count("ways of connecting", len(hosts))
