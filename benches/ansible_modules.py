"""Modules of other people, as Ansible sends them to a host: one Python file with all that it needs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path


def packed(module: str, options: dict[str, object], folder: Path) -> Path:
    """Let Ansible pack a module with its options, and keep what it would run on the host."""
    remote = folder / "remote"
    shutil.rmtree(remote, ignore_errors=True)
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(Path(__file__).parents[1] / "ansible.cfg"),
        "ANSIBLE_KEEP_REMOTE_FILES": "1",
        "ANSIBLE_REMOTE_TMP": str(remote),
        "ANSIBLE_PIPELINING": "0",
    }
    ansible = Path(sys.executable).with_name("ansible")
    variables = f"ansible_python_interpreter={sys.executable}"
    command = [ansible, "localhost", "-c", "local", "-e", variables, "-m", module, "-a", json.dumps(options)]
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    found = list(remote.glob("*/AnsiballZ_*.py"))
    if finished.returncode != 0 or len(found) != 1:
        message = f"Ansible did not run {module}: {finished.stdout} {finished.stderr}"
        raise RuntimeError(message)
    kept = folder / f"{module.rpartition('.')[2]}.py"
    shutil.move(found[0], kept)
    return kept
