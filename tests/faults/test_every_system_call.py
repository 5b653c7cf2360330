"""Every system call of an edit fails once, in each way it may, and is once the last one of a killed process."""

from __future__ import annotations

import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from itertools import count as numbers
from typing import TYPE_CHECKING

import pytest
from module_under_fault import ALONE, DOCROOT, TRAPD, Edit, Sandbox, result_of

if TYPE_CHECKING:
    from collections.abc import Callable

# The ways in which a call may fail; calls that are not named do nothing to a file or cannot fail.
ERRORS = {
    "open": ["EACCES", "EIO"],
    "openat": ["EACCES", "EDQUOT", "EINTR", "EIO", "ENOSPC", "EPERM", "EROFS"],
    "lstat": ["EACCES", "EIO"],
    "stat": ["EACCES", "EIO"],
    "fstat": ["EIO"],
    "newfstatat": ["EACCES", "EIO"],
    "read": ["EINTR", "EIO"],
    "pread64": ["EINTR", "EIO"],
    "write": ["EDQUOT", "EINTR", "EIO", "ENOSPC"],
    "fsync": ["EDQUOT", "EINTR", "EIO", "ENOSPC", "EROFS"],
    "flock": ["EINTR", "ENOLCK"],
    "getdents64": ["EIO"],
    "fchown": ["EDQUOT", "EIO", "EPERM", "EROFS"],
    "fchmod": ["EIO", "EPERM", "EROFS"],
    "flistxattr": ["EACCES", "EIO"],
    "fgetxattr": ["EACCES", "EIO"],
    "fsetxattr": ["EACCES", "EDQUOT", "EIO", "ENOSPC", "EPERM"],
    "fremovexattr": ["EACCES", "EIO", "EPERM"],
    "renameat": ["EACCES", "EDQUOT", "EIO", "ENOSPC", "EPERM", "EROFS"],
    "unlinkat": ["EACCES", "EIO"],
    "close": ["EINTR", "EIO"],
    "getrandom": ["EINTR"],
}
# Calls that do something to a file or hold on to one: a process may die in any of them.
KILLED_IN = sorted(ERRORS)


@pytest.mark.parametrize("backup", [False, True], ids=["plain", "backup"])
@pytest.mark.parametrize("edit", [TRAPD, DOCROOT], ids=lambda edit: edit.module)
def test_every_call_that_fails(edit: Edit, backup: bool, count: Callable[[str, int], None]) -> None:
    """The file is the old or the new one, whole, the result says which, and the next run heals."""
    points = [(call, f"error={error}") for call, errors in ERRORS.items() for error in errors]
    count("system calls that fail", sweep(edit, points, backup=backup))


@pytest.mark.parametrize("backup", [False, True], ids=["plain", "backup"])
@pytest.mark.parametrize("edit", [TRAPD, DOCROOT], ids=lambda edit: edit.module)
def test_every_call_in_which_the_process_dies(edit: Edit, backup: bool, count: Callable[[str, int], None]) -> None:
    """The file is the old or the new one, whole, and the next run heals."""
    points = [(call, "signal=SIGKILL") for call in KILLED_IN]
    count("system calls in which the process is killed", sweep(edit, points, backup=backup))


def test_the_list_holds_every_call_that_touches_a_file() -> None:
    """A call that the code comes to make must be put on the list."""
    sandbox = Sandbox(TRAPD, {"backup": True})
    sandbox.reset()
    trace = sandbox.root / "trace"
    sandbox.run(*ALONE, "strace", "-f", "-e", "trace=%file,%desc", "-o", trace)
    calls = set(re.findall(r"^\d+ +(\w+)\(", trace.read_text(), re.MULTILINE))
    harmless = {"execve", "poll", "mmap", "fcntl", "lseek", "ioctl"}
    assert calls - harmless <= set(ERRORS)
    assert {"fchown", "fsetxattr", "renameat", "fsync"} <= calls
    shutil.rmtree(sandbox.root)


def sweep(edit: Edit, points: list[tuple[str, str]], *, backup: bool) -> int:
    """Inject each fault into the first call, the second, and so on, until none is left; count those that fired."""
    with ThreadPoolExecutor(2) as pool:
        counts = pool.map(lambda point: sweep_call(edit, *point, backup=backup), points)
        return sum(counts)


def sweep_call(edit: Edit, call: str, fault: str, *, backup: bool) -> int:
    """Inject a fault into each call of a name, one a run."""
    sandbox = Sandbox(edit, {"backup": backup})
    trace = sandbox.root / "trace"
    for number in numbers(1):
        sandbox.reset()
        wanted = sandbox.metadata()
        inject = f"inject={call}:{fault}:when={number}"
        run = sandbox.run(*ALONE, "strace", "-f", "-e", f"trace={call}", "-e", inject, "-o", trace)
        traced = trace.read_text()
        if "(INJECTED)" not in traced and "killed by SIGKILL" not in traced:
            assert run.returncode == 0, (inject, run)
            shutil.rmtree(sandbox.root)
            return number - 1
        check(sandbox, run, wanted, f"{edit.module} {inject}", traced)
    raise AssertionError


def check(
    sandbox: Sandbox, run: subprocess.CompletedProcess[bytes], wanted: tuple[object, ...], point: str, traced: str
) -> None:
    """Hold what a faulty run left against what was promised, and run again."""
    edit = sandbox.edit
    content = sandbox.file.read_bytes()
    assert content in {edit.before, edit.after}, point
    assert sandbox.metadata() == wanted, point
    assert all(backup.read_bytes() == edit.before for backup in sandbox.backups()), point
    was_killed = "SIGKILL" in point
    # A result that cannot be written is reported by the exit status alone.
    lost_result = re.search(r"^\d+ +write\(1, .*\(INJECTED\)", traced, re.MULTILINE) and "EINTR" not in point
    if lost_result:
        assert run.returncode == 1, point
    elif not was_killed:
        check_result(sandbox, result_of(run), point, changed=content == edit.after)
    if not was_killed and "unlinkat" not in point:
        assert not sandbox.temporary_files(), point
    healed = sandbox.run()
    assert healed.returncode == 0, (point, healed)
    assert sandbox.file.read_bytes() == edit.after, point
    assert sandbox.metadata() == wanted, point
    # A run that finds nothing to do writes nothing, so it cannot sweep either; but then no temporary file was left.
    assert not sandbox.temporary_files(), point


def check_result(sandbox: Sandbox, result: dict[str, object], point: str, *, changed: bool) -> None:
    """Hold a result against the file."""
    assert result["changed"] is changed, (point, result)
    if result.get("failed"):
        message = str(result["msg"])
        assert message.endswith("."), (point, message)
        # A folder on the way is named where that is what cannot be looked at.
        places = [str(path) for path in [sandbox.file, *sandbox.file.parents][:-1]]
        says_where = any(f"{place}: " in message for place in places) or "the file with the arguments" in message
        assert says_where or "its folder could not be synced" in message, (point, message)
        claims_nothing = message.endswith("Nothing was changed.")
        assert claims_nothing is not changed or "arguments" in message, (point, message)
    else:
        assert changed, (point, result)
