"""Ansible's own way, where a kept build cannot be run: wherever a task stands, and when that way is closed, too."""

from __future__ import annotations

import json
import pwd
from typing import TYPE_CHECKING

import pytest
from aspera_roots import KEY, AsperaRoot
from test_collection import DOCROOT, SYSTEM, TRAPD, run_on

if TYPE_CHECKING:
    from pathlib import Path

    from controllers import Controller, Screen

INFO, ROLE = "aspera_ops.sse.aspera_sse_info", "aspera_ops.sse.aspera_sse"
FALLBACK = "is sent to the host for this task alone, since "
NO_FOLDER = f"{FALLBACK}no folder on the host is both safe to keep it in and lets programs run."
NOWHERE = {"aspera_sse_cache_folder": "/nonexistent"}


def play(*tasks: dict[str, object], **keywords: object) -> dict[str, object]:
    """Return a play with unnamed tasks."""
    return {"hosts": "all", "gather_facts": False, **keywords, "tasks": list(tasks)}


def see(name: str, root: AsperaRoot) -> dict[str, object]:
    """Return a task that fails if another did not look at a root."""
    return {"ansible.builtin.assert": {"that": [f"{name}.trapd.path == '{root.properties}'", f"{name}.installed"]}}


def test_wherever_a_task_stands(installed: Controller, folder: Path) -> None:
    """In a role, included or imported, in a block, by a short name, with defaults of the group, in the background."""
    root = AsperaRoot.lay_out(folder / "aspera", "", "4.3.1.100")
    variables = {"aspera_sse_root": str(root.folder), "aspera_sse_system": SYSTEM}
    look = {INFO: {"aspera_root": str(root.folder)}}
    job = {"async": 60, "poll": 1}
    group = {"group/aspera_ops.sse.sse": {"aspera_root": str(root.folder)}}
    plays = [
        play(roles=[ROLE]),
        play({"ansible.builtin.include_role": {"name": ROLE}}),
        play({"ansible.builtin.import_role": {"name": ROLE}}, module_defaults=group),
        play({"block": [{**look, "register": "in_block"}]}, see("in_block", root)),
        play(
            {"aspera_sse_info": {}, "register": "short"},
            {INFO: {}, **job, "register": "in_background"},
            see("short", root),
            see("in_background", root),
            collections=["aspera_ops.sse"],
            module_defaults=group,
        ),
        play({**look, **job, "loop": [1, 2], "register": "loop"}),
    ]
    background = {"ansible_python_interpreter": "/usr/bin/python3", "ansible_async_dir": str(folder / "jobs")}
    screen = run_on(installed, folder, plays, "-v", **variables, **NOWHERE, **background)
    assert screen.exit_status == 0, screen.text
    assert KEY in root.properties.read_text()
    for module in ("aspera_sse_info", "aspera_trapd_sse"):
        assert f"<server> {module} {NO_FOLDER}" in screen.as_one_line
    assert f"{FALLBACK}it is asynchronous." in screen.as_one_line
    # No job is left behind by a task that waits.
    assert list((folder / "jobs").glob("*")) == []


def test_ad_hoc(installed: Controller, folder: Path) -> None:
    """All modules, with options of the command line."""
    root = AsperaRoot.lay_out(folder / "aspera", "")
    inventory = folder / "inventory.json"
    hosts = {"server": {"ansible_connection": "local", **NOWHERE}}
    inventory.write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
    options = f"aspera_root={root.folder}"
    encryption = f"{options} server_side_encryption=AES256"
    for module, arguments in zip((DOCROOT, INFO, TRAPD), (f"{encryption} user=acme", options, encryption), strict=True):
        screen = installed.run("ansible", "server", "-v", "-i", inventory, "-m", module, "-a", arguments)
        assert screen.exit_status == 0, screen.text
        assert NO_FOLDER in screen.as_one_line


#: File systems for the places where builds are kept for root, and for the temporary files of Ansible.
FULL = "size=4k"
NOEXEC = "noexec"


def run_with_mounts(
    installed: Controller, folder: Path, what: dict[str, object], kept: str, temporary: str, *arguments: str
) -> Screen:
    """Run a play on a host whose folders are mounted so, until the run ends."""
    root = AsperaRoot.lay_out(folder / "aspera", "", "4.3.1.100")
    remote_tmp = folder / "remote-tmp"
    remote_tmp.mkdir()
    mounts = {f"{pwd.getpwuid(0).pw_dir}/.cache": kept, "/var/cache": kept, str(remote_tmp): temporary}
    script = "".join(f"mkdir -p {place} && mount -t tmpfs -o {how} none {place}\n" for place, how in mounts.items())
    around = ("unshare", "--mount", "--propagation", "private", "sh", "-euc", f'{script}exec "$@"', "sh")
    variables = {
        "aspera_sse_root": str(root.folder),
        "aspera_sse_system": SYSTEM,
        "ansible_remote_tmp": str(remote_tmp),
        # Not the folder in which the tests keep builds, but the places for root.
        "aspera_sse_cache_folder": "",
    }
    return run_on(installed, folder, [what], *arguments, around=around, **variables)


@pytest.mark.needs("root", "namespaces")
@pytest.mark.parametrize("kept", [FULL, NOEXEC])
def test_the_role_where_no_build_can_be_kept(installed: Controller, folder: Path, kept: str) -> None:
    """It does the same, as long as there is a place for temporary files."""
    screen = run_with_mounts(installed, folder, play(roles=[ROLE]), kept, "mode=700", "-v")
    assert (screen.exit_status, screen.recap["server"]["changed"]) == (0, 1), screen.text
    assert NO_FOLDER in screen.as_one_line


@pytest.mark.needs("root", "namespaces")
def test_where_no_program_may_run_at_all(installed: Controller, folder: Path) -> None:
    """The failure says what to do about it."""
    screen = run_with_mounts(installed, folder, play({INFO: {}}), NOEXEC, NOEXEC)
    assert screen.recap["server"]["failed"] == 1, screen.text
    said = (
        "ended without an answer, with exit status 126. It could not be started. The folder for Ansible's temporary "
        "files must be where programs may run: name one with ansible_remote_tmp."
    )
    assert said in screen.as_one_line, screen.text
