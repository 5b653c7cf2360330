"""What a disk was given to write, and what a power cut at any moment of it may leave.

QEMU's `blklogwrites` has each write and each flush in their order (the format of the kernel's dm-log-writes).
A disk with a volatile cache may lose any write after the last flush, keep any other, and tear pages between sectors.
Marks are writes behind the file system: they say in the same order which task had begun, and what its answer was.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SECTOR = 512
PAGE = 4096

MAGIC = 0x6A736677736872
FLUSH, FUA, DISCARD = 1, 2, 4

#: What a cut may leave: of the writes before it, and of the pages of one.
HOW = ("all writes", "flushed only", "random loss", "stopped in a page", "torn pages")

#: What of a disk is not zero, by the number of the page.
Pages = dict[int, bytes]

#: Bytes and their place on the disk, all in one page.
Piece = tuple[int, bytes]


@dataclass(frozen=True)
class Entry:
    """A write or a flush."""

    at: int
    data: bytes
    flags: int


@dataclass(frozen=True)
class Cut:
    """A disk after a power cut: what is not as before the recording, how it came to be, and the marks up to there."""

    changed: Pages
    how: str
    entry: int
    marks: tuple[str, ...]


def entries(log: Path) -> Iterator[Entry]:
    """Read a log."""
    with log.open("rb") as file:
        magic, _, _, sector = struct.unpack("<QQQI", file.read(28))
        assert (magic, sector) == (MAGIC, SECTOR), "not a log of blklogwrites"
        file.seek(SECTOR)
        while len(head := file.read(SECTOR)) == SECTOR:
            first, sectors, flags, _ = struct.unpack("<QQQQ", head[:32])
            yield Entry(first * SECTOR, b"" if flags & DISCARD else file.read(sectors * SECTOR), flags)


def pages(path: Path) -> Pages:
    """Read what of a sparse file is not zero."""
    found = {}
    with path.open("rb") as file:
        end = os.fstat(file.fileno()).st_size
        at = 0
        while at < end:
            try:
                at = os.lseek(file.fileno(), at, os.SEEK_DATA)
            except OSError:
                break
            hole = os.lseek(file.fileno(), at, os.SEEK_HOLE)
            for number in range(at // PAGE, -(-hole // PAGE)):
                file.seek(number * PAGE)
                data = file.read(PAGE).ljust(PAGE, b"\0")
                if any(data):
                    found[number] = data
            at = hole
    return found


class Recording:
    """A recorded disk: its content before, and all that it was given since."""

    def __init__(self, before: Pages, log: Path, size: int, untorn: frozenset[int]) -> None:
        """Take a recording; from `size` on are marks; pages in `untorn` are written whole or not at all."""
        self.before = before
        self.log = log
        self.size = size
        self.untorn = untorn

    def cuts(self, chance: Random) -> Iterator[Cut]:
        """Go through all moments between the marks READY and SETUP."""
        durable: Pages = {}
        pending: list[Piece] = []
        marks: tuple[str, ...] = ()
        for number, entry in enumerate(entries(self.log)):
            if entry.data and entry.at >= self.size:
                marks = (*marks, entry.data.decode().rstrip("\0 \n"))
                # What an answer promised must be there, if nothing but flushed writes is.
                if _is_between(marks):
                    yield Cut(dict(durable), "flushed only", number, marks)
                continue
            if entry.flags & FLUSH:
                for at, data in pending:
                    self._put(durable, at, data)
                pending = []
            new = list(pieces(entry.at, entry.data))
            pending += new
            if entry.flags & FUA:
                for at, data in new:
                    self._put(durable, at, data)
            if _is_between(marks):
                for how, image in self._left(durable, pending, new, chance):
                    yield Cut(image, how, number, marks)

    def _left(
        self, durable: Pages, pending: list[Piece], new: list[Piece], chance: Random
    ) -> Iterator[tuple[str, Pages]]:
        """Give what a cut here may leave."""
        yield "all writes", self._with(durable, pending)
        if not pending:
            return
        yield "flushed only", dict(durable)
        yield "random loss", self._with(durable, [piece for piece in pending if chance.random() < 0.5])
        # The writing stopped within a page.
        if new:
            at, data = chance.choice(new)
            before = pending[: len(pending) - len(new)]
            yield "stopped in a page", self._with(durable, [*before, *self._torn(at, data, chance, at_the_end=True)])
        torn = []
        for at, data in pending:
            fate = chance.choice(("lost", "whole", "torn"))
            if fate == "torn":
                torn += self._torn(at, data, chance, at_the_end=False)
            elif fate == "whole":
                torn.append((at, data))
        yield "torn pages", self._with(durable, torn)

    def _put(self, changed: Pages, at: int, data: bytes) -> None:
        number, inside = divmod(at, PAGE)
        old = changed.get(number) or self.before.get(number) or bytes(PAGE)
        changed[number] = old[:inside] + data + old[inside + len(data) :]

    def _with(self, changed: Pages, some: list[Piece]) -> Pages:
        more = dict(changed)
        for at, data in some:
            self._put(more, at, data)
        return more

    def _torn(self, at: int, data: bytes, chance: Random, *, at_the_end: bool) -> list[Piece]:
        """Return some of the sectors of a piece."""
        if at // PAGE in self.untorn:
            return [(at, data)]
        sectors = [(at + offset, data[offset : offset + SECTOR]) for offset in range(0, len(data), SECTOR)]
        if at_the_end:
            return sectors[: chance.randrange(len(sectors))]
        return [sector for sector in sectors if chance.random() < 0.5]


def pieces(at: int, data: bytes) -> Iterator[Piece]:
    """Split a write at the ends of pages: of these, a disk may do one without the other."""
    while data:
        length = min(len(data), PAGE - at % PAGE)
        yield at, data[:length]
        at, data = at + length, data[length:]


def write_images(path: Path, images: list[Pages], step: int) -> None:
    """Write images into one sparse file, one every `step` bytes."""
    with path.open("wb") as file:
        for number, image in enumerate(images):
            for page, data in image.items():
                file.seek(number * step + page * PAGE)
                file.write(data)
        file.truncate(len(images) * step)


def _is_between(marks: tuple[str, ...]) -> bool:
    states = [mark for mark in marks if mark in {"READY", "SETUP"}]
    return bool(states) and states[-1] == "READY"
