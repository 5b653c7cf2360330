# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The key for the sums of files, which stays on the controller.

A host gets a key of its own, made from this one and its name. So a host that somebody has taken over can find out
nothing about the files of another, even if all evidence is on it.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from .regular_file import NotRegularError, open_regular

#: As many bytes as SHA-256 gives.
BYTES = 32
TEXT = re.compile(rf"[0-9a-f]{{{2 * BYTES}}}\n?", re.ASCII)
#: Digits of the name of a key.
NAME_LENGTH = 16


class UnusableKeyError(Exception):
    """The file with the key cannot be used; the text says why and what to do."""


@dataclass(frozen=True)
class EvidenceKey:
    """The key for the sums of all hosts."""

    _secret: bytes = field(repr=False)

    @classmethod
    def of_file(cls, path: Path) -> EvidenceKey:
        """Read the key, or make one if there is none."""
        try:
            if not path.exists():
                _make(path)
            with open_regular(path) as opened:
                mode = os.fstat(opened.fileno()).st_mode
                content = opened.read(4096)
        except OSError as error:
            raise UnusableKeyError(f"The key {path} cannot be read or created: {error.strerror}.") from error
        except NotRegularError as error:
            raise UnusableKeyError(
                f"The key {path} cannot be read: {error}. Remove it, and the next run creates a new one."
            ) from error
        if mode & 0o077:
            raise UnusableKeyError(
                f"Other users can read the key {path}. Remove their permissions with 'chmod 600', or make another key "
                "if they may have read it."
            )
        try:
            text = content.decode("ascii")
        except UnicodeDecodeError:
            text = ""
        if not TEXT.fullmatch(text):
            raise UnusableKeyError(
                f"The key {path} is not one line of {2 * BYTES} hexadecimal digits. Make another one with "
                f"'openssl rand -hex {BYTES}', or remove it, and the next run creates a new one."
            )
        return cls(bytes.fromhex(text.strip()))

    @property
    def name(self) -> str:
        """What shows whether sums are under the same key."""
        return self._derived("name", "")[:NAME_LENGTH]

    def for_host(self, host: str) -> str:
        """Return the key for the sums of one host."""
        return self._derived("host", host)

    def _derived(self, purpose: str, text: str) -> str:
        message = f"aspera_ops.sse evidence {purpose}\0{text}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._secret, message, "sha256").hex()


def default_path() -> Path:
    """Return where the key is if nobody says otherwise."""
    folder = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(folder).expanduser() / "aspera_ops.sse/evidence.key"


def _make(path: Path) -> None:
    """Make a key. Of several processes that do so at once, all get that of the first."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Only its owner may read it, and nobody sees half of it.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".evidence.key.")
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as opened:
            opened.write(secrets.token_hex(BYTES) + "\n")
            opened.flush()
            os.fsync(opened.fileno())
        with suppress(FileExistsError):
            os.link(name, path)
    finally:
        Path(name).unlink()
