"""The ways in which people call the module: loops, free form, in the background, and with secrets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml
from aspera_roots import ENCRYPTION_TEMPLATE, FOREIGN_VALUE, KEY, KEY_TEMPLATE, AsperaRoot, shipped_properties

if TYPE_CHECKING:
    from pathlib import Path

    from controllers import Controller

SHIPPED = shipped_properties()


def inventory(folder: Path, connection: dict[str, object], **variables: object) -> Path:
    """Write an inventory of one host."""
    file = folder / "inventory.yml"
    hosts = {"server": {**connection, **variables}}
    file.write_text(yaml.safe_dump({"all": {"hosts": hosts}}), encoding="utf-8")
    return file


def test_a_loop_over_several_roots_and_a_task_in_the_background(
    controller: Controller, connection: dict[str, object], folder: Path
) -> None:
    """Each item shows its own diff and its own state. The background task ends like any other."""
    new = AsperaRoot.lay_out(folder / "new", SHIPPED)
    done = AsperaRoot.lay_out(folder / "done", SHIPPED.replace(ENCRYPTION_TEMPLATE, "server-side-encryption=AES256\n"))
    roots = [str(new.folder), str(done.folder)]
    screen = controller.playbook("several_roots.yml", inventory(folder, connection, aspera_roots=roots), "--diff")

    assert screen.exit_status == 0, screen.text
    first, second, *background = screen.results
    assert (first.status, first.item) == ("changed", roots[0])
    assert first.edits == ["-# server-side-encryption=NONE", "+server-side-encryption=AES256"]
    assert (second.status, second.item, second.edits) == ("ok", roots[1], [])
    assert background[-1].status == "changed"
    assert background[-1].edits == ["-server-side-encryption=AES256", "+server-side-encryption=NONE"]
    assert "ASYNC OK on server" in screen.text
    assert screen.recap["server"]["ok"] == 2
    assert screen.recap["server"]["changed"] == 2
    assert FOREIGN_VALUE not in screen.text
    assert new.properties.read_text() == SHIPPED.replace(ENCRYPTION_TEMPLATE, "server-side-encryption=NONE\n")
    assert done.properties.read_bytes() == done.before


def test_free_form_arguments(controller: Controller, connection: dict[str, object], folder: Path) -> None:
    """All values are text, as on a command line: booleans are recognised by their words."""
    root = AsperaRoot.lay_out(folder / "aspera", SHIPPED)
    screen = controller.run(
        "ansible",
        "server",
        "--inventory",
        inventory(folder, connection),
        "--module-name",
        "aspera_trapd_sse",
        "--args",
        f"aspera_root='{root.folder}' state=present server_side_encryption=AES256 backup=YES create=no unsafe_writes=0",
    )
    assert screen.exit_status == 0, screen.text
    # There may be warnings about services of the same names in containers of this machine.
    _, found, rest = screen.text.partition("server | CHANGED => ")
    assert found, screen.text
    answer, _ = json.JSONDecoder().raw_decode(rest)
    assert answer["server_side_encryption"] == "AES256"
    assert answer["previous"] == {"server_side_encryption": None, "kms_key_id": None}
    assert [str(path) for path in root.properties.parent.glob("s3.properties.*~")] == [answer["backup_file"]]


def test_no_log_hides_everything_at_every_verbosity(
    controller: Controller, connection: dict[str, object], folder: Path
) -> None:
    """With -vvv the screen shows the data on the wire, but nothing of the task is in it."""
    root = AsperaRoot.lay_out(folder / "aspera", SHIPPED)
    hosts = inventory(folder, connection, aspera_root=str(root.folder), kms_key_id=KEY)
    screen = controller.playbook("quiet.yml", hosts, "--diff", "-vvv")
    assert screen.exit_status == 0, screen.text
    assert "the output has been hidden" in screen.text
    assert screen.recap["server"]["changed"] == 1
    for hidden in (KEY, KEY.rpartition("/")[2], FOREIGN_VALUE, "server-side-encryption"):
        assert hidden not in screen.text
    expected = SHIPPED.replace(ENCRYPTION_TEMPLATE, "server-side-encryption=AWS_KMS\n")
    expected = expected.replace(KEY_TEMPLATE, f"server-side-encryption-aws-kms-key-id={KEY}\n")
    assert root.properties.read_text() == expected


def test_the_most_talkative_run_shows_no_foreign_setting(
    controller: Controller, connection: dict[str, object], folder: Path
) -> None:
    """Without no_log, -vvv shows the raw answer of the module: it contains only requested values."""
    root = AsperaRoot.lay_out(folder / "aspera", SHIPPED)
    hosts = inventory(
        folder, connection, aspera_root=str(root.folder), server_side_encryption="AWS_KMS", kms_key_id=KEY
    )
    screen = controller.playbook("settings.yml", hosts, "--diff", "-vvv")
    assert screen.exit_status == 0, screen.text
    assert screen.recap["server"]["changed"] == 1
    assert f"+server-side-encryption-aws-kms-key-id={KEY}" in screen.text
    assert FOREIGN_VALUE not in screen.text


@pytest.fixture
def login(ssh_server_variables: dict[str, object]) -> dict[str, object]:
    """Log in without becoming root."""
    return ssh_server_variables


def test_without_become_the_answer_names_root(controller: Controller, login: dict[str, object], folder: Path) -> None:
    """The message for a login that may not read the file names root."""
    root = AsperaRoot.lay_out(folder / "aspera", SHIPPED)
    hosts = inventory(folder, login, aspera_root=str(root.folder), server_side_encryption="AES256")
    folder.chmod(0o755)
    screen = controller.playbook("settings.yml", hosts, "--diff")
    answer = screen.result("server").answer
    assert screen.recap["server"]["failed"] == 1, screen.text
    assert answer is not None
    assert answer["changed"] is False
    assert "root" in answer["msg"]
    assert str(root.properties) in answer["msg"]
    assert root.properties.read_bytes() == root.before
