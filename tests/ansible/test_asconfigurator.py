"""`method: asconfigurator`: the vendor's program writes the docroot; here a stand-in that can fail in each way."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml
from aspera_roots import AsperaRoot
from controllers import PROJECT
from docroot_files import CREDENTIALS, HIDDEN

if TYPE_CHECKING:
    from pathlib import Path

    from controllers import Controller

MODULE = PROJECT / "library/aspera_docroot_sse"
AES = {"method": "asconfigurator", "server_side_encryption": "AES256"}


def user(name: str, *docroots: str) -> str:
    """Return a user with docroots."""
    absolutes = "".join(docroots)
    return (
        f"<user><name>{name}</name><file_system><access><paths><path>{absolutes}</path></paths></access></file_system>"
        f"</user>\n"
    )


CONF = f"""<?xml version='1.0' encoding='UTF-8'?>
<!-- {HIDDEN} -->
<CONF version="2"><default><file_system><access><paths><path><absolute>s3://h/default</absolute></path></paths></access>
</file_system></default><aaa><realms><realm><users>
{user("xfer", "<absolute>s3://h/b?storage-class=STANDARD</absolute>")}
{user("secret", f"<absolute>s3://{CREDENTIALS}@h/b</absolute>")}
{user("several", "<absolute>s3://h/b</absolute>", '<absolute peer_ip="192.0.2.1">s3://h/c</absolute>')}
{user("one-address", '<absolute peer_ip="192.0.2.1">s3://h/c</absolute>')}
{user("comma", "<absolute>s3://h/a,b</absolute>")}
{user("semi;colon", "<absolute>s3://h/ab</absolute>")}
</users><groups><group><name>staff</name><file_system><access><paths><path><absolute>s3://h/staff</absolute></path></paths>
</access></file_system></group></groups></realm></realms></aaa></CONF>
"""


class Server:
    """An Aspera root with the stand-in."""

    def __init__(self, folder: Path, mode: str = "") -> None:
        """Lay it out."""
        self.root = AsperaRoot.lay_out(folder / "aspera", None)
        self.root.write_conf(CONF.encode())
        self.programs = self.root.folder / "bin"
        shutil.copy(PROJECT / "tests/stand_ins/asconfigurator", self.programs)
        (self.programs / "asconfigurator.mode").write_text(mode)

    def command(self, **options: object) -> list[str | Path]:
        """Return the command that runs the module with some options."""
        arguments = self.root.folder / "arguments.json"
        arguments.write_text(json.dumps({"aspera_root": str(self.root.folder), **AES, **options}))
        return [MODULE, arguments]

    def run(self, **options: object) -> dict:
        """Run the module."""
        finished = subprocess.run(self.command(**options), capture_output=True, check=False, timeout=60)
        assert HIDDEN.encode() not in finished.stdout
        return json.loads(finished.stdout)

    @property
    def called_with(self) -> str | None:
        """What the stand-in was called with, if it was called since the last look."""
        note = self.programs / "asconfigurator.called"
        instruction = note.read_text() if note.exists() else None
        note.unlink(missing_ok=True)
        return instruction


@pytest.mark.parametrize(
    ("target", "instruction"),
    [
        ({"user": "xfer"}, "set_user_data;user_name,xfer;absolute,s3://h/b?storage-class=STANDARD&"),
        ({"group": "staff"}, "set_group_data;group_name,staff;absolute,s3://h/staff?"),
        ({"global": True}, "set_node_data;absolute,s3://h/default?"),
        ({"user": "new", "docroot": "s3://h/new"}, "set_user_data;user_name,new;absolute,s3://h/new?"),
    ],
)
def test_it_gets_one_docroot_and_only_where_it_is_needed(folder: Path, target: dict, instruction: str) -> None:
    """Not in check mode, and not a second time; back again it is called once more."""
    server = Server(folder)
    planned = server.run(**target, _ansible_check_mode=True, _ansible_diff=True)
    assert server.called_with is None
    assert server.root.conf.read_text() == CONF
    done = server.run(**target, _ansible_diff=True)
    assert server.called_with == f"{instruction}server-side-encryption=AES256"
    assert done.get("failed") is None, done
    assert (planned["changed"], planned["diff"], planned["docroots"]) == (True, done["diff"], done["docroots"])
    assert done["docroots"][0]["server_side_encryption"] == "AES256"
    again = server.run(**target)
    assert (again["changed"], server.called_with) == (False, None)
    back = server.run(**{name: value for name, value in target.items() if name != "docroot"}, state="absent")
    assert back["changed"] is True
    assert server.called_with == instruction.rstrip("&?")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"user": "secret"}, ["command line", "credentials"]),
        ({"user": "xfer", "docroot": f"s3://{CREDENTIALS}@h/b"}, ["command line", "credentials"]),
        ({"user": "several"}, ["several"]),
        ({"user": "one-address"}, ["peer_ip"]),
        ({"user": "comma"}, ["splits", "comma"]),
        ({"user": "semi;colon"}, ["splits"]),
        ({"all": True}, ["one user, one group, or the default"]),
        ({"docroots": [{"user": "xfer"}]}, ["one user, one group, or the default"]),
        ({"user": "xfer", "path": "/etc/aspera.conf"}, ["path", "Leave path out"]),
        ({"user": "nobody"}, ["has no user nobody"]),
    ],
)
def test_what_it_cannot_be_told_is_refused(folder: Path, options: dict, words: list[str]) -> None:
    """In check mode too; it is not called."""
    server = Server(folder)
    for settings in ({"_ansible_check_mode": True}, {}):
        result = server.run(**options, **settings)
        assert (result["failed"], result["changed"]) == (True, False)
        for word in words:
            assert word in result["msg"]
    assert server.called_with is None
    assert server.root.conf.read_text() == CONF


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("exit status", "ended with an error. The file is unchanged."),
        ("no success", "did not report success. The file is unchanged."),
        ("claims", "reported success, but the file does not hold the docroot. The file is unchanged."),
    ],
)
def test_success_is_what_is_in_the_file(folder: Path, mode: str, words: str) -> None:
    """Neither the exit status nor its word alone is believed; what it says is not passed on."""
    server = Server(folder, mode)
    result = server.run(user="xfer")
    assert (result["failed"], result["changed"]) == (True, False)
    assert words in result["msg"]
    assert server.root.conf.read_text() == CONF


@pytest.mark.parametrize("backup", [False, True])
def test_half_a_file_is_told_as_such(folder: Path, backup: bool) -> None:
    """With the name of the backup, if there is one."""
    server = Server(folder, "half a file")
    result = server.run(user="xfer", backup=backup)
    assert (result["failed"], result["changed"]) == (True, True)
    assert "was changed and may be incomplete: check it with asuserdata -v" in result["msg"]
    backups = list(server.root.conf.parent.glob("aspera.conf.*~"))
    assert [str(path) in result["msg"] for path in backups] == [True] * backup
    assert [path.read_text() for path in backups] == [CONF] * backup


def test_without_the_program_it_fails(folder: Path) -> None:
    """And says which one could not be started."""
    server = Server(folder)
    (server.programs / "asconfigurator").unlink()
    result = server.run(user="xfer")
    assert (
        f"method: asconfigurator cannot be used: {server.programs}/asconfigurator does not exist. Use method: file."
        in result["msg"]
    )


def test_a_playbook_shows_the_same_as_with_the_other_method(
    controller: Controller, connection: dict[str, object], folder: Path
) -> None:
    """The diff, the state, and nothing secret."""
    server = Server(folder)
    hosts = {"server": {**connection, "aspera_root": str(server.root.folder), "of_user": "xfer", **AES, "backup": True}}
    inventory = folder / "inventory.yml"
    inventory.write_text(yaml.safe_dump({"all": {"hosts": hosts}}), encoding="utf-8")
    planned = controller.playbook("docroots.yml", inventory, "--check", "--diff")
    done = controller.playbook("docroots.yml", inventory, "--diff", "-vvv")
    assert done.exit_status == 0, done.text
    assert planned.result("server").status == "changed"
    assert any("+" in line and "server-side-encryption=AES256" in line for line in planned.result("server").edits)
    assert done.recap["server"]["changed"] == 1
    assert HIDDEN not in planned.text + done.text
    assert controller.playbook("docroots.yml", inventory).recap["server"]["changed"] == 0
