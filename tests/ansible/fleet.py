"""A fleet on this machine for audits: one Aspera root a server, reached without a login."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aspera_roots import KEY, AsperaRoot
from controllers import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

    from controllers import Controller, Screen

#: A server whose uploads are encrypted as an audit expects if nothing else is said.
KMS = f"s3service.https-only=true\nserver-side-encryption=AWS_KMS\nserver-side-encryption-aws-kms-key-id={KEY}\n"
SCHEMA = json.loads((PROJECT / "docs/evidence.schema.json").read_text(encoding="utf-8"))


@dataclass
class Fleet:
    """The inventory of a fleet, and the folder for its evidence."""

    controller: Controller
    folder: Path
    servers: dict[str, dict[str, object]] = field(default_factory=dict)

    @property
    def evidence(self) -> Path:
        """Where the audit writes."""
        return self.folder / "evidence"

    @property
    def inventory(self) -> Path:
        """Where the inventory is."""
        return self.folder / "inventory.json"

    def add(self, name: str, properties: str | None = KMS, **variables: object) -> AsperaRoot:
        """Add a server with an Aspera root of its own."""
        root = AsperaRoot.lay_out(self.folder / f"aspera{len(self.servers)}", properties, "4.3.1.100")
        self.servers[name] = {"aspera_sse_root": str(root.folder), **variables}
        return root

    def audit(self, *arguments: str, around: tuple[str, ...] = (), **variables: object) -> Screen:
        """Run the audit."""
        return self.play("aspera_ops.sse.audit", *arguments, around=around, **variables)

    def play(self, playbook: str, *arguments: str, around: tuple[str, ...] = (), **variables: object) -> Screen:
        """Run a playbook of the collection on the fleet."""
        common = {"ansible_connection": "local", "ansible_become": False, "ansible_python_interpreter": "/no/python"}
        hosts = {name: {**common, **variables} for name, variables in self.servers.items()}
        groups = {"aspera": {"hosts": hosts}, "media": {"hosts": dict.fromkeys([*hosts][:1])}}
        self.inventory.write_text(json.dumps(groups), encoding="utf-8")
        extra = json.dumps({"evidence_dir": str(self.evidence), **variables})
        command = ("ansible-playbook", "--inventory", self.inventory, "--extra-vars", extra, *arguments, playbook)
        return self.controller.run(*command, around=around)

    def found(self) -> dict[str, dict]:
        """Read all evidence, by the name of the host."""
        files = sorted((self.evidence / "hosts").iterdir())
        read = [json.loads(file.read_text(encoding="ascii")) for file in files]
        found = {evidence["host"]: evidence for evidence in read}
        assert len(found) == len(files)
        return found

    def differing_files(self) -> list[str]:
        """Ask `sha256sum` which files do not fit their sums."""
        command = ("sha256sum", "--check", "--quiet", "SHA256SUMS")
        checked = subprocess.run(command, cwd=self.evidence, check=False, capture_output=True, encoding="utf-8")
        return [line.rpartition(":")[0] for line in checked.stdout.splitlines()]
