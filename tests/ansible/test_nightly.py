"""The script of the nightly audit, as the documentation has it, and the units that start it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from controllers import PROJECT
from fleet import Fleet

if TYPE_CHECKING:
    from pathlib import Path

    from controllers import Controller, Screen

EXAMPLES = PROJECT / "examples/nightly"
PAGE = PROJECT / "docs/nightly.md"


@pytest.fixture
def fleet(installed: Controller, folder: Path) -> Fleet:
    """Give a fleet of one server that does not encrypt, and the keys that sign its evidence."""
    fleet = Fleet(installed, folder)
    fleet.add("server", "")
    key = folder / "signing_key"
    command = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "night@audit", "-f", key)
    subprocess.run(command, check=True)
    subprocess.run(("sh", "-c", command_of_page("awk ").replace("/srv/aspera-audit", str(folder))), check=True)
    return fleet


def command_of_page(begin: str) -> str:
    """Return the only command of the documentation that begins so."""
    (command,) = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(begin)]
    return command


def night(fleet: Fleet) -> Screen:
    """Run the script."""
    fleet.play("aspera_ops.sse.report", "--list-hosts")
    shutil.move(fleet.inventory, fleet.folder / "inventory.yml")
    around = ("env", f"ASPERA_AUDIT_FOLDER={fleet.folder}", "ASPERA_AUDIT_FORKS=5", "sh", EXAMPLES / "aspera-audit.sh")
    return fleet.controller.run("ansible-playbook", around=tuple(map(str, around)))


@pytest.mark.needs("ssh-keygen", "sha256sum")
def test_two_nights(fleet: Fleet) -> None:
    """The first is red, signed, and can be checked by others; the second is compared with it."""
    screen = night(fleet)
    assert screen.exit_status != 0
    latest = fleet.folder / "reports/latest"
    first = json.loads((latest / "report.json").read_text())
    assert first["sources"][0]["signed_by"] == "night@audit", screen.text
    assert first["counts"]["violated"] == 1
    assert first["difference"] is None
    today = latest.readlink()
    evidence = fleet.folder / "evidence" / today
    verify = command_of_page("ssh-keygen -Y verify").replace("-f allowed_signers", f"-f {fleet.folder}/allowed_signers")
    for command in (verify, command_of_page("sha256sum --check")):
        checked = subprocess.run(("sh", "-c", command), cwd=evidence, check=False, capture_output=True)
        assert checked.returncode == 0, checked.stderr

    # As if that had been yesterday.
    for name in ("evidence", "reports"):
        (fleet.folder / name / today).rename(fleet.folder / name / "yesterday")
    latest.unlink()
    latest.symlink_to("yesterday")
    fleet.add("another", "")
    screen = night(fleet)
    assert latest.readlink() == today
    second = json.loads((latest / "report.json").read_text())
    assert second["difference"]["since"] == first["created_at"]
    assert [change["host"] for change in second["difference"]["new"]] == ["another"]
    assert screen.exit_status != 0


@pytest.mark.needs("ssh-keygen")
def test_a_green_night_ends_well(fleet: Fleet) -> None:
    """With what was expected."""
    fleet.servers["server"]["aspera_sse_expect"] = [{"server_side_encryption": "NONE"}]
    screen = night(fleet)
    made = json.loads((fleet.folder / "reports/latest/report.json").read_text())
    assert screen.exit_status == 0, screen.text
    assert made["counts"]["met"] + made["counts"]["unknown"] == 1


def test_without_its_folder_it_ends_in_failure(fleet: Fleet) -> None:
    """And writes nothing anywhere."""
    around = ("env", "ASPERA_AUDIT_FOLDER=/no/such/folder", "sh", str(EXAMPLES / "aspera-audit.sh"))
    screen = fleet.controller.run("ansible-playbook", around=around)
    assert screen.exit_status != 0
    assert "/no/such/folder" in screen.text


@pytest.mark.needs("systemd-analyze")
def test_systemd_takes_the_units(folder: Path) -> None:
    """With a program that is there in the place of the script."""
    for unit in EXAMPLES.glob("aspera-audit.*[er]"):
        text = unit.read_text(encoding="utf-8").replace("/usr/local/bin/aspera-audit", "/bin/true")
        (folder / unit.name).write_text(text, encoding="utf-8")
    command = ("systemd-analyze", "verify", "aspera-audit.service", "aspera-audit.timer")
    checked = subprocess.run(command, cwd=folder, check=False, capture_output=True, encoding="utf-8")
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_links_and_pictures_of_the_page_are_there() -> None:
    """In the project; the collection has the same beside its own page."""
    for page in (PAGE, PROJECT / "target/collection/ansible_collections/aspera_ops/sse/docs/nightly.md"):
        text = page.read_text(encoding="utf-8")
        links = re.findall(r"\]\(([^)]+)\)", text)
        headings = {
            re.sub(r"[^a-z -]", "", line.lower()).replace(" ", "-")
            for line in re.findall(r"^## (.*)$", text, re.MULTILINE)
        }
        assert len(links) > 10
        for link in links:
            # tests/ansible/test_pages.py looks for the headings of other pages.
            there = page.parent / link.partition("#")[0]
            assert link[1:] in headings if link.startswith("#") else there.exists(), link
