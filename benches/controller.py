"""A controller of its own: the Ansible of these benchmarks, with the collection installed as a user installs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).resolve().parents[1]
PROGRAMS = Path(sys.executable).parent


@dataclass(frozen=True)
class Run:
    """What a playbook took: seconds from start to exit, of CPU of the controller, and its tasks (`task_times`)."""

    wall: float
    cpu: float
    tasks: list[dict]
    #: The most bytes of memory of one of its processes.
    peak: int


@dataclass(frozen=True)
class Controller:
    """Ansible in a folder, whose path must be short, as sockets are in it."""

    folder: Path

    def run(
        self, playbook: list | Path | str, inventory: dict, *arguments: str, environment: dict[str, str] | None = None
    ) -> Run:
        """Run a playbook, given as its file, its name in a collection or as what is in it. It must succeed."""
        if isinstance(playbook, list):
            (self.folder / "playbook.json").write_text(json.dumps(playbook), encoding="utf-8")
            playbook = self.folder / "playbook.json"
        (self.folder / "inventory.json").write_text(json.dumps(inventory), encoding="utf-8")
        command = [PROGRAMS / "ansible-playbook", "--inventory", self.folder / "inventory.json", *arguments, playbook]
        screen = self.folder / "screen"
        start = time.perf_counter()
        with screen.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**self.environment, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            try:
                # With the CPU time of all that it started and waited for, such as the clients of SSH.
                _, status, used = os.wait4(process.pid, 0)
            except BaseException:
                process.kill()
                raise
        end = time.perf_counter()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            message = f"{playbook} failed:\n{screen.read_text(encoding='utf-8', errors='replace')}"
            raise RuntimeError(message)
        tasks = [json.loads(line) for line in (self.folder / "task-times").read_text(encoding="utf-8").splitlines()]
        return Run(end - start, used.ru_utime + used.ru_stime, tasks, used.ru_maxrss * 1024)

    @property
    def environment(self) -> dict[str, str]:
        """The settings of Ansible, and none of those of the user."""
        return {
            "ANSIBLE_CALLBACKS_ENABLED": "task_times",
            "ANSIBLE_CALLBACK_PLUGINS": str(PROJECT / "benches/callbacks"),
            "ANSIBLE_COLLECTIONS_PATH": str(self.folder / "collections"),
            "ANSIBLE_CONFIG": str(self.folder / "ansible.cfg"),
            "ANSIBLE_HOME": str(self.folder / "home"),
            # For the modules as they go without the collection.
            "ANSIBLE_LIBRARY": str(PROJECT / "library"),
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.folder / "cp"),
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
            "TASK_TIMES": str(self.folder / "task-times"),
        }

    @property
    def mitogen(self) -> dict[str, str]:
        """The settings with which Ansible runs tasks under mitogen."""
        (plugins,) = PROGRAMS.parent.glob("lib/*/site-packages/ansible_mitogen/plugins/strategy")
        return {"ANSIBLE_STRATEGY": "mitogen_linear", "ANSIBLE_STRATEGY_PLUGINS": str(plugins)}

    def hang_up(self) -> None:
        """End the connections that ssh keeps for later runs."""
        for socket in (self.folder / "cp").glob("*"):
            subprocess.run(
                ["ssh", "-o", f"ControlPath={socket}", "-O", "exit", "any"], capture_output=True, check=False
            )


@contextmanager
def controller(folder: Path, name: str = "a", built: Path | None = None) -> Iterator[Controller]:
    """Install a build of the collection into a folder of its own; afterwards no connection is left."""
    own = folder / name
    own.mkdir(mode=0o700)
    (own / "ansible.cfg").write_text("[defaults]\nnocows = true\n", encoding="utf-8")
    ansible = Controller(own)
    if built is None:
        (built,) = (PROJECT / "target/dist").glob("*.tar.gz")
    command = [PROGRAMS / "ansible-galaxy", "collection", "install", "--offline", built]
    subprocess.run(command, cwd=own, env=ansible.environment, check=True, capture_output=True)
    try:
        yield ansible
    finally:
        ansible.hang_up()
