"""The documentation as users meet it: through ansible-doc, and by copying its examples."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING

import pytest
import yaml
from aspera_roots import KEY, AsperaRoot, shipped_properties
from controllers import PROJECT
from pages import pages_of

if TYPE_CHECKING:
    from pathlib import Path

    from controllers import Controller

MODULES = sorted(source.stem for source in (PROJECT / "src/bin").glob("*.rs"))

# $1 is a folder that contains opt/aspera. Only for the command that follows, it is /opt.
WITH_OPT = 'mount --bind "$1/opt" /opt && shift && exec "$@"'

#: The variables of the examples. The secret from the vault contains a slash, as AWS secrets may.
VARIABLES = {
    "vault_access_key_id": "DUMMYVAULTKEY",
    "vault_secret_key": "DUMMY/VAULT+SECRET",
    "vault_node_audit_password": "DUMMYVAULTPASSWORD",
    "initech_bucket": "initech-media",
    "tenant_kms_key_arn": KEY,
}
PLACEHOLDER = re.compile(r"CHANGE_ME\w*")


def documentation(module: str) -> dict:
    """Read a module's documentation."""
    text = (PROJECT / "library" / f"{module}.yml").read_text(encoding="utf-8")
    return yaml.safe_load(text)


def as_data(documented: str | dict) -> dict:
    """Read a part of the documentation that may be data or text that holds data."""
    return yaml.safe_load(documented) if isinstance(documented, str) else documented


def test_the_benchmarks_have_one_figure_for_one_task() -> None:
    """What is said of other modules is held against the figure in the table."""
    page = (PROJECT / "docs/benchmarks.md").read_text(encoding="utf-8")
    (in_table,) = re.findall(r"^\| 10,000 \(1,000\) \| ([\d.]+ ms) \|", page, re.MULTILINE)
    (in_text,) = re.findall(r"what our one task takes \(([\d.]+ ms)\)", page)
    assert in_text == in_table


@pytest.mark.parametrize("module", MODULES)
def test_ansible_doc_shows_the_module(controller: Controller, module: str) -> None:
    """Every option, attribute and key of the answer is on the screen, and nothing is complained about."""
    place = ("--type", "module", "--module-path", PROJECT / "library", module)
    screen = controller.run("ansible-doc", *place)
    assert screen.exit_status == 0, screen.text
    written = documentation(module)["DOCUMENTATION"]
    shown = re.sub(r"\x1b\[[\d;]*m", "", screen.text)
    for name in (*written["options"], *written["attributes"], *as_data(documentation(module)["RETURN"])):
        assert re.search(rf"^\W*{name}\b", shown, re.MULTILINE), name
    for noise in ("WARNING", "ERROR", "undocumented", "UNKNOWN"):
        assert noise not in shown

    data = controller.run("ansible-doc", "--json", *place)
    assert data.exit_status == 0, data.text
    read = json.loads(data.text)[module]
    assert set(read["doc"]["options"]) == set(written["options"])
    assert read["doc"]["short_description"] == written["short_description"]
    assert read["examples"].strip() == documentation(module)["EXAMPLES"].strip()


@pytest.mark.needs("root", "namespaces")
@pytest.mark.parametrize("module", MODULES)
def test_the_examples_run_once_filled_in(controller: Controller, folder: Path, module: str) -> None:
    """They run on /opt/aspera, which exists only for this run, and each does its work. There is no network."""
    tasks = yaml.safe_load(PLACEHOLDER.sub(KEY, documentation(module)["EXAMPLES"]))
    (folder / "opt").mkdir()
    roots = {"/opt/aspera"} | {(task.get(module) or {}).get("aspera_root", "/opt/aspera") for task in tasks}
    for root in roots:
        AsperaRoot.lay_out(folder / root.lstrip("/"), shipped_properties())
    playbook = folder / "playbook.yml"
    notified = sorted({task["notify"] for task in tasks if "notify" in task})
    play = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars": VARIABLES,
        "tasks": tasks,
        # The services do not exist here.
        "handlers": [{"name": name, "ansible.builtin.debug": {"msg": name}} for name in notified],
    }
    playbook.write_text(yaml.safe_dump([play], sort_keys=False), encoding="utf-8")
    unshare = shutil.which("unshare")
    assert unshare
    screen = controller.run(
        "ansible-playbook",
        playbook,
        "--diff",
        around=(unshare, "--mount", "--net", "sh", "-c", WITH_OPT, "sh", str(folder)),
    )
    # An audit fails for a server that does not encrypt, and a trial where S3 is not reached.
    is_audit = module.endswith("_info") or module == "aspera_s3_trial_upload"
    assert (screen.exit_status == 0) is not is_audit, screen.text
    assert len(screen.results) >= len(tasks)
    results = screen.results[: len(tasks)]
    changes = [(task, result) for task, result in zip(tasks, results, strict=True) if result.status == "changed"]
    assert bool(changes) is not is_audit
    # Under no_log, Ansible shows no diff.
    assert all(bool(result.edits) != task.get("no_log", False) for task, result in changes), screen.text
    # It appears neither as it is nor percent-encoded.
    assert "DUMMY" not in screen.text


@pytest.mark.parametrize("module", MODULES)
def test_the_placeholders_of_the_examples_are_refused(controller: Controller, folder: Path, module: str) -> None:
    """The module itself refuses them before it writes anything: no server gets a key from the documentation."""
    tasks = [task for task in yaml.safe_load(documentation(module)["EXAMPLES"]) if PLACEHOLDER.search(str(task))]
    assert tasks
    root = AsperaRoot.lay_out(folder / "opt/aspera", shipped_properties())
    before = {path: path.read_bytes() for path in (root.properties, root.conf)}
    for task in tasks:
        task.pop("notify", None)
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "ignore_errors": True, "tasks": tasks}
    play["vars"] = VARIABLES
    playbook = folder / "playbook.yml"
    playbook.write_text(yaml.safe_dump([play], sort_keys=False), encoding="utf-8")
    unshare = shutil.which("unshare")
    assert unshare
    around = (unshare, "--mount", "sh", "-c", WITH_OPT, "sh", str(folder))
    screen = controller.run("ansible-playbook", playbook, around=around)
    assert screen.recap["localhost"] | {"ignored": len(tasks), "changed": 0} == screen.recap["localhost"], screen.text
    assert screen.as_one_line.count("is not a key id, a key ARN") >= len(tasks)
    assert {path: path.read_bytes() for path in before} == before


def test_no_documentation_holds_a_key_to_copy() -> None:
    """The sample of a result may contain one. Text that is there to be copied has placeholders."""
    key = re.compile(r"\bkms_key_ids?\b\S*\s*[\[-]?\s*.{0,3}(arn:|alias/|[0-9a-f]{8}-)")
    pages = [page.read_text(encoding="utf-8") for page in [*pages_of(PROJECT), PROJECT / "collection/README.md"]]
    texts = [block for page in pages for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)]
    texts += [documentation(module)["EXAMPLES"] for module in MODULES]
    texts += [
        path.read_text(encoding="utf-8")
        for path in (PROJECT / "examples").rglob("*.yml")
        if not path.name.startswith("demo")
    ]
    assert sum("CHANGE_ME" in text for text in texts) > len(MODULES)
    for text in texts:
        assert not key.search(text), text
        assert "arn:aws" not in text, text
