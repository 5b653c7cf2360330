"""Runs the commands of a real ansible-core and reads what they show on the screen."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PLAYBOOKS = Path(__file__).resolve().parent / "playbooks"

# A test that waits longer than this hangs.
SECONDS_AT_MOST = 600

RESULT_LINE = re.compile(
    r"^(?P<status>ok|changed|fatal|failed): \[(?P<host>[^\]]+)\](?:: \w+!)?"
    r"(?: => \(item=(?P<item>.*?)\))?(?: => (?P<result>\{.*))?$"
)
RECAP_LINE = re.compile(r"^(?P<host>\S+)\s+: (?P<counts>ok=\d+.*)$")


@dataclass
class TaskResult:
    """What the screen shows for one task on one host."""

    host: str
    status: str
    item: str | None
    #: What the module answered, where the screen shows it (with -v, and for failures).
    answer: dict | None
    #: The lines of the diff shown above, header and all.
    diff: list[str]

    @property
    def edits(self) -> list[str]:
        """The coloured lines of the diff: what goes and what comes."""
        return [line for line in self.diff if line[:1] in {"-", "+"} and not line.startswith(("--- ", "+++ "))]


@dataclass
class Screen:
    """What one command showed, and how it ended."""

    text: str
    exit_status: int
    results: list[TaskResult] = field(default_factory=list)
    recap: dict[str, dict[str, int]] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str, exit_status: int) -> Screen:
        """Find the results, the diffs and the recap in a screen."""
        screen = cls(text, exit_status)
        diff: list[str] = []
        in_diff = False
        for line in text.splitlines():
            if found := RESULT_LINE.match(line):
                answer = json.loads(found["result"]) if found["result"] and found["result"].endswith("}") else None
                while diff and not diff[-1].strip():
                    diff.pop()
                screen.results.append(TaskResult(found["host"], found["status"], found["item"], answer, diff))
                diff, in_diff = [], False
            elif found := RECAP_LINE.match(line):
                counts = (count.split("=") for count in found["counts"].split())
                screen.recap[found["host"]] = {name: int(number) for name, number in counts}
            elif line.startswith(("--- before", "+++ after")):
                in_diff = True
                diff.append(line)
            elif in_diff:
                diff.append(line)
        return screen

    @property
    def as_one_line(self) -> str:
        """The text as it was before long warnings were wrapped, at blanks and behind hyphens."""
        return " ".join(self.text.replace("-\n", "-").split())

    def result(self, host: str) -> TaskResult:
        """Return the only result of a host."""
        (result,) = [result for result in self.results if result.host == host]
        return result


@dataclass(frozen=True)
class Controller:
    """An installed ansible-core, with a home folder of its own."""

    name: str
    home: Path
    #: Where collections are installed. With them, nothing is found in the project's folder.
    collections: Path | None = None

    @property
    def folder(self) -> Path:
        """Where its commands are."""
        return PROJECT / "target" / "venv" / f"ansible-{self.name}" / "bin"

    @property
    def version(self) -> tuple[int, ...]:
        """Its version, as the command prints it."""
        found = re.match(r"ansible \[core ([\d.]+)\]", self.run("ansible", "--version").text)
        assert found, "ansible --version prints no version"
        return tuple(int(part) for part in found[1].split("."))

    def run(self, command: str, *arguments: str | Path, around: tuple[str, ...] = ()) -> Screen:
        """Run a command as a person in the project's folder would, and read what it shows."""
        program = self.folder / command
        assert program.exists(), f"{program} is missing: run `make test`, which sets it up"
        place = self.home if self.collections else PROJECT
        environment = {
            "ANSIBLE_COLLECTIONS_PATH": str(self.collections or self.home),
            "ANSIBLE_CONFIG": str(place / "ansible.cfg"),
            # Ansible takes the home folder of a local user from its account, whatever HOME says.
            "ANSIBLE_FORKS": "10",
            "ANSIBLE_REMOTE_TMP": str(self.home / "remote-tmp"),
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "PATH": f"{self.folder}:{os.environ['PATH']}:/usr/sbin:/sbin",
            "TMPDIR": tempfile.gettempdir(),
        }
        finished = subprocess.run(
            [*around, program, *arguments],
            cwd=place,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=SECONDS_AT_MOST,
            check=False,
            encoding="utf-8",
        )
        return Screen.read(finished.stdout, finished.returncode)

    def playbook(self, name: str, inventory: Path, *arguments: str) -> Screen:
        """Run one of the playbooks beside these tests."""
        return self.run("ansible-playbook", "--inventory", inventory, *arguments, PLAYBOOKS / name)
