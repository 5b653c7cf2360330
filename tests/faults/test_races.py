"""Several at once: runs of ours, programs that rewrite the file, readers, and local users who hold the lock."""

from __future__ import annotations

import fcntl
import json
import os
import re
import select
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from module_under_fault import DOCROOT, TRAPD, Edit, Sandbox, result_of

if TYPE_CHECKING:
    from collections.abc import Callable

READER = Path(__file__).with_name("PropertiesReader.java")
OTHER_SETTINGS = b"".join(b"aspera.dummy.%03d=%d\n" % (number, number) for number in range(50))


#: Seconds after which a test is taken to hang.
HANGS_AFTER = 300


def key(number: int) -> str:
    """Give one of many keys."""
    return f"1234abcd-12ab-34cd-56ef-{number:012}"


def start(sandbox: Sandbox, name: str, **options: object) -> subprocess.Popen[bytes]:
    """Start the module with arguments of its own."""
    arguments = sandbox.root / f"{name}.json"
    arguments.write_text(json.dumps({"aspera_root": str(sandbox.root), "_ansible_no_log": True, **options}))
    return subprocess.Popen([sandbox.edit.program, arguments], stdout=subprocess.PIPE)


def results(runs: list[subprocess.Popen[bytes]]) -> list[dict[str, object]]:
    """Wait for the end of all runs and give their results."""
    finished = []
    for run in runs:
        output, _ = run.communicate(timeout=HANGS_AFTER)
        finished.append(result_of(subprocess.CompletedProcess(run.args, run.returncode, output)))
    return finished


def test_fifty_runs_with_different_keys(count: Callable[[str, int], None]) -> None:
    """They come one after the other: each found what another left, and one of the keys is the last."""
    edit = replace(TRAPD, before=OTHER_SETTINGS + TRAPD.before)
    sandbox = Sandbox(edit)
    sandbox.reset()
    wanted = sandbox.metadata()
    runs = [
        start(sandbox, str(number), server_side_encryption="AWS_KMS", kms_key_id=key(number)) for number in range(50)
    ]
    answers = results(runs)
    count("runs at once", len(answers))
    assert all(result["changed"] is True for result in answers), answers
    # From the file as it was, each run leads from the key it found to its own, and the last one is in the file.
    follower = {result["previous"]["kms_key_id"]: result["kms_key_id"] for result in answers}
    assert len(follower) == 50
    last, steps = None, 0
    while last in follower:
        last, steps = follower[last], steps + 1
    assert steps == 50
    lines = sandbox.file.read_bytes().splitlines(keepends=True)
    assert f"server-side-encryption-aws-kms-key-id={last}\n".encode() in lines
    assert b"server-side-encryption=AWS_KMS\n" in lines
    others = [line for line in lines if not line.startswith(b"server-side-encryption")]
    assert b"".join(others) == edit.before.replace(b"# server-side-encryption=NONE\n", b"")
    assert sandbox.metadata() == wanted
    assert not sandbox.temporary_files()


def test_runs_for_different_users_lose_nothing(count: Callable[[str, int], None]) -> None:
    """Each of them sets another docroot of one file."""
    names = [f"user{number}" for number in range(30)]
    user = b"<user><name>%s</name><file_system><access><paths><path><absolute>s3://h/%s</absolute></path></paths></access></file_system></user>"
    users = b"\n".join(user % (name.encode(), name.encode()) for name in names)
    before = b"<CONF><aaa><realms><realm><users>\n%s\n</users></realm></realms></aaa></CONF>\n" % users
    sandbox = Sandbox(replace(DOCROOT, before=before))
    sandbox.reset()
    runs = [start(sandbox, name, user=name, server_side_encryption="AES256") for name in names]
    assert all(result["changed"] is True for result in results(runs))
    count("runs at once", len(runs))
    after = before
    for name in names:
        after = after.replace(b"h/%s<" % name.encode(), b"h/%s?server-side-encryption=AES256<" % name.encode())
    assert sandbox.file.read_bytes() == after


class Stopping:
    """A module under strace that stops at calls of a name."""

    def __init__(self, sandbox: Sandbox, call: str, when: str) -> None:
        """Start it; `when` says at which of the calls it stops, as strace has it."""
        self.trace = sandbox.root / "trace"
        self.trace.touch()
        self.stops = 0
        inject = f"inject={call}:signal=SIGSTOP:when={when}"
        command = ["strace", "-f", "-o", self.trace, "-e", f"trace={call}", "-e", inject]
        self.tracer = subprocess.Popen([*command, sandbox.edit.program, sandbox.arguments], stdout=subprocess.PIPE)

    def wait_for_stop(self) -> bool:
        """Wait for the next stop; false if the module has ended.

        A module that strace works on looks stopped, too. Only what strace writes shows that it has seen the stop: a
        SIGCONT that comes before is lost, and the module stops for ever.
        """
        patience = time.monotonic() + HANGS_AFTER
        while True:
            has_ended = self.tracer.poll() is not None
            stopped = re.findall(r"^(\d+) +--- stopped by SIGSTOP ---$", self.trace.read_text(), re.MULTILINE)
            if len(stopped) > self.stops:
                self.process = int(stopped[self.stops])
                self.stops += 1
                return True
            if has_ended:
                return False
            assert time.monotonic() < patience, f"the module neither stops nor ends:\n{self.trace.read_text()}"
            time.sleep(0.005)

    def go_on(self) -> None:
        """Let it go on."""
        os.kill(self.process, signal.SIGCONT)

    def end(self) -> None:
        """Leave nothing that is stopped, whatever became of the test."""
        if self.tracer.poll() is None:
            self.tracer.kill()
            if self.stops:
                os.kill(self.process, signal.SIGKILL)
            self.tracer.communicate()


