"""Kernels as old as 2.6.32, that of CentOS 6: the modules need no system call that came later."""

from __future__ import annotations

import json
import platform
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from module_under_fault import DOCROOT, TRAPD, Edit, Sandbox, result_of

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
NUMBERS = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
#: perf_event_open, the last call of Linux 2.6.32 on x86_64; what has a greater number came later.
LAST_OF_2_6_32 = 298


def later_calls() -> list[str]:
    """Name the system calls that came after Linux 2.6.32, from the headers of the kernel."""
    assert platform.machine() == "x86_64", "the numbers of system calls are those of x86_64"
    defined = re.findall(r"#define __NR_(\w+)\s+(\d+)", NUMBERS.read_text())
    return [name for name, number in defined if int(number) > LAST_OF_2_6_32]


def old_kernel(trace: Path) -> list[str | Path]:
    """Give a command under which every later call is answered as an old kernel does: there is none such."""
    # strace may not know the latest; the headers may be newer than it.
    calls = ",".join(f"?{name}" for name in later_calls())
    return ["strace", "-f", "-o", trace, "-e", f"trace={calls}", "-e", f"inject={calls}:error=ENOSYS"]


def test_the_calls_are_really_refused(tmp_path: Path) -> None:
    """A program that needs a later call fails."""
    program = "import os; os.memfd_create('x')"
    finished = subprocess.run(
        [*old_kernel(tmp_path / "trace"), "python3", "-c", program], capture_output=True, text=True, check=False
    )
    assert "Function not implemented" in finished.stderr
    assert {"statx", "getrandom", "renameat2", "pidfd_open", "memfd_create", "openat2"} <= set(later_calls())
    assert not {"openat", "renameat", "fstat", "utimensat", "accept4"} & set(later_calls())


@pytest.mark.parametrize("edit", [TRAPD, DOCROOT], ids=lambda edit: edit.module)
def test_the_modules_work_without_later_calls(edit: Edit, count: Callable[[str, int], None]) -> None:
    """In check mode, for real with a backup, again, with a key and a question to ascp, and back."""
    sandbox = Sandbox(edit)
    sandbox.reset()
    wanted = sandbox.metadata()
    ascp = sandbox.root / "bin/ascp"
    ascp.parent.mkdir()
    ascp.write_text("#!/bin/sh\necho ascp version 4.4.5.1646\n")
    ascp.chmod(0o755)
    trace = sandbox.root / "trace"

    def run(**options: object) -> dict[str, object]:
        sandbox.write_arguments(_ansible_diff=True, **options)
        # Without the old kernel the result is the same, but for the name of the backup.
        result = result_of(sandbox.run(*old_kernel(trace)))
        count("runs on an old kernel", 1)
        assert "failed" not in result, (result, trace.read_text())
        return result

    assert run(_ansible_check_mode=True)["changed"] is True
    assert sandbox.file.read_bytes() == edit.before
    assert run(backup=True)["changed"] is True
    assert sandbox.file.read_bytes() == edit.after
    assert [copy.read_bytes() for copy in sandbox.backups()] == [edit.before]
    assert run()["changed"] is False
    with_key = run(server_side_encryption="AWS_KMS", kms_key_id=KEY)
    assert with_key["changed"] is True
    # The version was read: no warning doubts it.
    assert "3.6.1" not in json.dumps(with_key["warnings"])
    assert run(state="absent")["changed"] is True
    # The line of the key was new, and has become the vendor's comment.
    left = b"# server-side-encryption-aws-kms-key-id\n" if edit is TRAPD else b""
    assert sandbox.file.read_bytes() == edit.before + left
    assert sandbox.metadata() == wanted
    assert not sandbox.temporary_files()
