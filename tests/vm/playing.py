"""Plays of the installed collection against a booted host."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from booted import BootedHost
    from controllers import Controller, Screen

ROLE = "aspera_ops.sse.aspera_sse"
INFO = "aspera_ops.sse.aspera_sse_info"
TRAPD = "aspera_ops.sse.aspera_trapd_sse"
KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"

#: What the role is asked for.
SETTINGS = {
    "aspera_sse_settle_seconds": 2,
    "aspera_sse_system": {"server_side_encryption": "AWS_KMS", "kms_key_id": KEY},
    "aspera_sse_docroots": [
        {"user": "acme", "server_side_encryption": "AWS_KMS", "kms_key_id": KEY},
        {"group": "partners", "server_side_encryption": "AWS_KMS", "kms_key_id": KEY},
    ],
}

#: A session of SSH, as -vvv shows it.
SESSION = "SSH: EXEC"


def play(
    controller: Controller, host: BootedHost, what: dict[str, object], *arguments: str, **variables: object
) -> Screen:
    """Run a play on the host, which the inventory calls `guest`."""
    folder = Path(tempfile.mkdtemp())
    (folder / "playbook.yml").write_text(yaml.dump([{"hosts": "all", "gather_facts": False, **what}]), encoding="utf-8")
    known = {**host.inventory_variables, **variables}
    (folder / "inventory.json").write_text(json.dumps({"all": {"hosts": {"guest": known}}}), encoding="utf-8")
    inventory = ("--inventory", folder / "inventory.json")
    return controller.run("ansible-playbook", *inventory, *arguments, folder / "playbook.yml")
