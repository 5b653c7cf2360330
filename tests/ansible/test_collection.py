"""The collection as `make dist` builds it and people install it: nothing is taken from the project's folder."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest
import yaml
from aspera_roots import KEY, AsperaRoot
from controllers import PROJECT
from pages import broken_links

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from controllers import Controller, Screen
    from ssh_server import SshServer

MODULES = sorted(source.stem for source in (PROJECT / "src/bin").glob("*.rs"))
FULL_NAMES = [f"aspera_ops.sse.{module}" for module in MODULES]
DOCROOT, INFO, TRAPD = (f"aspera_ops.sse.aspera_{name}" for name in ("docroot_sse", "sse_info", "trapd_sse"))
#: The modules that run only on the controller.
CONTROLLER_ACTIONS = [
    "aspera_ops.sse.aspera_sse_evidence",
    "aspera_ops.sse.aspera_sse_manifest",
    "aspera_ops.sse.aspera_sse_report",
    "aspera_ops.sse.aspera_sse_variables",
]
#: The playbooks that only look, or remove what the action plugins keep.
READ_ONLY = {"audit.yml", "remove_kept_builds.yml", "report.yml"}
#: The playbooks that go to no server.
ON_THE_CONTROLLER = {"report.yml"}
#: The limit of Galaxy.
BYTES_AT_MOST = 20_000_000
ARCHITECTURES = {"x86_64": "Advanced Micro Devices X86-64", "aarch64": "AArch64"}

SYSTEM = {"server_side_encryption": "AWS_KMS", "kms_key_id": KEY}


def content(controller: Controller) -> Path:
    """Return the folder of the installed collection."""
    assert controller.collections
    return controller.collections / "ansible_collections/aspera_ops/sse"


def run_on(
    controller: Controller,
    folder: Path,
    playbook: str | list,
    *arguments: str,
    around: tuple[str, ...] = (),
    **variables: object,
) -> Screen:
    """Run a playbook, of the collection if it is a name, on this machine."""
    inventory = folder / "inventory.json"
    known = {"ansible_connection": "local", "ansible_become": False, "aspera_sse_settle_seconds": 0, **variables}
    inventory.write_text(json.dumps({"aspera": {"hosts": {"server": known}}}), encoding="utf-8")
    if not isinstance(playbook, str):
        path = folder / "playbook.yml"
        path.write_text(yaml.safe_dump(playbook, sort_keys=False), encoding="utf-8")
        playbook = str(path)
    return controller.run("ansible-playbook", "--inventory", inventory, *arguments, playbook, around=around)


@pytest.mark.needs("readelf")
def test_the_tarball_is_small_and_its_sums_are_right(installed: Controller) -> None:
    """It contains two builds of each module, both static, and its name has the version of the crate."""
    version = re.search(r'^version = "(.*)"$', (PROJECT / "Cargo.toml").read_text(), re.MULTILINE)
    assert version
    tarball = PROJECT / f"target/dist/aspera_ops-sse-{version[1]}.tar.gz"
    assert tarball.stat().st_size < BYTES_AT_MOST
    packages = tarball.with_name(f"{tarball.name.removesuffix('.tar.gz')}.cdx.json")
    sums = dict(reversed(line.split()) for line in (PROJECT / "target/dist/SHA256SUMS").read_text().splitlines())
    assert sums == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (tarball, packages)}
    check_packages(json.loads(packages.read_text()), sums[tarball.name])
    with tarfile.open(tarball) as opened:
        manifest = json.load(opened.extractfile("MANIFEST.json"))
        assert {member.mode & 0o22 for member in opened.getmembers()} == {0}
    assert manifest["collection_info"]["version"] == version[1]

    binaries = content(installed) / "plugins/binaries"
    listed = dict(reversed(line.split()) for line in (binaries / "SHA256SUMS").read_text().splitlines())
    assert set(listed) == {f"{module}_{architecture}" for module in MODULES for architecture in ARCHITECTURES}
    for name, sha256 in listed.items():
        assert hashlib.sha256((binaries / name).read_bytes()).hexdigest() == sha256
        command = ["readelf", "--wide", "--file-header", "--program-headers", binaries / name]
        header = subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout
        assert ARCHITECTURES[name.rpartition("_")[2] if name.endswith("aarch64") else "x86_64"] in header
        assert "INTERP" not in header
    assert f"v{version[1]}" in (content(installed) / "CHANGELOG.md").read_text().replace("\\", "")


def check_packages(listed: dict, sum_of_tarball: str) -> None:
    """See that the list is of this file: what is in the binaries, in its locked version, and nothing of the build."""
    assert listed["metadata"]["component"]["hashes"] == [{"alg": "SHA-256", "content": sum_of_tarball}]
    locked = re.findall(r'^name = "(.*)"\nversion = "(.*)"$', (PROJECT / "Cargo.lock").read_text(), re.MULTILINE)
    components = {(component["name"], component["version"]) for component in listed["components"]}
    assert components < set(locked)
    names = {name for name, _ in components}
    assert {"nix", "ring", "rustls", "serde_json"} < names
    assert names.isdisjoint({"proptest", "serde_derive", "syn"})
    assert all(component["licenses"] for component in listed["components"])


def test_links_of_the_pages_lead_somewhere(installed: Controller) -> None:
    """The pages are those of the project, and what they link to is in the collection, too."""
    assert broken_links(content(installed)) == []


def test_ansible_doc_lists_and_shows_the_modules(installed: Controller) -> None:
    """They have full names, with options and examples that use full names."""
    screen = installed.run("ansible-doc", "-l", "aspera_ops.sse")
    assert screen.exit_status == 0, screen.text
    listed = [line.split()[0] for line in screen.text.splitlines() if line.strip()]
    assert listed == sorted([*FULL_NAMES, *CONTROLLER_ACTIONS])
    assert installed.run("ansible-doc", *CONTROLLER_ACTIONS).exit_status == 0
    data = installed.run("ansible-doc", "--json", *FULL_NAMES)
    assert data.exit_status == 0, data.text
    for module, full_name in zip(MODULES, FULL_NAMES, strict=True):
        written = yaml.safe_load((PROJECT / f"library/{module}.yml").read_text())
        read = json.loads(data.text)[full_name]
        assert set(read["doc"]["options"]) == set(written["DOCUMENTATION"]["options"])
        examples = yaml.safe_load(read["examples"])
        assert {name for task in examples for name in task if name.endswith(module)} == {full_name}
        assert set(read["return"]) == set(
            yaml.safe_load(written["RETURN"]) if isinstance(written["RETURN"], str) else written["RETURN"]
        )
    role = installed.run("ansible-doc", "--type", "role", "aspera_ops.sse.aspera_sse")
    assert "aspera_sse_docroots" in role.text, role.text


def test_defaults_of_the_group_reach_all_modules(installed: Controller, folder: Path) -> None:
    """They are set by module_defaults and the name of the group."""
    root = AsperaRoot.lay_out(folder / "aspera", "")
    tasks = [
        {"name": "System", TRAPD: SYSTEM},
        {"name": "Docroots", DOCROOT: {"user": "acme", **SYSTEM}},
        {"name": "Look", INFO: {}, "register": "found"},
        {"name": "See", "ansible.builtin.assert": {"that": f"found.trapd.kms_key_id == '{KEY}'", "quiet": True}},
    ]
    play = {
        "hosts": "all",
        "gather_facts": False,
        "module_defaults": {"group/aspera_ops.sse.sse": {"aspera_root": str(root.folder)}},
        "tasks": tasks,
    }
    screen = run_on(installed, folder, [play])
    assert screen.exit_status == 0, screen.text
    assert screen.recap["server"]["changed"] == 2


def test_the_role_and_the_playbooks_run_from_the_installed_copy(installed: Controller, folder: Path) -> None:
    """They run by their full names. The role finds its modules, and a second run finds nothing to do."""
    root = AsperaRoot.lay_out(folder / "aspera", "", "4.3.1.100")
    place = {"aspera_sse_root": str(root.folder)}
    screen = run_on(installed, folder, "aspera_ops.sse.audit", **place)
    assert screen.recap["server"]["failed"] == 1, screen.text
    settings = {"aspera_sse_system": SYSTEM, "aspera_sse_docroots": [{"user": "acme", **SYSTEM}]}
    play = [{"hosts": "all", "gather_facts": False, "roles": ["aspera_ops.sse.aspera_sse"]}]
    for changed in (2, 0):
        screen = run_on(installed, folder, play, **place, **settings)
        assert (screen.exit_status, screen.recap["server"]["changed"]) == (0, changed), screen.text
        assert "[WARNING]: Collection" not in screen.text
        assert "DEPRECATION" not in screen.text
    assert KEY in root.properties.read_text()
    assert KEY in root.conf.read_text()
    screen = run_on(installed, folder, "aspera_ops.sse.audit", **place)
    assert screen.exit_status == 0, screen.text


def test_the_answers_are_those_of_ansibles_own_way(installed: Controller, folder: Path) -> None:
    """The values, warnings and diff are the same, whether the build is kept or sent."""
    answers = []
    for keep_remote_files in (0, 1):
        root = AsperaRoot.lay_out(folder / f"aspera{keep_remote_files}", "server-side-encryption-aws-kms-key-id=x y\n")
        options = {"aspera_root": str(root.folder), "server_side_encryption": "AWS_KMS", "kms_key_id": "alias/a"}
        play = [{"hosts": "all", "gather_facts": False, "tasks": [{"name": "Set it", TRAPD: options}]}]
        around = ("env", f"ANSIBLE_KEEP_REMOTE_FILES={keep_remote_files}")
        inventory = folder / "inventory.json"
        inventory.write_text(json.dumps({"all": {"hosts": {"server": {"ansible_connection": "local"}}}}))
        playbook = folder / "playbook.yml"
        playbook.write_text(yaml.safe_dump(play))
        screen = installed.run("ansible-playbook", "-i", inventory, "--diff", "-v", playbook, around=around)
        assert ("ANSIBLE_KEEP_REMOTE_FILES" in screen.text) is bool(keep_remote_files), screen.text
        (result,) = screen.results
        warnings = sorted(re.findall(r"^\[WARNING\]: (.{40})", screen.text, re.MULTILINE))
        text = json.dumps([result.answer, result.diff, result.status, warnings])
        answers.append(text.replace(f"aspera{keep_remote_files}", "aspera"))
    assert "alias" in answers[0]
    assert "+server-side-encryption=AWS_KMS" in answers[0]
    assert answers[0] == answers[1]


def test_an_architecture_without_a_build(installed: Controller, folder: Path) -> None:
    """The message names those that exist. The architecture of this machine is taken out of a copy of the collection."""
    copy = dataclasses.replace(installed, collections=folder / "collections")
    shutil.copytree(installed.collections, copy.collections)
    (sums,) = copy.collections.glob("ansible_collections/*/*/plugins/binaries/SHA256SUMS")
    here = os.uname().machine
    (other,) = {"x86_64", "aarch64"} - {here}
    lines = [line for line in sums.read_text(encoding="ascii").splitlines(keepends=True) if f"_{here}" not in line]
    sums.write_text("".join(lines), encoding="ascii")
    inventory = folder / "inventory.json"
    inventory.write_text(json.dumps({"all": {"hosts": {"server": {"ansible_connection": "local"}}}}))
    screen = copy.run("ansible", "server", "-i", inventory, "-m", INFO)
    said = f"There is no build of aspera_sse_info for Linux {here}. There are builds for Linux {other}."
    assert said in screen.as_one_line, screen.text


def test_kept_builds_can_be_removed(installed: Controller, ssh_server: SshServer, folder: Path) -> None:
    """A playbook of the collection removes them for root and for the login. A second run has nothing to do."""
    AsperaRoot.lay_out(folder / "aspera", "")
    inventory = folder / "inventory.json"
    inventory.write_text(json.dumps({"all": {"hosts": {"server": ssh_server.inventory_variables}}}))
    for options in ("--become", "--verbose"):
        screen = installed.run("ansible", "server", "-i", inventory, "-m", INFO, options)
        assert screen.exit_status == 0, screen.text
    kept = [ssh_server.home(user) / ".cache/aspera_ops.sse" for user in ("root", "operator")]
    assert [folder.is_dir() for folder in kept] == [True, True]
    for changed in (2, 0):
        screen = installed.run("ansible-playbook", "-i", inventory, "aspera_ops.sse.remove_kept_builds")
        assert (screen.exit_status, screen.recap["server"]["changed"]) == (0, changed), screen.text
    assert [folder.exists() for folder in kept] == [False, False]


def packaged_playbooks() -> list[str]:
    """List the content of playbooks/ in the built file, by its path there."""
    (built,) = (PROJECT / "target/dist").glob("*.tar.gz")
    with tarfile.open(built) as opened:
        return sorted(
            member.name.removeprefix("playbooks/")
            for member in opened.getmembers()
            if member.isfile() and member.name.startswith("playbooks/")
        )


def test_packaged_playbooks_hold_no_values(installed: Controller) -> None:
    """Variables beside a packaged playbook would beat those of the inventory, and keys in it would be written."""
    for name in packaged_playbooks():
        assert re.fullmatch(r"\w+\.yml", name), f"playbooks/{name} is no playbook; variables belong to the inventory"
        text = (content(installed) / "playbooks" / name).read_text(encoding="utf-8")
        assert not re.search(r"arn:|alias/|[0-9a-f]{8}-[0-9a-f]{4}|\b\d{12}\b|kms_key_ids?:|s3://", text), name
        plays = yaml.safe_load(text)
        for play in plays:
            assert not {"vars_files", "vars_prompt", "environment"} & set(play), name
            assert all(variable.startswith("__") for variable in play.get("vars", {})), name


def test_packaged_playbooks_write_what_the_inventory_says(installed: Controller, folder: Path) -> None:
    """Each runs with an inventory of its own. It writes the same as the role, or nothing."""
    own_key = KEY.replace("111122223333", "444455556666")
    setting = {"server_side_encryption": "AWS_KMS", "kms_key_id": own_key}
    own_settings = {"aspera_sse_system": setting, "aspera_sse_docroots": [{"user": "acme", **setting}]}
    role = folder / "role.yml"
    role.write_text(
        yaml.safe_dump([{"hosts": "aspera", "gather_facts": False, "roles": ["aspera_ops.sse.aspera_sse"]}])
    )
    written = []
    for name in ("by the role", *packaged_playbooks()):
        place = folder / name.replace(" ", "_")
        root = AsperaRoot.lay_out(place / "aspera", "", "4.3.1.100")
        before = (root.properties.read_bytes(), root.conf.read_bytes())
        (place / "group_vars").mkdir()
        variables = {
            "ansible_connection": "local",
            "ansible_become": False,
            "aspera_sse_root": str(root.folder),
            "aspera_sse_settle_seconds": 0,
            **own_settings,
        }
        (place / "group_vars/aspera.yml").write_text(yaml.safe_dump(variables), encoding="utf-8")
        (place / "hosts.ini").write_text("[aspera]\nserver\n", encoding="ascii")
        playbook = str(role) if name == "by the role" else f"aspera_ops.sse.{name.removesuffix('.yml')}"
        screen = installed.run("ansible-playbook", "--inventory", place / "hosts.ini", playbook)
        assert ("server" in screen.recap) is (name not in ON_THE_CONTROLLER), screen.text
        after = (root.properties.read_bytes(), root.conf.read_bytes())
        written.append((name, before, after))
    _, before, expected = written[0]
    assert before != expected
    assert own_key.encode() in expected[0]
    for name, before, after in written[1:]:
        assert after == before or (name not in READ_ONLY and after == expected), name


def test_examples_are_documentation(installed: Controller, folder: Path) -> None:
    """They are there to be copied and do not run by a name. The role refuses them as long as they are unchanged."""
    root = AsperaRoot.lay_out(folder / "aspera", "")
    for name in ("single_server", "fleet.site", "examples.single_server"):
        screen = installed.run("ansible-playbook", "-i", "localhost,", f"aspera_ops.sse.{name}")
        assert screen.exit_status != 0
        assert not screen.recap, screen.text
    for example in ("single_server.yml", "fleet/site.yml"):
        path = content(installed) / "examples" / example
        screen = run_on(installed, folder, str(path), aspera_sse_root=str(root.folder), tenants=["acme"])
        assert screen.recap["server"] | {"failed": 1, "changed": 0} == screen.recap["server"], screen.text
        assert "still holds the placeholder CHANGE_ME" in screen.as_one_line
    assert root.properties.read_bytes() == root.before


@pytest.mark.parametrize("limit", [(), ("--limit", "server")])
def test_an_audit_of_no_host_fails(installed: Controller, folder: Path, limit: tuple[str, ...]) -> None:
    """It fails without a limit and within one. Ansible itself would succeed."""
    root = AsperaRoot.lay_out(folder / "aspera", "")
    variables = {"aspera_sse_root": str(root.folder)}
    nobody = ("--extra-vars", "target_hosts=nobody")
    screen = run_on(installed, folder, "aspera_ops.sse.audit", *limit, *nobody, **variables)
    assert screen.exit_status != 0
    assert "No server was audited: the inventory, within --limit, has no host that matches nobody" in screen.as_one_line
    somebody = ("--extra-vars", "target_hosts=aspera:!nobody")
    screen = run_on(installed, folder, "aspera_ops.sse.audit", *limit, *somebody, **variables)
    assert "Look at the encryption of all uploads" in screen.text
    # An inventory without any host, of which only the implicit localhost is left.
    (folder / "empty").write_text("", encoding="ascii")
    screen = installed.run("ansible-playbook", "--inventory", folder / "empty", "aspera_ops.sse.audit")
    assert screen.exit_status != 0
    assert "No server was audited" in screen.as_one_line


@pytest.mark.parametrize(
    ("expect", "says"),
    [
        ('[{"server_side_encryption": "AES256"}]', None),
        (None, "not AWS_KMS"),
        ("AES256", "aspera_sse_expect must be a list"),
    ],
)
def test_the_expectation_of_an_audit(installed: Controller, folder: Path, expect: str | None, says: str | None) -> None:
    """It is a KMS key by default, or else the value of the variable, which may be text."""
    root = AsperaRoot.lay_out(folder / "aspera", "server-side-encryption=AES256\n", "4.3.1.100")
    variables = {"aspera_sse_root": str(root.folder), **({"aspera_sse_expect": expect} if expect else {})}
    screen = run_on(installed, folder, "aspera_ops.sse.audit", **variables)
    assert (screen.exit_status == 0) is (says is None), screen.text
    assert (says or "") in screen.as_one_line
    misspelt = {**variables, "aspera_sse_rot": "/srv/aspera"}
    screen = run_on(installed, folder, "aspera_ops.sse.audit", **misspelt)
    assert "Did you mean aspera_sse_root?" in screen.as_one_line
    assert screen.recap["server"]["failed"] == 1


@pytest.mark.parametrize("strict", [False, True])
def test_what_is_not_known_fails_a_strict_audit_only(installed: Controller, folder: Path, *, strict: bool) -> None:
    """It is not known whether trapd is enabled. Both runs show that."""
    root = AsperaRoot.lay_out(folder / "aspera", "server-side-encryption=AES256\n", "4.3.1.100")
    expect = [{"server_side_encryption": "AES256"}]
    variables = {"aspera_sse_root": str(root.folder), "aspera_sse_expect": expect, "strict": strict}
    screen = run_on(installed, folder, "aspera_ops.sse.audit", **variables)
    assert (screen.exit_status != 0) is strict, screen.text
    assert "Not known to be compliant." in screen.as_one_line
    assert "is not known to be as expected" in screen.as_one_line


def no_configuration(root: AsperaRoot) -> None:
    """Take aspera.conf away."""
    root.conf.unlink()


def malformed(root: AsperaRoot) -> None:
    """Leave a tag of aspera.conf open."""
    root.write_conf(b"<CONF><aaa></CONF>")


def nothing_installed(root: AsperaRoot) -> None:
    """Take all of Aspera away."""
    shutil.rmtree(root.folder)


@pytest.mark.parametrize("arrange", [no_configuration, malformed, nothing_installed])
def test_an_unreadable_file_fails_the_audit(
    installed: Controller, folder: Path, arrange: Callable[[AsperaRoot], None]
) -> None:
    """It must not leave the audit green."""
    root = AsperaRoot.lay_out(folder / "aspera", "server-side-encryption=AWS_KMS\n", "4.3.1.100")
    arrange(root)
    screen = run_on(installed, folder, "aspera_ops.sse.audit", aspera_sse_root=str(root.folder))
    assert screen.recap["server"]["failed"] == 1, screen.text
    assert "Fail if an upload is not encrypted as expected, or could not be judged" in screen.text


def test_the_playbooks_are_well_formed(installed: Controller) -> None:
    """The check goes as far as Ansible can check without a host."""
    for playbook in packaged_playbooks():
        path = content(installed) / "playbooks" / playbook
        screen = installed.run("ansible-playbook", "--syntax-check", "-i", "localhost,", path)
        assert screen.exit_status == 0, screen.text
