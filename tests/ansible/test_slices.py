"""A fleet beyond one controller: slices run by ansible-runner on workers, their evidence joined in one report."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml
from controllers import PROJECT
from fleet import KMS, Fleet

if TYPE_CHECKING:
    from pathlib import Path

    from controllers import Controller

#: As AWX runs a job on another machine: what it needs goes there, and what comes of it comes back.
PIPELINE = '"$0" transmit "$1" -p aspera_ops.sse.audit | "$0" worker --private-data-dir "$2" | "$0" process "$1"'
#: A folder for what comes back, which ansible-runner names to the play.
ARTIFACTS = "{{ lookup('ansible.builtin.env', 'AWX_ISOLATED_DATA_DIR') }}"
EXAMPLE = PROJECT / "examples/execution-environment/execution-environment.yml"


@pytest.fixture
def fleet(under_runner: Controller, folder: Path) -> Fleet:
    """Give a fleet of four servers in two slices."""
    fleet = Fleet(under_runner, folder)
    for name, properties in (("eu1", KMS), ("eu2", ""), ("us1", KMS), ("us2", KMS)):
        fleet.add(name, properties).write_conf(b"<CONF/>")
    return fleet


def run_slice(fleet: Fleet, name: str) -> Path:
    """Audit the servers whose names begin so on a worker, and return the evidence that came back."""
    data, worker = fleet.folder / name, fleet.folder / f"worker-{name}"
    for folder in (data / "inventory", data / "env", worker):
        folder.mkdir(parents=True)
    common = {"ansible_connection": "local", "ansible_become": False, "ansible_python_interpreter": "/no/python"}
    hosts = {host: {**common, **variables} for host, variables in fleet.servers.items() if host.startswith(name)}
    kept = yaml.safe_load((fleet.folder / "group_vars/all.yml").read_text(encoding="utf-8"))
    inventory = {"aspera": {"hosts": hosts, "vars": kept}}
    (data / "inventory/hosts.json").write_text(json.dumps(inventory), encoding="utf-8")
    (data / "env/extravars").write_text(json.dumps({"evidence_dir": f"{ARTIFACTS}/evidence"}), encoding="utf-8")
    screen = fleet.controller.run("ansible-runner", data, worker, around=("bash", "-c", PIPELINE))
    assert "PLAY RECAP" in screen.text, screen.text
    (evidence,) = data.glob("artifacts/**/evidence")
    return evidence


@pytest.mark.needs("bash")
def test_evidence_of_slices_comes_back_and_makes_one_report(fleet: Fleet) -> None:
    """Two slices on two workers; the report says what an audit of all servers would."""
    slices = [run_slice(fleet, name) for name in ("eu", "us")]
    assert [sorted(file.name for file in (one / "hosts").iterdir()) for one in slices] == [
        ["eu1.json", "eu2.json"],
        ["us1.json", "us2.json"],
    ]
    target = str(fleet.folder / "report")
    screen = fleet.play("aspera_ops.sse.report", evidence_dir=[str(one) for one in slices], report_dir=target)
    joined = json.loads((fleet.folder / "report/report.json").read_text())
    states = {host["host"]: host["state"] for host in joined["hosts"]}
    assert set(states) == set(fleet.servers)
    assert all(host["sha256"] for host in joined["hosts"])
    assert joined["difference"] is None

    fleet.audit()
    fleet.play("aspera_ops.sse.report", report_dir=target)
    whole = json.loads((fleet.folder / "report/report.json").read_text())
    assert {host["host"]: host["state"] for host in whole["hosts"]} == states, screen.text
    # The report of the slices was the previous one.
    assert all(whole["difference"][name] == [] for name in ("worse", "better", "new", "missing", "edited"))

    # One slice alone is no report of the fleet.
    fleet.play("aspera_ops.sse.report", evidence_dir=str(slices[0]), report_dir=target)
    half = json.loads((fleet.folder / "report/report.json").read_text())
    assert {host["host"] for host in half["hosts"] if host["state"] == "missing"} == {"us1", "us2"}


def test_what_was_changed_on_the_way_is_red(fleet: Fleet) -> None:
    """A worker, or whoever carries its evidence, cannot make a server green."""
    evidence = run_slice(fleet, "eu")
    file = evidence / "hosts/eu2.json"
    shutil.copy(evidence / "hosts/eu1.json", file)
    screen = fleet.play("aspera_ops.sse.report", evidence_dir=str(evidence), report_dir=str(fleet.folder / "report"))
    made = json.loads((fleet.folder / "report/report.json").read_text())
    assert {host["host"]: host["state"] for host in made["hosts"]}["eu2"] == "untrusted"
    assert "The evidence of 1 host cannot be trusted: eu2." in screen.as_one_line
    assert screen.exit_status != 0


def test_the_execution_environment_has_the_collection(under_runner: Controller, folder: Path) -> None:
    """The context of its build is complete: what the build installs there can be installed from it."""
    (built,) = (PROJECT / "target/dist").glob("aspera_ops-sse-*.tar.gz")
    shutil.copy(EXAMPLE, folder)
    shutil.copy(built, folder / "aspera_ops-sse.tar.gz")
    context = folder / "context"
    arguments = ("create", "--file", folder / EXAMPLE.name, "--context", context, "--output-filename", "Containerfile")
    screen = under_runner.run("ansible-builder", *arguments)
    assert screen.exit_status == 0, screen.text
    containerfile = (context / "Containerfile").read_text(encoding="utf-8")
    assert "FROM $EE_BASE_IMAGE" in containerfile
    (install,) = [line for line in containerfile.splitlines() if "ansible-galaxy collection install" in line]
    assert "-r requirements.yml" in install
    assert "openssh-clients" in (context / "_build/bindep.txt").read_text(encoding="utf-8")
    # As that line does, in the folder that the build copies.
    command = (
        under_runner.folder / "ansible-galaxy",
        "collection",
        "install",
        "-r",
        "requirements.yml",
        "-p",
        folder / "c",
    )
    installed = subprocess.run(command, cwd=context / "_build", check=False, capture_output=True, encoding="utf-8")
    assert installed.returncode == 0, installed.stdout + installed.stderr
    assert (folder / "c/ansible_collections/aspera_ops/sse/playbooks/report.yml").exists()
