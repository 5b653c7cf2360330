"""Hosts on this machine for the role, each with an Aspera root of its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from aspera_roots import KEY, AsperaRoot
from controllers import PLAYBOOKS, PROJECT

if TYPE_CHECKING:
    from controllers import Controller, Screen


class Hosts:
    """Hosts on this machine, each with an Aspera root of its own."""

    def __init__(self, folder: Path, *names: str, version: str = "4.4.5.1646") -> None:
        """Lay out the roots."""
        self.folder = folder
        self.roots = {name: AsperaRoot.lay_out(folder / name, "", version) for name in names}
        #: What single hosts have beside the variables that all have.
        self.variables: dict[str, dict[str, object]] = {}

    def run(
        self,
        controller: Controller,
        playbook: str | Path,
        *arguments: str,
        around: tuple[str, ...] = (),
        **variables: object,
    ) -> Screen:
        """Run a playbook on all of them."""
        hosts = {
            name: {"aspera_sse_root": str(root.folder), **self.variables.get(name, {})}
            for name, root in self.roots.items()
        }
        common = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "ansible_become": False,
            "aspera_sse_settle_seconds": 0,
            **variables,
        }
        inventory = self.folder / "inventory.json"
        inventory.write_text(json.dumps({"aspera": {"hosts": hosts, "vars": common}}), encoding="utf-8")
        path = PROJECT / playbook if "/" in str(playbook) else PLAYBOOKS / playbook
        return controller.run("ansible-playbook", "--inventory", inventory, *arguments, path, around=around)

    @property
    def settings(self) -> dict[str, list[str]]:
        """Which of the two files of each host holds the key."""
        return {
            name: [file.name for file in (root.properties, root.conf) if KEY in file.read_text(encoding="utf-8")]
            for name, root in self.roots.items()
        }
