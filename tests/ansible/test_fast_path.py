"""The action plugin of the installed collection over a real SSH: how often, as which user, and when it asks a host."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml
from aspera_roots import FOREIGN_VALUE, KEY, AsperaRoot, shipped_properties
from ssh_server import ASKED, BOUND, IN_CSH, LOGIN, OPEN, OWNER, PASSWORD, USER_IDS

if TYPE_CHECKING:
    from collections.abc import Iterator
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


@pytest.fixture
def host(installed: Controller, ssh_server: SshServer, folder: Path) -> Iterator[Host]:
    """Give a host where nothing is kept."""
    folder.chmod(0o755)
    return Host(installed, ssh_server, folder)


def look() -> dict[str, object]:
    """Return a task that only looks."""
    return {INFO: {}}


def encrypt(**keywords: object) -> dict[str, object]:
    """Return a task that sets AES256."""
    return {TRAPD: {"server_side_encryption": "AES256"}, **keywords}


def test_one_session_and_three_for_the_first_task(host: Host) -> None:
    """Nothing is uploaded except the build, once. No argument is on the disk or on a command line."""
    variables = {**BY_SUDO, "key": KEY}
    task = {TRAPD: {"server_side_encryption": "AWS_KMS", "kms_key_id": "{{ key }}"}}
    assert host.sessions_of(task, **variables) == COLD
    assert host.sessions_of(task, **variables) == WARM
    assert host.sessions_of(look(), **variables) == COLD
    screen = host.run(task, "-vvv", **variables)
    executed = [line for line in screen.text.splitlines() if "SSH: EXEC" in line or "Invoked" in line]
    assert executed
    assert not [line for line in executed if KEY in line]
    assert "PUT" not in screen.text
    assert [path for user in USER_IDS for path in host.server.home(user).iterdir()] == []
    assert [path.name for path in host.server.home("root").iterdir()] == [".cache"]


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


def test_each_user_that_a_task_becomes(host: Host) -> None:
    """The build is kept in the home of the account, unreadable for others. Then each task takes one session."""
    for keeper in ("root", LOGIN, OWNER, ASKED):
        hosts = {name: variables for name, (variables, one) in WAYS.items() if one == keeper}
        cold = host.run(look(), hosts=hosts)
        assert cold.exit_status == 0, cold.text
        assert keeper in host.users_with_builds
        (build,) = host.kept(keeper)
        owner = 0 if keeper == "root" else USER_IDS[keeper]
        for path in (build, build.parent):
            assert (path.stat().st_uid, path.stat().st_mode & 0o7777) == (owner, 0o700)
    assert sorted(host.users_with_builds) == sorted({keeper for _, keeper in WAYS.values()})
    warm = host.sessions_of(look(), hosts={name: variables for name, (variables, _) in WAYS.items()})
    assert warm == WARM * len(WAYS)


def test_keywords_of_a_task_beside_its_options(host: Host) -> None:
    """Check mode, diff, environment, no_log, a loop, a vault, module_defaults of the group, free form."""
    predicted = host.run(encrypt(), "--check", "--diff").result("server")
    assert host.aspera.properties.read_bytes() == host.aspera.before
    assert predicted.status == "changed"
    assert predicted.edits == ["-# server-side-encryption=NONE", "+server-side-encryption=AES256"]

    # A path is expanded on the host, with the environment of the task.
    elsewhere = {TRAPD: {"aspera_root": "$ROOT_OF_ASPERA", "server_side_encryption": "AES256"}}
    strange = f"{host.aspera.folder}\n# not '\"a comment\n"
    screen = host.run({**elsewhere, "environment": {"ROOT_OF_ASPERA": str(host.aspera.folder), "OTHER": strange}})
    assert screen.result("server").status == "changed", screen.text

    hidden = {TRAPD: {"server_side_encryption": "AWS_KMS", "kms_key_id": KEY}, "no_log": True}
    screen = host.run(hidden, "--diff", "-vvv")
    assert screen.recap["server"]["changed"] == 1, screen.text
    assert KEY not in screen.text.replace(host.folder.joinpath("playbook.yml").read_text(), "")
    assert FOREIGN_VALUE not in screen.text

    loop = {TRAPD: {"server_side_encryption": "{{ item }}"}, "loop": ["AES256", "AES256", "NONE"]}
    screen = host.run(loop)
    assert [result.status for result in screen.results] == ["changed", "ok", "changed"]

    free_form = {TRAPD: f"aspera_root={host.aspera.folder} server_side_encryption=AES256 backup=no"}
    assert host.run(free_form).result("server").status == "changed"


def test_a_secret_of_a_vault_right_in_the_task(host: Host) -> None:
    """It also works with controllers that cannot send it to a compiled module themselves."""
    password = host.folder / "vault-password"
    password.write_text(PASSWORD, encoding="utf-8")
    place = ("--vault-password-file", str(password))
    encrypted = host.controller.run("ansible-vault", "encrypt_string", *place, KEY)
    assert encrypted.exit_status == 0, encrypted.text
    lines = encrypted.text[encrypted.text.index("$ANSIBLE_VAULT") :].splitlines()
    text = Vault("\n".join(line.strip() for line in lines if line.strip() and "successful" not in line) + "\n")
    task = {TRAPD: {"server_side_encryption": "AWS_KMS", "kms_key_id": text}}
    screen = host.run(task, *place)
    assert screen.exit_status == 0, screen.text
    assert f"server-side-encryption-aws-kms-key-id={KEY}\n" in host.aspera.properties.read_text()


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
    "terminal": ({"ansible_ssh_extra_args": "-tt"}, "ssh is told to ask for a terminal"),
    "terminal by name": ({"ansible_ssh_extra_args": "-o RequestTTY=force"}, "ssh is told to ask for a terminal"),
    "requiretty": (
        {**BY_SUDO, "ansible_user": BOUND},
        # Ansible's connection may miss any part of the output of sudo, because it does not wait for the end.
        "the command that runs a kept build did not work there|becoming the other user gave no answer",
    ),
    "shell": ({"ansible_shell_executable": "/run/ksh"}, "the shell is not a common one"),
    "csh": (
        {"ansible_user": IN_CSH},
        "the command that runs a kept build did not work there (0: Event not found.)",
    ),
    "open home": ({"ansible_user": OPEN}, "no folder on the host is safe to keep it in and lets it run"),
}


def test_when_ansibles_own_way_is_used(host: Host) -> None:
    """The task does the same, and -v says why it takes longer. Without -v, there is no message."""
    hosts = {name: variables for name, (variables, _) in CLOSED_WAYS.items()}
    screen = host.run(look(), "-v", hosts=hosts)
    for name, (_, reason) in CLOSED_WAYS.items():
        assert screen.result(name).status == "ok", screen.text
        assert screen.result(name).answer["installed"] is True
        said = [f"<{name}> aspera_sse_info {FALLBACK}{one}" in screen.as_one_line for one in reason.split("|")]
        assert any(said), screen.text
    assert host.users_with_builds == []
    # Also in a role of a collection, where names are searched in collections.
    host.searched = ["aspera_ops.sse"]
    screen = host.run(look(), hosts=hosts)
    assert screen.exit_status == 0, screen.text
    assert FALLBACK not in screen.as_one_line


def test_the_sessions_of_ansibles_own_way(host: Host) -> None:
    """It takes seven sessions, as without the collection, and the one that asks for the architecture."""
    assert host.sessions_of(look(), ansible_ssh_extra_args="-tt") == OWN_WAY + 1


def test_a_task_in_the_background(host: Host) -> None:
    """It needs Python on the host, as Ansible's own modules do then."""
    variables = {"ansible_python_interpreter": "/usr/bin/python3", "ansible_async_dir": "~/.async"}
    screen = host.run(encrypt(**{"async": 60, "poll": 1}), "-v", **variables)
    assert screen.exit_status == 0, screen.text
    assert screen.recap["server"]["changed"] == 1
    assert f"{FALLBACK}it is asynchronous." in screen.as_one_line


