"""The audit and the role on very many hosts, beside an audit in Python: time, CPU and memory of the controller.

The hosts are names in the inventory, all of one sshd on this machine, each with an Aspera root of its own.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from controller import Controller, controller
from relay import longer_way
from ssh_host import SshHost, ssh_host
from tables import megabytes, table

if TYPE_CHECKING:
    from controller import Run

KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
SETTING = {"server_side_encryption": "AWS_KMS", "kms_key_id": KEY}
#: Fewer for a first look: HOSTS_AT_MOST=100.
HOSTS = int(os.environ.get("HOSTS_AT_MOST", "1000"))
#: The other playbook goes to so many: it would take too long on all of them.
HOSTS_OF_PEER = min(100, HOSTS)
PEER = Path(__file__).with_name("scale_peer.yml")
ROLE = [{"hosts": "all", "gather_facts": False, "roles": ["aspera_ops.sse.aspera_sse"]}]
AUDIT, ROLE_NAME, PEER_NAME = "audit", "role, nothing to change", "audit in Python, pipelined"
ALONE, SIX_ALONE = "`raw: true`", "six times `raw: true`"


def nothing(tasks: int) -> list[dict]:
    """Return a playbook of tasks that do nothing, which is what Ansible itself takes."""
    return [{"hosts": "all", "gather_facts": False, "tasks": [{"ansible.builtin.raw": "true"}] * tasks}]


PLAYBOOKS = {
    AUDIT: "aspera_ops.sse.audit",
    ROLE_NAME: ROLE,
    PEER_NAME: PEER,
    ALONE: nothing(1),
    SIX_ALONE: nothing(6),
}
HEAD = [
    "playbook",
    "hosts",
    "forks",
    "round trip",
    "wall",
    "a host",
    "CPU of the controller",
    "a host",
    "largest process",
]


@dataclass(frozen=True)
class Situation:
    """What runs on how many hosts, with how many forks, and the milliseconds there and back."""

    playbook: str
    hosts: int
    forks: int
    round_trip: int = 0


SITUATIONS = [
    *(Situation(name, HOSTS_OF_PEER, 20, trip) for trip in (0, 50) for name in (PEER_NAME, AUDIT, ROLE_NAME)),
    *(Situation(AUDIT, HOSTS, forks) for forks in (5, 20, 50)),
    Situation(AUDIT, HOSTS, 20, 50),
    Situation(ROLE_NAME, HOSTS, 20),
    *(Situation(name, hosts, 20) for name in (ALONE, SIX_ALONE) for hosts in (HOSTS_OF_PEER, HOSTS)),
]


def run(folder: Path) -> str:
    """Measure and return the report."""
    folder.chmod(0o755)
    with controller(folder) as ansible, ssh_host(folder) as host:
        roots = [host.aspera_root(f"r{number}", KEY).folder for number in range(HOSTS)]
        # What the first task on a host does more is not what a night does.
        measure(ansible, host, roots, Situation(AUDIT, 1, 1))
        rows = [row(one, measure(ansible, host, roots, one)) for one in SITUATIONS]
    return table(HEAD, rows)


def measure(ansible: Controller, host: SshHost, roots: list[Path], situation: Situation) -> Run:
    """Run a playbook with new connections."""
    with longer_way(host.server.port, situation.round_trip / 1000) as relay:
        arguments = ["--forks", str(situation.forks)]
        finished = ansible.run(
            PLAYBOOKS[situation.playbook], inventory(host, relay.own_port, roots, situation), *arguments
        )
        ansible.hang_up()
    return finished


def inventory(host: SshHost, port: int, roots: list[Path], situation: Situation) -> dict:
    """Return an inventory in which each host is the same server with another root."""
    (server,) = host.inventory(port)["all"]["hosts"].values()
    common = {
        "ansible_become": False,
        "ansible_ssh_pipelining": True,
        # Otherwise all names would share one connection.
        "ansible_control_path": "%(directory)s/{{ inventory_hostname }}",
        "aspera_sse_expect": [
            {"server_side_encryption": "AWS_KMS", "kms_key_ids": [KEY], "scopes": ["system", "user acme"]}
        ],
        "aspera_sse_root": "{{ own_root }}",
        "aspera_sse_system": SETTING,
        "aspera_sse_docroots": [{"user": "acme", **SETTING}],
        "aspera_sse_skip": ["trapd"],
        "evidence_dir": str(host.folder / "evidence"),
        "wanted_key": KEY,
    }
    hosts = {f"h{number}": {**server, "own_root": str(root)} for number, root in enumerate(roots[: situation.hosts])}
    return {"all": {"children": {"aspera": {"hosts": hosts}}, "vars": common}}


def row(situation: Situation, finished: Run) -> list[str]:
    """Return the row of one run."""
    return [
        situation.playbook,
        f"{situation.hosts:,}",
        str(situation.forks),
        f"{situation.round_trip} ms",
        f"{finished.wall:.1f} s",
        f"{finished.wall / situation.hosts * 1000:.0f} ms",
        f"{finished.cpu:.1f} s",
        f"{finished.cpu / situation.hosts * 1000:.0f} ms",
        megabytes(finished.peak),
    ]
