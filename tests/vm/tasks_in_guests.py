"""Guests that run tasks of the built modules by the scripts in tests/vm/scripts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import packages
from guest import Guest
from initramfs import initramfs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PROJECT = Path(__file__).resolve().parents[2]
SCRIPTS = PROJECT / "tests/vm/scripts"
MODULES = {name: PROJECT / "library" / name for name in ("aspera_trapd_sse", "aspera_docroot_sse")}

#: The settings that tasks go back and forth between.
SETTINGS = {
    "A": {
        "server_side_encryption": "AWS_KMS",
        "kms_key_id": "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    },
    "B": {"server_side_encryption": "AES256"},
}

#: What every guest gets beside BusyBox. The `dd` of BusyBox writes through caches where it says that it does not.
PROGRAMS = {"coreutils": ("dd",), "acl": ("setfacl",), "attr": ("getfattr", "setfattr")}


def tasks(**more: object) -> dict[str, dict[str, object]]:
    """Return the arguments of all tasks, by their names, with some more in each."""
    common = {"aspera_root": "/mnt/opt/aspera", **more}
    found: dict[str, dict[str, object]] = {}
    for name, setting in SETTINGS.items():
        for suffix, backup in (("", False), ("-backup", True)):
            task = {**common, **setting, "backup": backup}
            found[f"trapd-{name}{suffix}"] = task
            found[f"conf-{name}{suffix}"] = {**task, "all": True}
    return {**found, "trapd-create": {**common, **SETTINGS["A"], "create": True}}


def run_script(
    name: str,
    settings: Mapping[str, object],
    drives: Sequence[Sequence[str]],
    limit: float,
    *,
    kernel: packages.Kernel | None = None,
    kernel_modules: Sequence[str] = (),
    modules: Mapping[str, Path] = MODULES,
    programs: Mapping[str, Sequence[str]] | None = None,
    files: Mapping[str, bytes | Path] | None = None,
    memory: int = 512,
    **more: object,
) -> str:
    """Run a script in a guest, with variables of its shell before it; return what it printed.

    `more` are options of all tasks.
    """
    kernel = kernel or packages.kernel()
    programs = PROGRAMS if programs is None else programs
    names = [name for of_package in programs.values() for name in of_package]
    head = "".join(f"{variable}='{value}'\n" for variable, value in settings.items())
    content = {
        **(packages.files_of(packages.root(f"guest-{'-'.join(programs)}", (*programs,)), *names) if names else {}),
        **{f"modules_of_ours/{module}": path for module, path in modules.items()},
        **{f"tasks/{task}.json": json.dumps(arguments).encode() for task, arguments in tasks(**more).items()},
        "tasks.sh": SCRIPTS / "tasks.sh",
        **(files or {}),
    }
    script = head + (SCRIPTS / name).read_text(encoding="utf-8")
    start = initramfs(kernel, script, modules=kernel_modules, files=content)
    with Guest(kernel, start, drives=drives, memory=memory) as guest:
        return guest.wait_for_end(limit)
