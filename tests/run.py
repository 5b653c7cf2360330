"""Runs the tests: run.py test|test-hosts|test-collection|test-vm [PART], or run.py total.

Parts run side by side, each with its output in target/test/. What this machine cannot do is left out, and said at the
end. STRICT=1 makes that a failure. `total` adds up what all runs since the last one have counted.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

import machine
import temporary
from machine import PROJECT
from parts import COMMANDS, LOGS, Part, log_of, parts_of, rust_tests_left_out
from traces import Traces, end_processes

RUNS = ("test", "test-hosts", "test-collection", "test-vm")
IS_STRICT = bool(os.environ.get("STRICT"))

#: What is in the temporary folder of a run, beside what the tests leave there.
EXPECTED = {"home", "pytest", temporary.LOCK}


@dataclass
class Counts:
    """How many tests there were; of those that were left out, how many for each reason."""

    passed: int = 0
    failed: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    def add(self, other: Counts) -> None:
        """Add what another part has counted."""
        self.passed += other.passed
        self.failed += other.failed
        self.left_out += other.left_out

    def print(self) -> None:
        """Say what was left out, and the sum in the last line."""
        skipped = self.left_out.total()
        if self.left_out:
            print("\nLeft out, which fails with STRICT:" if IS_STRICT else "\nLeft out:")
        for reason, number in self.left_out.most_common():
            print(f"  {number:4}  {reason}")
        failed = self.failed + (skipped if IS_STRICT else 0)
        rest = f", {skipped} skipped" if skipped and not IS_STRICT else ""
        print(f"{self.passed} passed, {failed} failed{rest}")

    @property
    def exit_status(self) -> int:
        """Return the status with which a run ends that has counted these."""
        return 1 if self.failed or (IS_STRICT and self.left_out) else 0


class Run:
    """A run of parts side by side, one for each core of the machine."""

    def __init__(self, parts: list[Part], traces: Traces) -> None:
        """Prepare the environment of the parts."""
        self.traces = traces
        folder = traces.temporary
        self.waiting = parts
        self.running: dict[Part, subprocess.Popen[bytes]] = {}
        self.ended: dict[str, bool] = {}
        self.counts = Counts()
        self.began: dict[Part, float] = {}
        home = folder / "home"
        home.mkdir()
        own = Path.home()
        self.environment = {
            **os.environ,
            "ANSIBLE_HOME": str(home),
            # The owner of this folder may be another.
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": str(PROJECT),
            "CARGO_HOME": os.environ.get("CARGO_HOME", str(own / ".cargo")),
            "PATH": machine.PATH,
            "RUSTUP_HOME": os.environ.get("RUSTUP_HOME", str(own / ".rustup")),
            "TMPDIR": str(folder),
        }
        # Those of the make that runs this are not for others.
        for name in ("MAKEFLAGS", "MFLAGS"):
            self.environment.pop(name, None)
        # The settings and caches of whoever runs the tests are not for them; only packages come the usual way.
        self.private = {**self.environment, "HOME": str(home)}
        for name in ("ANSIBLE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
            self.private.pop(name, None)

    def all(self) -> Counts:
        """Run all parts."""
        cores = max(2, os.cpu_count() or 2)
        while self.waiting or self.running:
            for part in list(self.waiting):
                if len(self.running) < cores and self._is_due(part):
                    self._start(part)
            for part, process in list(self.running.items()):
                if process.poll() is not None:
                    self._end(part, process.returncode)
            self.traces.look_at_others()
            time.sleep(0.05)
        return self.counts

    def stop(self) -> None:
        """End what runs."""
        for process in self.running.values():
            os.killpg(process.pid, signal.SIGTERM)
        for process in self.running.values():
            process.wait()

    def _is_due(self, part: Part) -> bool:
        shares = part.shares and any(other.shares == part.shares for other in self.running)
        return not shares and all(name in self.ended for name in part.after)

    def _start(self, part: Part) -> None:
        self.waiting.remove(part)
        if failed := [name for name in part.after if not self.ended[name]]:
            self._tell(part, f"not run, for this failed: {', '.join(failed)}", passed=False)
            return
        environment = self.environment if part.prepares or part.counted_by == "last line" else self.private
        # pytest empties its folder at the start, and two parts may run it at once.
        own = self.traces.temporary / "pytest" / str(len(self.began))
        own.parent.mkdir(exist_ok=True)
        with log_of(part).open("wb") as log:
            self.running[part] = subprocess.Popen(
                part.command,
                cwd=PROJECT,
                env={**environment, "PYTEST_ADDOPTS": f"--basetemp={own}"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.began[part] = time.monotonic()

    def _end(self, part: Part, exit_status: int) -> None:
        del self.running[part]
        counts = count(part, exit_status)
        passed = exit_status == 0 and not counts.failed
        if not passed:
            print(log_of(part).read_text(encoding="utf-8", errors="replace"), flush=True)
            # One that fails and does not say which test it was, is one failure.
            counts.failed = counts.failed or 1
        self.counts.add(counts)
        seconds = time.monotonic() - self.began[part]
        number = f", {counts.passed} passed" if counts.passed else ""
        self._tell(part, f"{seconds:.0f} s{number}", passed=passed, is_counted=True)

    def _tell(self, part: Part, text: str, *, passed: bool, is_counted: bool = False) -> None:
        if not passed and not is_counted:
            self.counts.failed += 1
        self.ended[part.name] = passed
        print(f"{'ok' if passed else 'FAILED':6} {part.name} ({text})", flush=True)


def count(part: Part, exit_status: int) -> Counts:
    """Count the tests of a part that has ended."""
    log = log_of(part).read_text(encoding="utf-8", errors="replace")
    if part.counted_by == "cargo":
        found = re.findall(r"^test result: .*?(\d+) passed; (\d+) failed", log, re.MULTILINE)
        left_out = Counter(rust_tests_left_out().values()) if part.name == "rust" else Counter()
        return Counts(sum(int(passed) for passed, _ in found), sum(int(failed) for _, failed in found), left_out)
    if part.counted_by == "pytest":
        return count_in_report(LOGS / f"{part.name}.xml")
    if part.counted_by == "last line":
        found = re.findall(r"^(\d+) passed, (\d+) failed", log, re.MULTILINE)[-1:] or [(0, 1)]
        return Counts(int(found[0][0]), int(found[0][1]))
    if part.counted_by == "exit status":
        return Counts(int(exit_status == 0), int(exit_status != 0))
    return Counts()


def count_in_report(report: Path) -> Counts:
    """Count the tests in a report of pytest (JUnit XML)."""
    counts = Counts()
    if not report.exists():
        return counts
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 It is our own.
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            counts.failed += 1
        elif skipped is not None:
            counts.left_out[skipped.get("message", "")] += 1
        else:
            counts.passed += 1
    return counts


def chosen(run: str, name: str) -> list[Part]:
    """Return the parts of a run whose names begin so, without those that only prepare."""
    parts = [part for part in parts_of(run) if not part.prepares]
    found = [part for part in parts if part.name.startswith(name)]
    if not found:
        sys.exit(f"make {run} has no part {name}. It has these: {', '.join(part.name for part in parts)}.")
    return found


def with_preparations(run: str, parts: list[Part]) -> list[Part]:
    """Add what parts come after, and what that comes after."""
    wanted = {part.name for part in parts}
    # What a part comes after stands before it.
    for part in reversed(parts_of(run)):
        if part.name in wanted:
            wanted.update(part.after)
    return [part for part in parts_of(run) if part.name in wanted]


def install(run: str, parts: list[Part]) -> None:
    """As root on Debian, install what is missing; what cannot be installed is left out."""
    needs = {need for part in parts for need in part.needs} | set(COMMANDS[run])
    commands = sorted(needs - {"root", "namespaces"})
    missing = [command for command in commands if not shutil.which(command, path=machine.PATH)]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run([PROJECT / "scripts/require.sh", *missing], check=False, stdin=subprocess.DEVNULL)


def run_parts(run: str, name: str) -> Counts:
    """Run parts in a temporary folder, and see that nothing is left behind."""
    os.umask(0o022)
    LOGS.mkdir(parents=True, exist_ok=True)
    parts = chosen(run, name)
    install(run, parts)
    reasons = {part: machine.reason_to_skip(part.needs) for part in parts}
    left_out = Counter(reason for reason in reasons.values() if reason)
    parts = with_preparations(run, [part for part, reason in reasons.items() if not reason])
    for part in parts:
        (LOGS / f"{part.name}.xml").unlink(missing_ok=True)
    with temporary.folder("aspera-sse-run-x") as folder:
        traces = Traces(folder)
        running = Run(parts, traces)
        print(f"make {run}: {len(parts)} parts; what each prints is in {LOGS.relative_to(PROJECT)}/", flush=True)
        try:
            counts = running.all()
            counts.left_out += left_out
            ours, of_others = traces.left(EXPECTED)
        finally:
            running.stop()
            end_processes()
    if ours:
        print("FAILED traces: the tests left these behind:", *ours, sep="\n  ")
        counts.failed += 1
    elif of_others:
        print("traces: these are new, and may be of others:", *of_others, sep="\n  ")
        others = ", ".join(sorted(traces.of_others))
        counts.left_out[f"needs the machine for itself, to see what is left on it: others ran {others}"] += 1
    else:
        counts.passed += 1
    return counts


def main(run: str, name: str = "") -> int:
    """Run the tests, or add up what was counted."""
    if run == "total":
        counts = Counts()
        for one in RUNS:
            noted = LOGS / f"{one}.json"
            if noted.exists():
                passed, failed, left_out = json.loads(noted.read_text(encoding="utf-8"))
                counts.add(Counts(passed, failed, Counter(left_out)))
                noted.unlink()
            else:
                counts.failed += 1
                print(f"make {one} did not run to its end.")
    else:
        (LOGS / f"{run}.json").unlink(missing_ok=True)
        counts = run_parts(run, name)
        noted = json.dumps([counts.passed, counts.failed, counts.left_out])
        (LOGS / f"{run}.json").write_text(noted, encoding="utf-8")
    counts.print()
    return counts.exit_status


if __name__ == "__main__":
    # Whoever ends this, ends its parts.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(main(*sys.argv[1:3]))