@pytest.mark.parametrize("edit", [TRAPD, DOCROOT], ids=lambda edit: edit.module)
@pytest.mark.parametrize("way", ["replaced", "written in place"])
def test_a_program_that_rewrites_the_file_meanwhile_is_noticed(edit: Edit, way: str) -> None:
    """What it wrote stays, and the setting is made in that.

    It is noticed up to the last look, right before the rename. What is written between those two calls is lost, as with
    every program that replaces a file; no call of Linux renames only if the file is still the same.
    """
    sandbox = Sandbox(edit)
    sandbox.reset()
    module = Stopping(sandbox, "fsync", when="1")
    try:
        assert module.wait_for_stop()
        assert sandbox.temporary_files()
        theirs = edit.before.replace(b"DUMMY-SECRET", b"DUMMY-OTHERS")
        if way == "replaced":
            other = sandbox.file.with_name("other")
            other.write_bytes(theirs)
            other.rename(sandbox.file)
        else:
            # Of the same length. That a change within one tick of the clock counts is tested in src/files/snapshot.rs.
            sandbox.file.write_bytes(theirs)
        module.go_on()
        (result,) = results([module.tracer])
    finally:
        module.end()
    assert result["changed"] is True
    assert sandbox.file.read_bytes() == edit.after.replace(b"DUMMY-SECRET", b"DUMMY-OTHERS")
    assert not sandbox.temporary_files()


def test_a_program_that_rewrites_the_file_without_end() -> None:
    """After some attempts the task fails, says so, and leaves the file to that program."""
    sandbox = Sandbox(TRAPD)
    sandbox.reset()
    module = Stopping(sandbox, "fsync", when="1+")
    try:
        # The new file is about to be put in the place of the old one each time that it stops.
        while module.wait_for_stop():
            # A time that surely differs: the clock may not have gone on.
            os.utime(sandbox.file, (0, module.stops))
            module.go_on()
        (result,) = results([module.tracer])
    finally:
        module.end()
    assert module.stops == 5
    assert result["failed"] is True
    assert "was changed by another program each time it was about to be replaced" in str(result["msg"])
    assert sandbox.file.read_bytes() == TRAPD.before
    assert not sandbox.temporary_files()


@pytest.mark.needs("javac")
def test_a_reader_never_sees_anything_but_old_or_new(count: Callable[[str, int], None]) -> None:
    """Java loads the file all the while as two settings take turns in it."""
    sandbox = Sandbox(replace(TRAPD, before=OTHER_SETTINGS + TRAPD.before))
    sandbox.reset()
    turns = [("AES256", None), ("AWS_KMS", key(1))]
    arguments = []
    for encryption, kms_key in turns:
        sandbox.write_arguments(server_side_encryption=encryption, kms_key_id=kms_key)
        arguments.append(sandbox.arguments.rename(sandbox.root / f"{encryption}.json"))
        subprocess.run([sandbox.edit.program, arguments[-1]], check=True, capture_output=True)
    reader = subprocess.Popen(
        ["java", "-Xshare:auto", "-XX:-UsePerfData", READER, sandbox.file],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with reader:
        # It reports each state that it sees for the first time.
        assert reader.stdout.readline() == "new\n"
        edits = 0
        while edits < 1_000 or not select.select([reader.stdout], [], [], 0)[0]:
            run = subprocess.run([sandbox.edit.program, arguments[edits % 2]], check=True, capture_output=True)
            assert b'"changed":true' in run.stdout
            edits += 1
        seen, _ = reader.communicate("\n", timeout=HANGS_AFTER)
    assert reader.returncode == 0
    others = sorted(line.partition(b"=")[::2] for line in OTHER_SETTINGS.splitlines())
    states = []
    for line in seen.replace("new\n", "").splitlines():
        times, _, settings = line.partition(" ")
        count("readings by Java during edits", int(times))
        states.append(settings)
    assert len(states) == len(turns), states
    for name, value in others:
        assert all(f"{name.decode()}={value.decode()}" in state for state in states)
    assert "server-side-encryption=AES256" in states[0]
    assert f"server-side-encryption=AWS_KMS, server-side-encryption-aws-kms-key-id={key(1)}" in states[1]
    count("edits under the eyes of a reader", edits)


def test_a_local_user_who_holds_the_lock_delays_ten_seconds_at_most() -> None:
    """Then the run goes on and says so; both modules wait at once here."""
    sandboxes = [Sandbox(TRAPD), Sandbox(DOCROOT)]

    def run(sandbox: Sandbox) -> dict[str, object]:
        sandbox.reset()
        sandbox.root.chmod(0o755)
        holder = os.open(sandbox.file.parent, os.O_RDONLY)
        try:
            fcntl.flock(holder, fcntl.LOCK_EX)
            return result_of(sandbox.run())
        finally:
            os.close(holder)

    with ThreadPoolExecutor(2) as pool:
        for result, sandbox in zip(pool.map(run, sandboxes), sandboxes, strict=True):
            assert result["changed"] is True
            (warning,) = [text for text in result["warnings"] if "lock" in text]
            assert f"lock on {sandbox.file.parent} for 10 seconds; continued without the lock" in warning
            assert sandbox.file.read_bytes() == sandbox.edit.after
