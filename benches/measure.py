"""Time and memory of commands, measured the same way for all of them."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Command = Sequence[str | Path]

# At its exit a process is held for so long that its peak is surely read: this many microseconds.
HELD_AT_EXIT = 100_000


def median_seconds(command: Command, times: int, prepare: Callable[[], object] = lambda: None) -> float:
    """Run a command several times, each after a preparation that is not counted, and give the median of its times."""
    return statistics.median(seconds(command, prepare) for _ in range(times))


def seconds(command: Command, prepare: Callable[[], object]) -> float:
    """Run a command once and give its time from start to exit."""
    prepare()
    start = time.perf_counter()
    finished = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    end = time.perf_counter()
    if finished.returncode != 0:
        message = f"{command} failed: {finished.stdout!r} {finished.stderr!r}"
        raise RuntimeError(message)
    return end - start


def median_cpu_seconds(command: Command, times: int) -> float:
    """Run a command several times and give the median of its CPU time, which other work changes least."""

    def once() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds(command, lambda: None)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime

    return statistics.median(once() for _ in range(times))


def peak_bytes(command: Command, prepare: Callable[[], object] = lambda: None) -> int:
    """Run a command once and give the most memory that a process of it had (VmHWM).

    What the kernel reports to a parent about its children includes the parent itself, so strace holds each process at
    its exit and the peak is read there.
    """
    prepare()
    hold = f"inject=exit_group:delay_enter={HELD_AT_EXIT}"
    tracer = subprocess.Popen(
        ["strace", "-qq", "-f", "--seccomp-bpf", "-e", "trace=exit_group", "-e", hold, "-o", os.devnull, *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    peak = 0
    while tracer.poll() is None:
        peak = max([peak, *map(high_water_mark, descendants(tracer.pid))])
        time.sleep(0.01)
    if tracer.returncode != 0 or peak == 0:
        message = f"{command} failed under strace, or ended unseen"
        raise RuntimeError(message)
    return peak


def descendants(pid: int) -> list[int]:
    """List the children of a process, and theirs."""
    try:
        children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return [one for child in children for one in (child, *descendants(child))]


def high_water_mark(pid: int) -> int:
    """Give the most memory that a process had so far, in bytes; 0 if it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    lines = (line.split() for line in status.splitlines() if line.startswith("VmHWM:"))
    return next((int(words[1]) * 1024 for words in lines), 0)
