"""The playbook report, after real audits: it writes three files, and then it fails if they are red."""

from __future__ import annotations

import json
import stat
import subprocess
from typing import TYPE_CHECKING

import evidence_samples as samples
import pytest
from docroot_files import HIDDEN, SERVER
from fleet import Fleet

if TYPE_CHECKING:
    from pathlib import Path

    from controllers import Controller, Screen

CLOSED = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 9}
FILES = {"report.csv", "report.html", "report.json"}


@pytest.fixture
def fleet(installed: Controller, folder: Path) -> Fleet:
    """Give an empty fleet."""
    return Fleet(installed, folder)


def report_on(fleet: Fleet, **variables: object) -> tuple[Screen, dict]:
    """Run the playbook with the inventory of the fleet, and read what it wrote."""
    screen = fleet.play("aspera_ops.sse.report", **{"report_dir": str(fleet.folder / "report"), **variables})
    file = fleet.folder / "report/report.json"
    return screen, json.loads(file.read_text(encoding="ascii")) if file.exists() else {}


@pytest.mark.needs("ssh")
def test_a_night_from_the_audit_to_the_report(fleet: Fleet) -> None:
    """A server of each kind; the report says which, and the play fails once it is written."""
    fleet.add("encrypted").write_conf(b"<CONF/>")
    fleet.add("plain", "")
    fleet.add("nothing read").write_conf(None)
    fleet.add("unreachable", **CLOSED)
    fleet.audit()
    fleet.add("never audited")
    screen, made = report_on(fleet)
    states = {host["host"]: host["state"] for host in made["hosts"]}
    assert states == {
        "encrypted": states["encrypted"],
        "plain": "violated",
        "nothing read": "incomplete",
        "unreachable": "missing",
        "never audited": "missing",
    }
    assert {file.name for file in (fleet.folder / "report").iterdir()} == FILES
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o640 for file in (fleet.folder / "report").iterdir())
    page = (fleet.folder / "report/report.html").read_text(encoding="utf-8")
    assert made["summary"] in page
    assert "Connection refused" in page
    assert screen.exit_status != 0
    assert "1 host violates the expectation: plain." in screen.as_one_line
    assert made["summary"] in screen.as_one_line
    # The second night: nothing changed but that a server is gone.
    del fleet.servers["never audited"]
    _, again = report_on(fleet, fail_on="never")
    assert [change["host"] for change in again["difference"]["missing"]] == ["never audited"]
    assert again["difference"]["since"] == made["created_at"]


def test_a_fleet_that_is_as_expected_passes(fleet: Fleet) -> None:
    """Of a real audit, whose only docroot is not on S3 but for one user."""
    conf = b"<CONF><aaa><realms><realm><users><user><name>acme</name><file_system><access><paths><path><absolute>"
    conf += b"s3://****:****@s3.amazonaws.com/acme?server-side-encryption=AWS_KMS</absolute></path></paths></access>"
    conf += b"</file_system></user></users></realm></realms></aaa></CONF>"
    fleet.add("first").write_conf(conf)
    audited = fleet.audit()
    found = fleet.found()["first"]["answers"]["aspera_sse_info"]["values"]
    screen, made = report_on(fleet)
    assert made["proven"] is (found["compliant"] is True), audited.text
    assert made["hosts"][0]["docroots"][0]["place"] == "user acme"
    # What the audit fails for, the report fails for, too.
    assert (screen.exit_status == 0) is (audited.exit_status == 0), screen.text


@pytest.mark.parametrize(
    ("fail_on", "hosts", "fails"),
    [
        (None, [samples.evidence("host")], False),
        (None, [samples.evidence("host", samples.unknown())], False),
        (None, [samples.evidence("host", samples.incomplete())], True),
        ("violated", [samples.evidence("host", samples.incomplete())], False),
        (["violated", "unknown"], [samples.evidence("host", samples.unknown())], True),
        ("violated,incomplete", [samples.evidence("host", samples.violated())], True),
        ("never", [samples.evidence("host", samples.violated())], False),
        ("never", [], False),
        ("violated", [], True),
    ],
)
def test_what_turns_a_nightly_job_red(fleet: Fleet, fail_on: object, hosts: list, fails: bool) -> None:
    """In every case, the report was written first."""
    samples.write(fleet.evidence, *hosts) if hosts else fleet.evidence.mkdir()
    wanted = {} if fail_on is None else {"fail_on": fail_on}
    screen, made = report_on(fleet, max_age="9999d", **wanted)
    assert made["proven"] is (hosts == [samples.evidence("host")])
    assert {file.name for file in (fleet.folder / "report").iterdir()} == FILES
    assert (screen.exit_status != 0) is fails, screen.text


