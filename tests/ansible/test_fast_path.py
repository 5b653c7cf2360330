"""The action plugin of the installed collection over a real SSH: how often, as which user, and when it asks a host."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from aspera_roots import FOREIGN_VALUE, KEY
from host_over_ssh import (
    BY_SUDO,
    CLOSED_WAYS,
    COLD,
    FALLBACK,
    KEPT_IN,
    OWN_WAY,
    TRAPD,
    WARM,
    WAYS,
    Host,
    Vault,
    encrypt,
    look,
)
from ssh_server import ASKED, LOGIN, OWNER, PASSWORD, USER_IDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from controllers import Controller
    from ssh_server import SshServer


@pytest.fixture
def host(installed: Controller, ssh_server: SshServer, folder: Path) -> Iterator[Host]:
    """Give a host where nothing is kept."""
    folder.chmod(0o755)
    return Host(installed, ssh_server, folder)


def test_one_session_and_three_for_the_first_task(host: Host) -> None:
    """Nothing is uploaded but the build, once. No argument is on the disk, none that may be a secret in a command."""
    key = KEY.rpartition("/")[2]
    variables = {**BY_SUDO, "key": key}
    task = {TRAPD: {"server_side_encryption": "AWS_KMS", "kms_key_id": "{{ key }}"}}
    assert host.sessions_of(task, **variables) == COLD
    assert host.sessions_of(task, **variables) == WARM
    assert host.sessions_of(look(), **variables) == COLD
    screen = host.run(task, "-vvv", **variables)
    executed = [line for line in screen.text.splitlines() if "SSH: EXEC" in line or "Invoked" in line]
    assert executed
    assert not [line for line in executed if key in line]
    assert "PUT" not in screen.text
    assert [path for user in USER_IDS for path in host.server.home(user).iterdir()] == []
    assert [path.name for path in host.server.home("root").iterdir()] == [".cache"]


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


def test_check_mode_keeps_no_build(host: Host) -> None:
    """On a cold host Ansible's own way is taken, unless a variable of the host says otherwise. A kept build is used."""
    screen = host.run(look(), "--check", "-v")
    assert screen.exit_status == 0, screen.text
    assert f"{FALLBACK}it is not kept there yet, and check mode keeps nothing" in screen.as_one_line
    assert host.users_with_builds == []
    assert host.sessions_of(look(), "--check", aspera_sse_keep_in_check_mode="yes") == COLD
    assert host.sessions_of(look(), "--check") == WARM


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
