"""File systems to cut the power of: how they are made and mounted, and what of them no cut may tear."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import packages

if TYPE_CHECKING:
    from pathlib import Path

#: Room behind a file system for the marks of a recording.
MARKS = 1 << 16


@dataclass(frozen=True)
class FileSystem:
    """A kind of file system, with the options of a mount."""

    kind: str
    size: int
    make: tuple[str, ...]
    options: str = "rw"
    #: Pages with a superblock under one checksum. The kernel writes it as one and has no other to start from:
    #: torn, no mount would come to the files, whatever program wrote them.
    untorn: frozenset[int] = frozenset()

    @property
    def modules(self) -> tuple[str, ...]:
        """The modules of the kernel."""
        return (self.kind, "crc32c_generic")

    def of_size(self, size: int) -> FileSystem:
        """Return one of another size."""
        return replace(self, size=size)

    def create(self, image: Path, *more: str | Path) -> None:
        """Make one, empty unless more is said to its program, with room for marks behind it."""
        with image.open("wb") as file:
            file.truncate(self.size)
        # XFS is made smaller than 300 MB only for tests.
        environment = {**os.environ, "TEST_DIR": "1", "TEST_DEV": "1", "QA_CHECK_FS": "1"}
        command = packages.tool(*self.make, *more, image)
        subprocess.run(command, check=True, capture_output=True, env=environment, stdin=subprocess.DEVNULL)
        with image.open("r+b") as file:
            file.truncate(self.size + MARKS)


EXT4 = FileSystem(
    "ext4",
    24 << 20,
    ("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", "-J", "size=4"),
    untorn=frozenset({0}),
)
FILE_SYSTEMS = {
    "ext4": EXT4,
    # Without what ext4 does of itself for programs that forget to bring a renamed file to the disk.
    "ext4-noauto_da_alloc": FileSystem("ext4", EXT4.size, EXT4.make, "noauto_da_alloc", EXT4.untorn),
    "xfs": FileSystem("xfs", 64 << 20, ("mkfs.xfs", "-q", "-f")),
    "btrfs": FileSystem(
        "btrfs",
        128 << 20,
        ("mkfs.btrfs", "-q", "-f", "-m", "single", "-d", "single"),
        untorn=frozenset({(64 << 10) >> 12, (64 << 20) >> 12}),
    ),
}
