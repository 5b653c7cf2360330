"""Folders for temporary files. What a killed run could not remove, the next one removes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: How the names of all these folders begin. A letter is at the end: Ansible has Python parse the values of its
#: settings, and in a random name such as `8in8` it would find an odd number and warn of it.
PREFIX = "aspera-sse-x"

#: The file in a folder that is locked as long as the folder is in use. The kernel unlocks it when its process ends.
LOCK = ".in-use"


@contextlib.contextmanager
def folder(prefix: str = PREFIX, *, place: str | Path | None = None) -> Iterator[Path]:
    """Make a folder that every user may enter, and remove it at the end."""
    place = Path(place or tempfile.gettempdir())
    remove_abandoned(place)
    path = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
    with locked(path):
        path.chmod(0o755)
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Lock a folder. Its lock gets the name by which others find it when it is locked already."""
    unnamed = path / f"{LOCK}-new"
    with unnamed.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        unnamed.rename(path / LOCK)
        yield


def remove_abandoned(place: Path) -> None:
    """Remove the folders of this user that nobody uses any more."""
    for lock in place.glob(f"{PREFIX}*/{LOCK}"):
        path = lock.parent
        with contextlib.suppress(OSError):
            # No link, and nobody else's: whoever may write to the place could put anything there.
            status = path.lstat()
            if path.is_symlink() or status.st_uid != os.geteuid() or holds_mount(path):
                continue
            descriptor = os.open(lock, os.O_RDWR | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(descriptor)


def holds_mount(path: Path) -> bool:
    """Return whether something is mounted in a folder: its files may be others' files."""
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    return any(Path(line.split()[4]).is_relative_to(path) for line in lines)