def test_tasks_that_race_on_a_cold_host(host: Host) -> None:
    """Ten hosts are really one: each sends the build or finds it, and one build is left."""
    hosts = {f"host{number}": {} for number in range(10)}
    screen = host.run(look(), hosts=hosts, **BY_SUDO)
    assert screen.exit_status == 0, screen.text
    assert {counts["ok"] for counts in screen.recap.values()} == {1}
    assert len(host.kept("root")) == 1


def test_a_folder_to_keep_builds_in(host: Host) -> None:
    """It is set by a variable of the delegated host. A value that is not a path is refused."""
    hosts = {
        "server": {"place": "/nonexistent"},
        "other": {"place": "/run/homes/root", "aspera_sse_cache_folder": "{{ place }}"},
    }
    task = {**look(), "delegate_to": "other", "run_once": True}
    assert host.sessions_of(task, hosts=hosts, **BY_SUDO) == COLD
    assert host.sessions_of(task, hosts=hosts, **BY_SUDO) == WARM
    assert len(list(host.server.home("root").glob("aspera_ops.sse/aspera_sse_info-*"))) == 1
    assert host.users_with_builds == []
    screen = host.run(look(), aspera_sse_cache_folder="relative")
    assert screen.recap["server"]["failed"] == 1
    assert "aspera_sse_cache_folder must be the absolute path of a folder on the host." in screen.as_one_line


def test_a_build_that_was_put_there_by_hand(host: Host) -> None:
    """This helps where only known programs may run: nothing is sent at all."""
    (sums,) = host.controller.home.glob("collections/ansible_collections/*/*/plugins/binaries/SHA256SUMS")
    build = f"aspera_sse_info_{os.uname().machine}"
    sha256 = dict(reversed(line.split()) for line in sums.read_text().splitlines())[build]
    place = host.server.home("root") / KEPT_IN / f"aspera_sse_info-{sha256}"
    subprocess.run(["install", "-D", "-m", "700", sums.with_name(build), place], check=True)
    assert host.sessions_of(look(), **BY_SUDO) == WARM


def test_warnings_and_failures_come_through(host: Host) -> None:
    """They look like those of a module in Python, and no argument is repeated."""
    screen = host.run({TRAPD: {"server_side_encryption": "AWS_KMS", "kms_key_id": "alias/uploads"}})
    assert "[WARNING]" in screen.text
    assert "alias" in screen.as_one_line
    screen = host.run({TRAPD: {"server_side_encryption": "aws:kms"}})
    assert screen.recap["server"]["failed"] == 1
    assert "Did you mean AWS_KMS?" in screen.as_one_line
    assert "junk" not in screen.text
    assert "[DEPRECATION" not in screen.text
