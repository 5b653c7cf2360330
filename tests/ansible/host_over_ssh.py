"""A host that is reached over a real SSH with the installed collection, and the ways to reach it."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import yaml
from aspera_roots import AsperaRoot, shipped_properties
from ssh_server import ASKED, BOUND, IN_CSH, LOGIN, OPEN, OWNER, PASSWORD, USER_IDS

if TYPE_CHECKING:
    from pathlib import Path

    from controllers import Controller, Screen
    from ssh_server import SshServer

TRAPD, INFO = "aspera_ops.sse.aspera_trapd_sse", "aspera_ops.sse.aspera_sse_info"
KEPT_IN = ".cache/aspera_ops.sse"
FALLBACK = "is sent to the host for this task alone, since "

WARM, COLD, OWN_WAY = 1, 3, 7

BY_SUDO = {"ansible_become": True}
BY_SUDO_WITH_PASSWORD = {**BY_SUDO, "ansible_user": ASKED, "ansible_become_password": PASSWORD}
AS_OWNER = {**BY_SUDO, "ansible_become_user": OWNER}


class Host:
    """One host behind the server, with an Aspera root of the login."""

    def __init__(self, controller: Controller, server: SshServer, folder: Path) -> None:
        """Lay out the root; nothing is kept for anybody yet."""
        self.controller = controller
        self.server = server
        self.folder = folder
        #: The collections in which a task is searched, like those of a role in a collection.
        self.searched: list[str] = []
        self.aspera = AsperaRoot.lay_out(folder / "aspera", shipped_properties())
        self.give_root_to(LOGIN)
        for user in ("root", *USER_IDS):
            for name in (".cache", ".ansible", ".async", "aspera_ops.sse"):
                shutil.rmtree(server.home(user) / name, ignore_errors=True)

    def give_root_to(self, user: str) -> None:
        """Let a user own all of Aspera."""
        for entry in [self.aspera.folder, *self.aspera.folder.rglob("*")]:
            shutil.chown(entry, USER_IDS[user], USER_IDS[user])

    def run(
        self,
        task: dict[str, object] | list[dict[str, object]],
        *arguments: str,
        hosts: dict[str, dict[str, object]] | None = None,
        **variables: object,
    ) -> Screen:
        """Run tasks of a playbook outside of the project's folder; a missing name and root are filled in.

        All hosts are in truth the one behind the server, each with variables of its own.
        """
        tasks = task if isinstance(task, list) else [task]
        for number, one in enumerate(tasks):
            one.setdefault("name", f"Task {number}")
            for module in (TRAPD, INFO):
                if isinstance(one.get(module), dict):
                    one[module] = {"aspera_root": str(self.aspera.folder), **one[module]}
        play = {"hosts": "all", "gather_facts": False, "collections": self.searched, "tasks": tasks}
        playbook = self.folder / "playbook.yml"
        playbook.write_text(yaml.dump([play], Dumper=Vault.Dumper, sort_keys=False), encoding="utf-8")
        inventory = self.folder / "inventory.json"
        # Nothing on the host may be in Python.
        known = {**self.server.inventory_variables, "ansible_python_interpreter": "/nonexistent", **variables}
        inventory.write_text(
            json.dumps({"all": {"hosts": hosts or {"server": {}}, "vars": known}}),
            encoding="utf-8",
        )
        return self.controller.run("ansible-playbook", "--inventory", inventory, *arguments, playbook)

    def sessions_of(self, *arguments: object, **variables: object) -> int:
        """Run tasks, which must succeed, and count the sessions that they take."""
        before = self.server.sessions
        screen = self.run(*arguments, **variables)
        assert screen.exit_status == 0, screen.text
        return self.server.sessions - before

    def kept(self, user: str) -> list[Path]:
        """List what is kept for a user."""
        return sorted((self.server.home(user) / KEPT_IN).glob("*"))

    @property
    def users_with_builds(self) -> list[str]:
        """Name the users with kept builds."""
        return [user for user in ("root", *USER_IDS) if self.kept(user)]


class Vault(str):
    """A text that stands in a playbook as `ansible-vault encrypt_string` prints it."""

    __slots__ = ()

    class Dumper(yaml.SafeDumper):
        """Writes such texts under their tag."""


Vault.Dumper.add_representer(Vault, lambda dumper, text: dumper.represent_scalar("!vault", str(text), style="|"))


def look() -> dict[str, object]:
    """Return a task that only looks."""
    return {INFO: {}}


def encrypt(**keywords: object) -> dict[str, object]:
    """Return a task that sets AES256."""
    return {TRAPD: {"server_side_encryption": "AES256"}, **keywords}


#: Ways to reach a host and to become another user there, and the user in whose home a build is then kept.
WAYS = {
    "plain": ({}, LOGIN),
    "sudo": (BY_SUDO, "root"),
    "sudo without -H": ({**BY_SUDO, "ansible_become_flags": "-S -n"}, "root"),
    "sudo with the caller's environment": ({**BY_SUDO, "ansible_become_flags": "-E -S -n"}, "root"),
    "sudo with a password": (BY_SUDO_WITH_PASSWORD, "root"),
    "sudo with a password to another user": ({**BY_SUDO_WITH_PASSWORD, "ansible_become_user": OWNER}, OWNER),
    "sudo to another user": (AS_OWNER, OWNER),
    "sudo to another user without -H": ({**AS_OWNER, "ansible_become_flags": "-S -n"}, OWNER),
    "sudo without a password from bash": ({"ansible_user": ASKED}, ASKED),
    "piped": ({"ansible_ssh_transfer_method": "piped"}, LOGIN),
    "pipelining": ({"ansible_ssh_pipelining": True, **BY_SUDO}, "root"),
    "no terminal": ({"ansible_ssh_use_tty": False, **BY_SUDO}, "root"),
    "options of ssh": ({"ansible_ssh_args": "-C -o ControlMaster=no", **BY_SUDO}, "root"),
    "bash": ({"ansible_shell_executable": "/bin/bash"}, LOGIN),
}

#: The cases in which a kept build cannot be run, and the reasons.
CLOSED_WAYS = {
    "su": (
        {
            **AS_OWNER,
            "ansible_become_method": "su",
            "ansible_become_password": PASSWORD,
            # The login cannot give files to the other user, and there is no ACL.
            "ansible_shell_allow_world_readable_temp": True,
        },
        "su carries no data to a command",
    ),
    "terminal": ({"ansible_ssh_extra_args": "-tt"}, "ssh is set to ask for a terminal"),
    "terminal by name": ({"ansible_ssh_extra_args": "-o RequestTTY=force"}, "ssh is set to ask for a terminal"),
    "requiretty": (
        {**BY_SUDO, "ansible_user": BOUND},
        # Ansible's connection may miss any part of the output of sudo, because it does not wait for the end.
        "the command that runs a kept build did not work there|privilege escalation did not answer",
    ),
    "shell": ({"ansible_shell_executable": "/run/ksh"}, "the shell is not a common one"),
    "csh": (
        {"ansible_user": IN_CSH},
        "the command that runs a kept build did not work there (0: Event not found.)",
    ),
    "open home": ({"ansible_user": OPEN}, "no folder on the host is both safe to keep it in and lets programs run"),
}
