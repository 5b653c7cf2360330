# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder of evidence.

- `hosts/NAME.json`: one file a host.
- `SHA256SUMS`: the sums of all these files, as `sha256sum --check` reads them, so that later changes are seen.
- `SHA256SUMS.sig`: a signature of it, if it was signed.
- `SHA256SUMS.part`: the sums of files that a run has written and not yet added to the others.

Sums are made from what is written and never from what is found, so that a run does not vouch for files of others.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import string
import tempfile
import time
import typing as t
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from .evidence_file import Evidence
from .regular_file import NotRegularError, open_regular, read_regular
from .signature import SignatureError, SigningKey

HOSTS = "hosts"
SUMS = "SHA256SUMS"
PART = "SHA256SUMS.part"
SIGNATURE = "SHA256SUMS.sig"
LOCK = ".lock"
SUFFIX = ".json"

#: What stands in the name of a file as it is. All else is written as its bytes, in the way of a URL.
PLAIN = frozenset((string.ascii_letters + string.digits + "-_.").encode("ascii"))
#: Linux takes 255 bytes. Of a longer name, the beginning is kept, and a sum of all of it.
NAME_LIMIT = 200
NAME_KEPT = 100
#: More than the sums of any fleet.
SIZE_LIMIT = 129 * 1024 * 1024

#: Each of a fleet of audits holds the lock for a moment.
LOCK_SECONDS = 60

LINE = re.compile(r"(?P<sum>[0-9a-f]{64})  (?P<name>hosts/[^/\n]+\.json)", re.ASCII)
#: Of its owner, and of a group that may look at it.
FILE_MODE = 0o640
FOLDER_MODE = 0o750


class FolderError(Exception):
    """A folder of evidence cannot be used; the text says why and what to do."""


@dataclass
class Sums:
    """The sums of files by their name in the folder."""

    by_name: dict[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, content: bytes) -> Sums:
        """Read lines of `sha256sum`, and no others. Of two lines for one file, the later counts."""
        found = map(LINE.fullmatch, content.decode("utf-8", "replace").splitlines())
        return cls({line["name"]: line["sum"] for line in found if line})

    def to_bytes(self) -> bytes:
        """Write them in one order."""
        return "".join(f"{self.by_name[name]}  {name}\n" for name in sorted(self.by_name)).encode("ascii")


@dataclass(frozen=True)
class EvidenceFolder:
    """A folder of evidence, to write into."""

    path: Path

    def write(self, evidence: Evidence) -> Path:
        """Write the evidence of one host, in place of what there was of this host."""
        content = evidence.to_bytes()
        name = f"{HOSTS}/{file_name(evidence.host)}"
        line = f"{hashlib.sha256(content).hexdigest()}  {name}\n".encode("ascii")
        try:
            for folder in (self.path, self.path / HOSTS):
                folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            if (self.path / HOSTS).is_symlink():
                raise FolderError(_no_audit_wrote(self.path / HOSTS, "it is a link"))
            # Together, so that the last file of a host and the last line for it are of one run.
            with self._locked(), replacing(self.path / name, content):
                self._append(line)
        except OSError as error:
            raise FolderError(f"The evidence cannot be written to {self.path / name}: {error.strerror}.") from error
        return self.path / name

    def finish(self, signing_key: SigningKey | None = None) -> int:
        """Add the sums of what was written to those of the other files, and sign them; return how many there are."""
        if not self.path.is_dir():
            raise FolderError(f"{self.path} is not a folder, so no evidence was written there.")
        try:
            with self._locked():
                return self._finish(signing_key)
        except OSError as error:
            raise FolderError(f"{self.path / SUMS} cannot be written: {error.strerror}.") from error

    def has_written(self, host: str) -> bool:
        """Say whether a run that is not finished wrote evidence of a host."""
        return f"{HOSTS}/{file_name(host)}" in Sums.parse(_content(self.path / PART)).by_name

    def _finish(self, signing_key: SigningKey | None) -> int:
        before = _content(self.path / SUMS)
        old, written = Sums.parse(before), Sums.parse(_content(self.path / PART))
        kept = set(old.by_name) - set(written.by_name)
        if kept and signing_key:
            self._require_own_signature(before, signing_key)
        content = Sums({**old.by_name, **written.by_name}).to_bytes()
        signature = signing_key.sign(content) if signing_key else None
        with replacing(self.path / SUMS, content):
            pass
        if signature:
            with replacing(self.path / SIGNATURE, signature):
                pass
        else:
            # It would be one of other sums.
            (self.path / SIGNATURE).unlink(missing_ok=True)
        (self.path / PART).unlink(missing_ok=True)
        return len(old.by_name | written.by_name)

    def _require_own_signature(self, sums: bytes, signing_key: SigningKey) -> None:
        """Vouch for files of earlier runs only if the same key has done so before."""
        try:
            signing_key.check_own(sums, _content(self.path / SIGNATURE))
        except SignatureError as error:
            raise FolderError(
                f"{self.path / SUMS} lists files of earlier runs, and is not signed with this key ({error}). Let the "
                "audit write to a new folder, or find out who changed this one."
            ) from error

    def _append(self, line: bytes) -> None:
        part, flags = self.path / PART, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
        try:
            with open_regular(part, flags, FILE_MODE) as opened:
                opened.write(line)
        except NotRegularError as error:
            raise FolderError(_no_audit_wrote(part, str(error))) from error

    @contextmanager
    def _locked(self) -> t.Iterator[None]:
        """Let one process after the other change the folder."""
        descriptor = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, FILE_MODE)
        try:
            self._lock(descriptor)
            yield
        finally:
            os.close(descriptor)

    def _lock(self, descriptor: int) -> None:
        """Wait for the others. Whoever may read the file can lock it for ever."""
        until = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise FolderError(
                        f"Another program has locked {self.path / LOCK} for {LOCK_SECONDS} seconds. See which one "
                        f"('fuser {self.path / LOCK}'), and run the audit again."
                    ) from None
                time.sleep(0.05)
            else:
                return


def file_name(host: str) -> str:
    """Return the name of the file for a host: never that of another host, and never one outside its folder."""
    name = "".join(
        chr(byte) if byte in PLAIN and (index or byte != ord(".")) else f"%{byte:02X}"
        for index, byte in enumerate(host.encode("utf-8", "surrogatepass"))
    )
    if len(name) > NAME_LIMIT:
        whole = hashlib.sha256(host.encode("utf-8", "surrogatepass")).hexdigest()
        name = f"{name[:NAME_KEPT]}~{whole}"
    return name + SUFFIX


@contextmanager
def replacing(path: Path, content: bytes) -> t.Iterator[None]:
    """Put a file in place, whole, after what the block does: everybody sees the old content or the new."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fchmod(opened.fileno(), FILE_MODE)
            os.fsync(opened.fileno())
        yield
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _content(path: Path) -> bytes:
    """Read a file of the folder; one that is not there is empty."""
    try:
        return read_regular(path, SIZE_LIMIT, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return b""
    except NotRegularError as error:
        raise FolderError(_no_audit_wrote(path, str(error))) from error


def _no_audit_wrote(path: Path, what: str) -> str:
    return f"No audit wrote {path}: {what}. Let the audit write to a new folder, or find out who changed this one."