@pytest.mark.needs("ssh-keygen")
def test_signatures_are_checked_if_they_are_asked_for(fleet: Fleet) -> None:
    """By a file of allowed signers."""
    key, signers = fleet.folder / "key", fleet.folder / "allowed signers"
    subprocess.run(("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key), check=True)
    signers.write_text(f"night@audit {key.with_suffix('.pub').read_text()}", encoding="ascii")
    fleet.add("server", "")
    fleet.audit(signing_key=str(key))
    _, made = report_on(fleet, allowed_signers=str(signers))
    assert made["sources"][0]["signed_by"] == "night@audit"
    assert made["hosts"][0]["state"] == "violated"
    fleet.audit()
    screen, made = report_on(fleet, allowed_signers=str(signers))
    assert made["hosts"][0]["state"] == "untrusted"
    assert "there is no signature" in screen.as_one_line
    assert screen.exit_status != 0


def test_nothing_secret_and_no_template_of_a_host_is_in_it(fleet: Fleet) -> None:
    """What a host says is shown as it is, in the files and on the screen."""
    root = fleet.add("server")
    root.write_conf(SERVER.encode().replace(b"<name>", b"<name>{{ 7 * 7 }}&lt;script&gt;", 1))
    assert HIDDEN in root.conf.read_text()
    fleet.audit()
    screen, made = report_on(fleet)
    texts = [screen.text, *(file.read_text(encoding="utf-8") for file in (fleet.folder / "report").iterdir())]
    assert not [text for text in texts if HIDDEN in text]
    assert made["hosts"][0]["docroots"]
    assert "{{ 7 * 7 }}&lt;script&gt;" in texts[1] + texts[2] + texts[3]


def test_the_name_of_a_host_is_no_template(fleet: Fleet) -> None:
    """On the screen of no version of Ansible."""
    names = ("{{ 7 * 7 }}", "{% raw %}", "\u202e\x1b[31m")
    samples.write(fleet.evidence, *(samples.evidence(name, samples.violated()) for name in names))
    screen, made = report_on(fleet, max_age="9999d")
    assert "3 hosts violate the expectation: " in screen.as_one_line
    assert "{% raw %}, {{ 7 * 7 }}" in screen.text
    assert "\x1b[31m" not in screen.text
    assert "\u202e" not in screen.text
    assert {host["host"] for host in made["hosts"]} == set(names)


def test_nothing_is_written_elsewhere(fleet: Fleet) -> None:
    """A link in the place of a file is replaced, and what it leads to stays."""
    samples.write(fleet.evidence, samples.evidence("../../up"), samples.evidence("host"))
    precious = fleet.folder / "precious"
    precious.write_text("as it was", encoding="ascii")
    (fleet.folder / "report").mkdir()
    for name in FILES - {"report.json"}:
        (fleet.folder / "report" / name).symlink_to(precious)
    before = set(fleet.folder.rglob("*"))
    report_on(fleet)
    assert precious.read_text() == "as it was"
    assert not (fleet.folder / "report/report.html").is_symlink()
    after = set(fleet.folder.rglob("*"))
    assert {path.name for path in after - before} <= {"report.json", "inventory.json"}


def test_check_mode_writes_no_report(fleet: Fleet) -> None:
    """It says what it would say."""
    samples.write(fleet.evidence, samples.evidence("host", samples.violated()))
    screen = fleet.play("aspera_ops.sse.report", "--check", report_dir=str(fleet.folder / "report"))
    assert "1 host violates" in screen.as_one_line
    assert not (fleet.folder / "report").exists()


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"report_dir": ""}, "report_dir must be a path"),
        ({"evidence_dir": []}, "evidence_dir names no folder"),
        ({"evidence_dir": [7]}, "evidence_dir must be text or a list of texts"),
        ({"evidence_dir": {"a": 1}}, "evidence_dir must be text or a list of texts"),
        ({"max_age": "a night"}, "max_age must be a number of minutes, hours or days"),
        ({"max_age": 26}, "max_age must be a number of minutes, hours or days"),
        ({"max_age": "0h"}, "max_age must be a number of minutes, hours or days"),
        ({"fail_on": "violatd"}, "fail_on accepts only never, violated, incomplete, unknown"),
        ({"fail_on": []}, "fail_on accepts only"),
        ({"fail_on": "never,violated"}, "fail_on has never and another word"),
        ({"allowed_signers": "/none"}, "/none is not a file"),
    ],
)
def test_wrong_options_say_what_is_right(fleet: Fleet, variables: dict, says: str) -> None:
    """And nothing is written."""
    samples.write(fleet.evidence, samples.evidence("host"))
    screen, made = report_on(fleet, **variables)
    assert screen.exit_status != 0
    assert says in screen.as_one_line
    assert made == {}


def test_without_folders_it_says_which_are_needed(fleet: Fleet) -> None:
    """As the playbook is run by its name alone."""
    screen = fleet.controller.run("ansible-playbook", "aspera_ops.sse.report")
    assert screen.exit_status != 0
    assert "Set evidence_dir" in screen.as_one_line


def test_a_folder_that_cannot_be_written_to_fails(fleet: Fleet) -> None:
    """The message names it."""
    samples.write(fleet.evidence, samples.evidence("host"))
    (fleet.folder / "report").write_text("a file in the place of the folder", encoding="ascii")
    screen = fleet.play("aspera_ops.sse.report", report_dir=str(fleet.folder / "report"), fail_on="never")
    assert screen.exit_status != 0
    assert f"The report cannot be written to {fleet.folder / 'report'}" in screen.as_one_line


def test_a_previous_report_that_cannot_be_read_is_a_note(fleet: Fleet) -> None:
    """The report of the night matters more."""
    samples.write(fleet.evidence, samples.evidence("host"))
    screen, made = report_on(fleet, previous=str(fleet.folder / "none.json"), max_age="9999d")
    assert "The previous report" in screen.as_one_line
    assert "cannot be read" in made["notes"][0]
    assert made["difference"] is None
