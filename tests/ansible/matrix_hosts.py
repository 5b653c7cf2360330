"""Makes the hosts of the matrix, each with an Aspera root of its own behind a real sshd."""

from __future__ import annotations

import contextlib
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from aspera_roots import KEY, AsperaRoot
from controllers import PROJECT
from matrix import HOSTS, PLACES, ROLE, ROOT, SETTING, TRAPD, TWIN
from ssh_server import SshServer, running_ssh_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controllers import Controller, Screen


@contextlib.contextmanager
def running_servers(folder: Path) -> Iterator[dict[str, SshServer]]:
    """Start an sshd for each kind of host. Those to which nothing is done share one."""
    scripts = sorted({kind.script for kind in HOSTS.values()})
    with contextlib.ExitStack() as stack:
        servers = {}
        for script in scripts:
            # The fixture may be made more than once in a process, as the order of the tests has it.
            place = Path(tempfile.mkdtemp(prefix="sshd-", dir=folder))
            place.chmod(0o755)
            servers[script] = stack.enter_context(running_ssh_server(place, script))
        yield {name: servers[kind.script] for name, kind in HOSTS.items()}


def add_collections(controller: Controller) -> None:
    """Give a controller a collection with a role that imports ours, and the one that brings doas."""
    assert controller.collections
    content = controller.collections / "ansible_collections"
    role = content / "example/site/roles/server/tasks"
    if role.exists():
        return
    role.mkdir(parents=True)
    (content / "example/site/galaxy.yml").write_text(
        # All keys that a collection must have: ansible-galaxy reads them when it installs another one beside it.
        "namespace: example\nname: site\nversion: 1.0.0\nreadme: README.md\nauthors: [nobody]\n",
        encoding="utf-8",
    )
    tasks = [{"name": "Encrypt", "ansible.builtin.import_role": {"name": ROLE}}]
    (role / "main.yml").write_text(yaml.safe_dump(tasks), encoding="utf-8")
    general = next((PROJECT / "target/venv").glob("*/lib/*/site-packages/ansible_collections/community/general"))
    (content / "community").mkdir(exist_ok=True)
    if not (content / "community/general").exists():
        (content / "community/general").symlink_to(general)


@dataclass
class Run:
    """What came of one command on some hosts: what it showed, and the Aspera roots."""

    screen: Screen
    roots: dict[str, AsperaRoot]

    def encrypts(self, host: str) -> bool:
        """Say whether the uploads of a host are encrypted."""
        return KEY in self.roots[host].properties.read_text(encoding="utf-8")


def run_in(place: str, hosts: list[str], controller: Controller, servers: dict[str, SshServer], folder: Path) -> Run:
    """Set the encryption on some hosts by a task in one place."""
    add_collections(controller)
    names = {host: host.replace(" ", "-") for host in hosts}
    roots = {host: AsperaRoot.lay_out(folder / name, "", "4.3.1.100") for host, name in names.items()}
    known = {
        name: {
            **servers[host].inventory_variables,
            **HOSTS[host].variables,
            "aspera_sse_root": str(roots[host].folder),
        }
        for host, name in names.items()
    }
    inventory = folder / "inventory.json"
    groups = {
        "aspera": {"hosts": known, "vars": {"aspera_sse_system": SETTING, "aspera_sse_settle_seconds": 0}},
        "twins": {"hosts": {f"{TWIN}{name}": {"ansible_connection": "local"} for name in known}},
    }
    inventory.write_text(json.dumps(groups), encoding="utf-8")
    arguments = ("--inventory", inventory, "-v")
    play = PLACES[place]
    if play is None:
        options = " ".join(f"{name}='{value}'" for name, value in {**ROOT, **SETTING}.items())
        return Run(controller.run("ansible", "aspera", *arguments, "-m", TRAPD, "-a", options), roots)
    playbook = folder / "playbook.yml"
    playbook.write_text(yaml.safe_dump([play], sort_keys=False), encoding="utf-8")
    return Run(controller.run("ansible-playbook", *arguments, playbook), roots)
