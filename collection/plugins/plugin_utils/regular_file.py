# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens files that may be anything: others may write to the folders in which they are.

A pipe in the place of a file would let its reader wait for ever, and a device may have no end.
"""

from __future__ import annotations

import os
import stat
import typing as t
from pathlib import Path


class NotRegularError(Exception):
    """There is something else than a regular file, or too much of it; the text says what."""


def open_regular(path: Path, flags: int = os.O_RDONLY, mode: int = 0o600) -> t.IO[bytes]:
    """Open a file without waiting, or raise OSError or NotRegularError."""
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, mode)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotRegularError("it is not a regular file")
    return os.fdopen(descriptor, "rb" if flags & os.O_ACCMODE == os.O_RDONLY else "ab")


def read_regular(path: Path, limit: int, flags: int = os.O_RDONLY) -> bytes:
    """Read a file up to a number of bytes, or raise OSError or NotRegularError."""
    with open_regular(path, flags) as opened:
        content = opened.read(limit + 1)
    if len(content) > limit:
        raise NotRegularError(f"it is larger than {limit // 1024 // 1024} MiB")
    return content
