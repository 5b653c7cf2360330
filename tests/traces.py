"""What a run of the tests leaves behind: files, mounts, control groups and processes."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from machine import PROJECT

#: Folders in which programs that the tests start may leave something. Other programs of this machine use them, too.
SHARED = ("/tmp", "/var/tmp", "/dev/shm", "/run", "/var/cache")  # noqa: S108
OF_HOME = ("", ".ansible", ".ansible/tmp", ".cache", ".config", ".local/share")

#: Names in them by which those of our programs are known. `aspera-sse-` begins the names of our own temporary folders,
#: which are all below the one of the run; elsewhere, they are those of another run.
OURS = re.compile(
    r"ansible|antsibull|aspera(?!-sse-)|asperatrapd|asperanoded|galaxy|hsperfdata|mmdebstrap|molecule|pytest|sshd"
)
#: Programs that leave such things, whoever runs them.
PROGRAM = re.compile(r"(ansible|antsibull|aspera_|mmdebstrap|molecule|pytest|systemd-nspawn)")

#: The control group of a booted host, with the process that has booted it.
GROUP = re.compile(r"aspera-sse-(\d+)-.*")

PR_SET_CHILD_SUBREAPER = 36

#: What a process has to end by itself once all that it serves has gone.
SECONDS_TO_END = 30
SECONDS_BETWEEN_LOOKS = 2


@dataclass(frozen=True)
class Process:
    """A process of this machine."""

    number: int
    parent: int
    command: list[str]

    @property
    def program(self) -> str | None:
        """The kind of program that the tests use, also if an interpreter runs it."""
        kinds = (PROGRAM.match(Path(part).name) for part in self.command[:3])
        return next((kind[0] for kind in kinds if kind), None)


@dataclass
class Traces:
    """The machine before a run, to be held against the machine after it."""

    temporary: Path
    before: set[str] = field(default_factory=set)
    #: Programs like ours that others ran meanwhile: then it is not known whose a trace is.
    of_others: set[str] = field(default_factory=set)
    looked: float = 0

    def __post_init__(self) -> None:
        """Look at the machine, and become the parent of whatever the run leaves without one."""
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.before = self.listing()

    def look_at_others(self) -> None:
        """Note which programs like ours others run; to be called all the while."""
        if time.monotonic() - self.looked < SECONDS_BETWEEN_LOOKS:
            return
        self.looked = time.monotonic()
        processes = {process.number: process for process in all_processes()}

        def ancestors(process: Process | None) -> set[int]:
            found = set()
            while process and process.number not in found:
                found.add(process.number)
                process = processes.get(process.parent)
            return found

        above_us = ancestors(processes.get(os.getpid()))
        for process in processes.values():
            if process.program and process.number not in above_us and os.getpid() not in ancestors(process):
                self.of_others.add(process.program)

    def left(self, expected: set[str]) -> tuple[list[str], list[str]]:
        """List what is there now and was not before, and what of that may be of others; processes are ended."""
        ours = [f"process {process.number}: {' '.join(process.command)}" for process in end_processes()]
        ours += [str(path) for path in sorted(self.temporary.iterdir()) if path.name not in expected]
        self.looked = 0
        self.look_at_others()
        found = sorted(self.listing() - self.before)
        return (ours, found) if self.of_others else (ours + found, [])

    def listing(self) -> set[str]:
        """List what the tests could leave behind, apart from what they may write."""
        home = Path.home()
        folders = {Path(folder) for folder in (*SHARED, tempfile.gettempdir())} | {home / name for name in OF_HOME}
        found = set()
        for folder in folders:
            try:
                found |= {str(path) for path in folder.iterdir() if OURS.search(path.name)}
            except OSError:
                # It is not there, or closed to this user, to whom it is closed after the run as well.
                continue
        for folder in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"):
            groups = (GROUP.fullmatch(path.name) for path in Path(folder).glob("aspera-sse-*"))
            found |= {f"control group {group[0]}" for group in groups if group and not Path("/proc", group[1]).exists()}
        mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()]
        places = (PROJECT, self.temporary)
        return found | {f"mount on {mount}" for mount in mounts if any(map(Path(mount).is_relative_to, places))}


def end_processes() -> list[Process]:
    """Wait until no process of the run is left; end those that stay, and name them."""
    deadline = time.monotonic() + SECONDS_TO_END
    while (processes := children()) and time.monotonic() < deadline:
        time.sleep(0.1)
    for process in processes:
        os.kill(process.number, signal.SIGKILL)
    return processes


def children() -> list[Process]:
    """List the children of this process that still run; those that have ended are buried."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return []
    return [process for process in all_processes() if process.parent == os.getpid()]


def all_processes() -> list[Process]:
    """List all processes of this machine. Those that end meanwhile are left out."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # The name of the program, in brackets, may hold anything.
            parent = int((folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
            command = (folder / "cmdline").read_text(errors="replace").rstrip("\0").split("\0")
        except OSError:
            continue
        found.append(Process(int(folder.name), parent, command))
    return found
