"""Faults as machines have them: full disks, limits, read-only mounts, attributes that forbid, lists of who may read."""

from __future__ import annotations

import os
import re
import subprocess
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from module_under_fault import DOCROOT, MODE, OWNER, TRAPD, Edit, Sandbox, result_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PAGE = os.sysconf("SC_PAGESIZE")
LABEL = b"system_u:object_r:etc_t:s0\0"

of_each_module = pytest.mark.parametrize("edit", [TRAPD, DOCROOT], ids=lambda edit: edit.module)
with_and_without_backup = pytest.mark.parametrize("backup", [False, True], ids=["plain", "backup"])


def padded(edit: Edit, size: int) -> Edit:
    """Make the file of an edit so large, by comments."""
    comment = b"# padding\n" if edit is TRAPD else b"<!-- padding -->\n"
    padding = comment * (size // len(comment))
    at = 0 if edit is TRAPD else len(b"<CONF>")
    return replace(
        edit,
        before=edit.before[:at] + padding + edit.before[at:],
        after=edit.after[:at] + padding + edit.after[at:],
    )


@contextmanager
def mounted(*arguments: str | Path) -> Iterator[Path]:
    """Mount something as long as a test needs it; the last argument is the place."""
    place = arguments[-1]
    subprocess.run(["mount", *arguments], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


@contextmanager
def attribute(letter: str, path: Path) -> Iterator[None]:
    """Give a file or folder an attribute of its file system as long as a test needs it."""
    subprocess.run(["chattr", f"+{letter}", path], check=True)
    try:
        yield
    finally:
        subprocess.run(["chattr", f"-{letter}", path], check=True)


def check_old_or_new(sandbox: Sandbox, *, backup: bool) -> dict[str, object]:
    """Run the module; the file must be the old or the new one, whole, and nothing half done beside it."""
    result = result_of(sandbox.run())
    failed = result.get("failed", False)
    assert sandbox.file.read_bytes() == (sandbox.edit.before if failed else sandbox.edit.after), result
    assert result["changed"] is not failed
    assert not sandbox.temporary_files()
    assert [copy.read_bytes() for copy in sandbox.backups()] == [sandbox.edit.before] * (backup and not failed)
    return result


@of_each_module
@with_and_without_backup
def test_a_disk_with_any_amount_of_free_space(edit: Edit, backup: bool, count: Callable[[str, int], None]) -> None:
    """From none to twice what the file needs, one page more at a time."""
    edit = padded(edit, 5 * PAGE)
    pages = -(-len(edit.before) // PAGE)
    outcomes = []
    for free in range(2 * pages + 2):
        sandbox = Sandbox(edit, {"backup": backup})
        size = (pages + free) * PAGE
        with mounted("-t", "tmpfs", "-o", f"size={size}", "none", sandbox.file.parent):
            sandbox.file.write_bytes(edit.before)
            result = check_old_or_new(sandbox, backup=backup)
        outcomes.append("failed" not in result)
        if result.get("failed"):
            message = str(result["msg"])
            assert message.startswith("Could not "), message
            assert "o space left on device. Free some space there. Nothing was changed." in message, message
    needed = -(-len(edit.after) // PAGE) + (pages if backup else 0)
    assert outcomes == [free >= needed for free in range(2 * pages + 2)]
    count("sizes of a full disk", len(outcomes))


@of_each_module
@with_and_without_backup
def test_a_limit_on_the_size_of_files(edit: Edit, backup: bool, count: Callable[[str, int], None]) -> None:
    """The kernel would kill the process; the module says which limit it is."""
    edit = padded(edit, 3 * PAGE)
    limits = [0, 1, PAGE, len(edit.before) // 2, len(edit.before) - 1, len(edit.after) - 1, len(edit.after)]
    for limit in limits:
        sandbox = Sandbox(edit, {"backup": backup})
        sandbox.reset()
        wanted = sandbox.metadata()
        result = result_of(sandbox.run("prlimit", f"--fsize={limit}"))
        if limit < len(edit.after):
            assert re.match(r"Could not (write the new content|make a backup) of ", str(result["msg"])), result
            assert "Raise the limit on file sizes (ulimit -f). Nothing was changed." in str(result["msg"])
        content = edit.before if limit < len(edit.after) else edit.after
        assert sandbox.file.read_bytes() == content, limit
        assert sandbox.metadata() == wanted
        assert not sandbox.temporary_files()
        assert len(sandbox.backups()) == (1 if backup and "failed" not in result else 0)
    count("limits on the size of files", len(limits))


@of_each_module
def test_a_file_system_that_turned_read_only(edit: Edit) -> None:
    """As after an error of the disk; check mode cannot foretell it, for it writes nothing."""
    sandbox = Sandbox(edit)
    folder = sandbox.file.parent
    with mounted("-t", "tmpfs", "none", folder):
        sandbox.file.write_bytes(edit.before)
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        result = check_old_or_new(sandbox, backup=False)
    assert "The file system is mounted read-only: remount it read-write." in str(result["msg"])


@of_each_module
@pytest.mark.parametrize("letter", ["i", "a"], ids=["immutable", "append-only"])
@pytest.mark.parametrize("of_folder", [False, True], ids=["file", "folder"])
def test_an_attribute_that_forbids(edit: Edit, letter: str, of_folder: bool) -> None:
    """Not even root may; the answer says where to look."""
    sandbox = Sandbox(edit)
    sandbox.reset()
    wanted = sandbox.metadata()
    with attribute(letter, sandbox.file.parent if of_folder else sandbox.file):
        result = result_of(sandbox.run())
        assert result["failed"] is True
        assert "look for an immutable attribute (lsattr)" in str(result["msg"])
        assert sandbox.file.read_bytes() == edit.before
    assert sandbox.metadata() == wanted
    # From a folder that only takes new files no run can remove one; the next run that may does.
    assert bool(sandbox.temporary_files()) is (of_folder and letter == "a")
    assert result_of(sandbox.run())["changed"] is True
    assert sandbox.file.read_bytes() == edit.after
    assert not sandbox.temporary_files()


@of_each_module
@with_and_without_backup
def test_a_file_that_is_a_mount_of_its_own(edit: Edit, backup: bool) -> None:
    """As in a container: it cannot be replaced, and is written in place only where the task says so."""
    sandbox = Sandbox(edit, {"backup": backup})
    sandbox.reset()
    outside = sandbox.root / "outside"
    outside.write_bytes(edit.before)
    with mounted("--bind", outside, sandbox.file):
        result = check_old_or_new(sandbox, backup=backup)
        assert "mount its folder instead, or set unsafe_writes: true" in str(result["msg"])
        inode = sandbox.file.stat().st_ino
        sandbox.write_arguments(backup=backup, unsafe_writes=True)
        assert check_old_or_new(sandbox, backup=backup)["changed"] is True
        assert sandbox.file.stat().st_ino == inode
    assert outside.read_bytes() == edit.after


@of_each_module
def test_a_folder_whose_default_list_lets_others_read(edit: Edit) -> None:
    """The new file and the backup are open to those who could read the old one, and to nobody else."""
    sandbox = Sandbox(edit, {"backup": True})
    sandbox.reset()
    wanted = sandbox.metadata()
    subprocess.run(
        ["setfacl", "--default", "--modify", "user:57:rwx,group:58:rwx,other::rwx", sandbox.file.parent], check=True
    )
    assert result_of(sandbox.run())["changed"] is True
    assert sandbox.metadata() == wanted
    (backup,) = sandbox.backups()
    assert sandbox.metadata(backup) == wanted


@of_each_module
@pytest.mark.parametrize("call", ["fchown", "write", "fsync", "renameat"])
def test_the_temporary_file_is_never_more_open_than_the_old_one(edit: Edit, call: str) -> None:
    """Nor in the moments before it has the owner and the mode of the old one."""
    sandbox = Sandbox(edit)
    sandbox.reset()
    wanted = sandbox.metadata()
    subprocess.run(["setfacl", "--default", "--modify", "user:57:rwx,other::rwx", sandbox.file.parent], check=True)
    sandbox.run("strace", "-f", "-o", os.devnull, "-e", f"inject={call}:signal=SIGKILL:when=1")
    (temporary,) = sandbox.temporary_files()
    status = temporary.stat()
    is_ours_alone = status.st_mode & 0o077 == 0 and status.st_uid in {0, OWNER[0]}
    assert is_ours_alone or sandbox.metadata(temporary) == wanted, oct(status.st_mode)
    assert status.st_mode & 0o777 & ~MODE == 0 or is_ours_alone
    assert (call == "fchown") is not (status.st_uid == OWNER[0])


@of_each_module
def test_lists_attributes_and_label_are_kept(edit: Edit) -> None:
    """Also the label of SELinux, where no policy runs that would set it."""
    sandbox = Sandbox(edit, {"backup": True})
    sandbox.reset()
    os.setxattr(sandbox.file, "security.selinux", LABEL)
    wanted = sandbox.metadata()
    attributes = wanted[-1]
    assert {"security.selinux", "system.posix_acl_access", "user.origin"} <= set(attributes)
    assert result_of(sandbox.run())["changed"] is True
    assert sandbox.metadata() == wanted
    (backup,) = sandbox.backups()
    assert sandbox.metadata(backup) == wanted
