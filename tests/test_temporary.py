"""What tests make is removed, whichever way their process ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import temporary

#: Runs pytest as from a terminal: what a shell starts in the background ignores SIGINT, and so do its children.
PYTEST = (
    "import signal, pytest; signal.signal(signal.SIGINT, signal.default_int_handler); raise SystemExit(pytest.main())"
)
WAITING = Path(__file__).parent / "stand_ins/waiting.py"


@pytest.fixture(params=["0", "1"])
def waiting(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[subprocess.Popen[bytes], Path]:
    """Give a run of pytest that waits in a test, in the same process or a worker, and the folder that the test made."""
    note = tmp_path / "note"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment |= {"NOTE": str(note), "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", PYTEST, "-q", "-p", "no:cacheprovider", "-n", request.param, WAITING]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not note.exists():
        assert process.poll() is None, "pytest has ended before its test waited"
        time.sleep(0.05)
    return process, Path(note.read_text(encoding="utf-8"))


def ours(place: Path) -> list[Path]:
    """List what begins as our folders do."""
    return list(place.glob(f"{temporary.PREFIX}*"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_asked_to_end_leaves_nothing(
    waiting: tuple[subprocess.Popen[bytes], Path], tmp_path: Path, number: signal.Signals
) -> None:
    """Its folder goes with all that is in it."""
    process, folder = waiting
    assert folder.is_relative_to(ours(tmp_path)[0])
    process.send_signal(number)
    assert process.wait() != 0
    assert ours(tmp_path) == []


def test_what_a_killed_run_leaves_is_removed_by_the_next(
    waiting: tuple[subprocess.Popen[bytes], Path], tmp_path: Path
) -> None:
    """The next run leaves the folders of runs that go on alone."""
    process, folder = waiting
    with temporary.folder(place=tmp_path):
        assert folder.exists()
        assert len(ours(tmp_path)) == 2
    process.kill()
    process.wait()
    assert folder.exists()
    with temporary.folder(place=tmp_path) as used:
        assert ours(tmp_path) == [used]
    assert ours(tmp_path) == []


def test_links_and_folders_without_a_lock_are_left_alone(tmp_path: Path) -> None:
    """They are not known to be ours."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / temporary.LOCK).touch()
    (tmp_path / f"{temporary.PREFIX}link").symlink_to(tmp_path / "other")
    (tmp_path / f"{temporary.PREFIX}unlocked").mkdir()
    temporary.remove_abandoned(tmp_path)
    assert (tmp_path / "other" / temporary.LOCK).exists()
    assert len(ours(tmp_path)) == 2
