"""The installed collection under mitogen, which reaches a host in its own way, through a Python that stays there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from aspera_roots import KEY
from host_over_ssh import BY_SUDO, FALLBACK, INFO, TRAPD, Host, encrypt, look
from ssh_server import ASKED, LOGIN, OWNER, PASSWORD

if TYPE_CHECKING:
    from pathlib import Path

    from controllers import Controller
    from ssh_server import SshServer

#: It needs Python on the host.
PYTHON = {"ansible_python_interpreter": "/usr/bin/python3"}
#: Ways to become another user, and in whose home a build is then kept.
WAYS = {
    "plain": ({}, LOGIN),
    "sudo": (BY_SUDO, "root"),
    "sudo with a password": ({**BY_SUDO, "ansible_user": ASKED, "ansible_become_password": PASSWORD}, "root"),
    "sudo to another user": ({**BY_SUDO, "ansible_become_user": OWNER}, OWNER),
    "su": (
        {**BY_SUDO, "ansible_become_user": OWNER, "ansible_become_method": "su", "ansible_become_password": PASSWORD},
        OWNER,
    ),
}


@pytest.fixture
def host(under_mitogen: Controller, ssh_server: SshServer, folder: Path) -> Host:
    """Give a host where nothing is kept."""
    folder.chmod(0o755)
    return Host(under_mitogen, ssh_server, folder)


@pytest.mark.parametrize("way", WAYS)
def test_a_kept_build_is_run(host: Host, way: str) -> None:
    """Mitogen does not say that it carries data to a command, but it does, whoever the task becomes."""
    variables, keeper = WAYS[way]
    for _ in range(2):
        screen = host.run(look(), "-v", **variables, **PYTHON)
        assert screen.exit_status == 0, screen.text
        assert screen.result("server").answer["installed"] is True
        assert FALLBACK not in screen.as_one_line
    assert host.users_with_builds == [keeper]


def test_settings_check_mode_and_failures(host: Host) -> None:
    """They are as without mitogen, and nothing stands in a command."""
    variables = {**BY_SUDO, **PYTHON}
    predicted = host.run(encrypt(), "--check", "--diff", **variables).result("server")
    assert predicted.status == "changed"
    assert predicted.edits == ["-# server-side-encryption=NONE", "+server-side-encryption=AES256"]
    assert host.aspera.properties.read_bytes() == host.aspera.before
    assert host.users_with_builds == []
    keyed = {TRAPD: {"server_side_encryption": "AWS_KMS", "kms_key_id": KEY}}
    screen = host.run([keyed, keyed, {INFO: {}}], "-vvv", **variables)
    assert [result.status for result in screen.results] == ["changed", "ok", "ok"], screen.text
    assert not re.search(r"arguments=\W*\{", screen.text)
    failed = host.run({TRAPD: {"server_side_encryption": "aws:kms"}}, **variables)
    assert failed.recap["server"]["failed"] == 1
    assert "Did you mean AWS_KMS?" in failed.as_one_line


def test_a_loop_a_vault_free_environment_and_no_log(host: Host) -> None:
    """Each item has its own result, and the environment of the task is that of the module."""
    loop = {TRAPD: {"server_side_encryption": "{{ item }}"}, "loop": ["AES256", "AES256", "NONE"]}
    screen = host.run(loop, **BY_SUDO, **PYTHON)
    assert [result.status for result in screen.results] == ["changed", "ok", "changed"], screen.text
    elsewhere = {TRAPD: {"aspera_root": "$ROOT_OF_ASPERA", "server_side_encryption": "AES256"}}
    task = {**elsewhere, "environment": {"ROOT_OF_ASPERA": str(host.aspera.folder)}}
    assert host.run(task, **BY_SUDO, **PYTHON).result("server").status == "changed"
    hidden = {TRAPD: {"server_side_encryption": "AWS_KMS", "kms_key_id": KEY}, "no_log": True}
    screen = host.run(hidden, "--diff", **BY_SUDO, **PYTHON)
    assert screen.recap["server"]["changed"] == 1, screen.text
    assert KEY not in screen.text


def test_ansibles_own_way_under_mitogen(host: Host) -> None:
    """It is open where a build cannot be kept, and for another shell."""
    host.server.home(LOGIN).chmod(0o777)
    try:
        screen = host.run(look(), "-v", **PYTHON)
    finally:
        host.server.home(LOGIN).chmod(0o700)
    assert screen.exit_status == 0, screen.text
    assert screen.result("server").answer["installed"] is True
    assert f"{FALLBACK}no folder on the host is both safe" in screen.as_one_line
    assert host.users_with_builds == []
