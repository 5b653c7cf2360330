"""Lays out the collection: assemble_collection.py VERSION DATE FOLDER.

Its documentation, role, playbooks and examples are those of this project, with the full names that modules have in a
collection.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import yaml
from answer_rules import rules_of

PROJECT = Path(__file__).resolve().parents[1]
COLLECTION = "aspera_ops.sse"
ARCHITECTURES = ("x86_64", "aarch64")
MODULES = sorted(path.stem for path in (PROJECT / "src/bin").glob("*.rs"))
ROLE = "aspera_sse"
#: Actions of the role that run on the controller alone. Outside the collection, they are in the role.
ACTIONS = sorted(path.stem for path in (PROJECT / "roles" / ROLE / "action_plugins").glob("*.py"))
#: What is shown in the documentation. Never in playbooks/: what is there runs by its name, with its own values.
EXAMPLES = ("single_server.yml", "prove.yml", "execution-environment", "fleet", "nightly")
#: Pages for those who work on the project, not for users of the collection.
OWN_PAGES = ("architecture.md", "fuzz.md", "mutants.md", "site")

STUB = '''\
#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the compiled module {module}, which the action plugin of the same name runs."""

from __future__ import annotations

DOCUMENTATION = r"""
---
{DOCUMENTATION}"""

EXAMPLES = r"""
---
{EXAMPLES}"""

RETURN = r"""
---
{RETURN}"""
'''


def main(version: str, date: str, tree: Path) -> None:
    """Make the tree anew."""
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(PROJECT / "collection", tree, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (tree / "galaxy.yml", tree / "README.md"):
        path.write_text(path.read_text(encoding="utf-8").replace("VERSION", version), encoding="utf-8")
    shutil.copy(PROJECT / "LICENSE", tree)
    shutil.copytree(PROJECT / "docs", tree / "docs", ignore=shutil.ignore_patterns(*OWN_PAGES))
    write_binaries(tree / "plugins/binaries")
    write_documentation(tree / "plugins/modules")
    write_answer_rules(tree / "plugins/plugin_utils/answers.json")
    copy_with_full_names(PROJECT / "roles" / ROLE, tree / "roles" / ROLE)
    # A role in a collection has no plugins of its own.
    for action in ACTIONS:
        shutil.copy(PROJECT / "roles" / ROLE / f"action_plugins/{action}.py", tree / "plugins/action")
    shutil.rmtree(tree / "roles" / ROLE / "action_plugins")
    copy_with_full_names(PROJECT / "playbooks", tree / "playbooks")
    copy_with_full_names(PROJECT / "examples", tree / "examples", only=EXAMPLES)
    write_changelog(tree, version, date)


def write_binaries(folder: Path) -> None:
    """Copy all builds, and write down their sums."""
    folder.mkdir(parents=True)
    sums = []
    for module in MODULES:
        for architecture in ARCHITECTURES:
            content = (PROJECT / f"target/{architecture}-unknown-linux-musl/release/{module}").read_bytes()
            build = folder / f"{module}_{architecture}"
            build.write_bytes(content)
            build.chmod(0o755)
            sums.append(f"{hashlib.sha256(content).hexdigest()}  {build.name}\n")
    (folder / "SHA256SUMS").write_text("".join(sums), encoding="ascii")


def write_documentation(folder: Path) -> None:
    """Write what ansible-doc reads, from what it reads beside a binary."""
    for module in MODULES:
        text = (PROJECT / f"library/{module}.yml").read_text(encoding="utf-8")
        sections = re.findall(r"^([A-Z]+):(?: \|)?\n((?:(?:  .*)?\n)+)", text, re.MULTILINE)
        content = {name: with_full_names(textwrap.dedent(section).strip("\n") + "\n") for name, section in sections}
        (folder / f"{module}.py").write_text(STUB.format(module=module, **content), encoding="utf-8")


def write_answer_rules(file: Path) -> None:
    """Write what each module may answer: what it documents."""
    rules = {}
    for module in MODULES:
        documentation = yaml.safe_load((PROJECT / f"library/{module}.yml").read_text(encoding="utf-8"))
        rules[module] = rules_of(documentation)
    file.write_text(json.dumps(rules, indent=1, sort_keys=True) + "\n", encoding="ascii")


def copy_with_full_names(source: Path, target: Path, only: tuple[str, ...] = ()) -> None:
    """Copy a folder of playbooks, or a role; modules and the role are called by their full names there."""
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source)
        if path.is_file() and "__pycache__" not in name.parts and (not only or name.parts[0] in only):
            copy = target / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(with_full_names(path.read_text(encoding="utf-8")), encoding="utf-8")


def with_full_names(text: str) -> str:
    """Write full names where a module or the role is called, or another module's documentation is referred to."""
    modules = "|".join((*MODULES, *ACTIONS))
    text = re.sub(rf"^(\s*(?:- )?(?:module: )?)({modules})(:?)$", rf"\1{COLLECTION}.\2\3", text, flags=re.MULTILINE)
    text = re.sub(rf"\bM\(({modules})\)", rf"M({COLLECTION}.\1)", text)
    # The name in a module's own documentation is the short one.
    text = re.sub(rf"^module: {re.escape(COLLECTION)}\.", "module: ", text, flags=re.MULTILINE)
    return re.sub(rf"^(\s*- role: |\s*name: ){ROLE}$", rf"\1{COLLECTION}.{ROLE}", text, flags=re.MULTILINE)


def write_changelog(tree: Path, version: str, date: str) -> None:
    """Write the changelog as it is at this version; what is not released yet is taken for released now."""
    shutil.copytree(PROJECT / "changelogs", tree / "changelogs")
    changelog = tree / "changelogs/changelog.yaml"
    arguments = ["generate"]
    if not changelog.exists() or f"\n  {version}:\n" not in changelog.read_text(encoding="utf-8"):
        arguments = ["release", "--version", version, "--date", date]
    program = Path(sys.executable).with_name("antsibull-changelog")
    subprocess.run([program, *arguments], cwd=tree, check=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
