# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a folder of evidence as a stranger left it: which files are as an audit wrote them, and which are not.

A file counts if it is as the sums of the folder say, and if the sums are signed where a signature is asked for. Of a
file that does not count, nothing is used but its name.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from .evidence_file import Evidence
from .evidence_folder import HOSTS, LINE, LOCK, PART, SIGNATURE, SUFFIX, SUMS, Sums, file_name
from .evidence_reader import SIZE_LIMIT, UnusableEvidenceError, read_evidence
from .regular_file import NotRegularError, read_regular
from .signature import SignatureError, check_signature

#: What else an audit leaves in a folder.
OWN_FILES = frozenset((HOSTS, LOCK, PART, SIGNATURE, SUMS))
AUDIT_AGAIN = "Restore what the audit wrote from a backup, or run the audit again, and find out who changed it."


@dataclass(frozen=True)
class Doubt:
    """Why a file or a folder does not count, and what to do."""

    why: str
    fix: str


@dataclass(frozen=True)
class Found:
    """What a folder has of a host: evidence, or a doubt in its place."""

    host: str
    folder: Path
    #: Of the file that was read.
    sha256: str | None = None
    evidence: Evidence | None = None
    doubt: Doubt | None = None


@dataclass
class Source:
    """A folder that was read."""

    path: Path
    found: list[Found] = field(default_factory=list)
    #: What is wrong with the folder, or with files in it that belong to no host.
    doubts: list[Doubt] = field(default_factory=list)
    #: How many files are there that no audit writes. They are not opened.
    other_files: int = 0
    signed_by: str | None = None


def read_source(path: Path, allowed_signers: Path | None = None) -> Source:
    """Read a folder. With a file of allowed signers, it counts only if one of them signed it."""
    source = Source(path)
    try:
        names = _names(source)
    except OSError as error:
        source.doubts.append(
            Doubt(
                f"The folder of evidence {path} cannot be read: {error.strerror}.",
                "Name the folder that the audit wrote to, or run the audit.",
            )
        )
        return source
    sums, part = _sums(source, allowed_signers), Sums.parse(_content_or_nothing(path / PART))
    for name in sorted(names | set(sums.by_name)):
        host = _host_of(name)
        if host is None:
            why = f"{path / name} has a name that no audit uses."
            source.doubts.append(Doubt(why, "Find out who put it there, and remove it."))
        else:
            source.found.append(_found(source, name, host, sums, part))
    return source


def _names(source: Source) -> set[str]:
    """Return the files that may be evidence, and count the others."""
    names = set()
    with os.scandir(source.path) as entries:
        source.other_files += sum(entry.name not in OWN_FILES for entry in entries)
    try:
        with os.scandir(source.path / HOSTS) as entries:
            for entry in entries:
                name = f"{HOSTS}/{entry.name}"
                # What begins with a dot is a file that an audit has not finished.
                if LINE.fullmatch(f"{'0' * 64}  {name}") and not entry.name.startswith("."):
                    names.add(name)
                else:
                    source.other_files += 1
    except FileNotFoundError:
        pass
    return names


def _sums(source: Source, allowed_signers: Path | None) -> Sums:
    """Read the sums of the folder. If they do not count, add the reason to its doubts."""
    try:
        content = _content(source.path / SUMS)
    except FileNotFoundError:
        source.doubts.append(
            Doubt(
                f"{source.path} has no {SUMS}: the audit has not finished, or somebody removed it.",
                "Run the audit again, and let it finish.",
            )
        )
        return Sums()
    except (OSError, NotRegularError) as error:
        source.doubts.append(Doubt(f"{source.path / SUMS} cannot be read: {_reason(error)}.", AUDIT_AGAIN))
        return Sums()
    sums = Sums.parse(content)
    if content != sums.to_bytes():
        source.doubts.append(Doubt(f"{source.path / SUMS} is not as the audit writes it.", AUDIT_AGAIN))
    elif allowed_signers:
        try:
            signature = _content_or_nothing(source.path / SIGNATURE)
            source.signed_by = check_signature(content, signature, allowed_signers)
        except SignatureError as error:
            source.doubts.append(Doubt(f"The signature of {source.path / SUMS} is not accepted: {error}.", AUDIT_AGAIN))
    return sums


def _found(source: Source, name: str, host: str, sums: Sums, part: Sums) -> Found:
    """Read one file, and hold it against the sums."""
    path = source.path / name
    try:
        content = _content(path)
    except FileNotFoundError:
        return _doubted(source, host, f"{path} is missing, and {SUMS} lists it.", AUDIT_AGAIN)
    except (OSError, NotRegularError) as error:
        return _doubted(source, host, f"{path} cannot be read: {_reason(error)}.", AUDIT_AGAIN)
    sha256 = hashlib.sha256(content).hexdigest()
    if sums.by_name.get(name) != sha256:
        if part.by_name.get(name) == sha256:
            why = f"The audit that wrote {path} has not finished."
            return _doubted(source, host, why, "Wait until it finishes, or run the audit again.")
        # Without any sums, the doubt about the folder says so once.
        if name in sums.by_name:
            return _doubted(source, host, f"{path} was changed after the audit.", AUDIT_AGAIN)
        if sums.by_name:
            return _doubted(source, host, f"{path} was added after the audit: {SUMS} does not list it.", AUDIT_AGAIN)
    if source.doubts:
        return Found(host, source.path, sha256, doubt=source.doubts[0])
    try:
        evidence = read_evidence(content)
    except UnusableEvidenceError as error:
        return _doubted(source, host, f"{path} cannot be used: {error}.", "Run the audit again.")
    if f"{HOSTS}/{file_name(evidence.host)}" != name:
        return _doubted(source, host, f"{path} is evidence of a host other than its name says.", AUDIT_AGAIN)
    return Found(evidence.host, source.path, sha256, evidence)


def _doubted(source: Source, host: str, why: str, fix: str) -> Found:
    return Found(host, source.path, doubt=Doubt(why, fix))


def _host_of(name: str) -> str | None:
    """Return the host for which the audit gives this name, or None. Of a long name, it is what the name has of it."""
    stem = name[len(HOSTS) + 1 : -len(SUFFIX)]
    if "~" in stem:
        return stem
    host = unquote(stem, errors="surrogateescape")
    return host if f"{HOSTS}/{file_name(host)}" == name else None


def _content(path: Path) -> bytes:
    """Read a file that may be anything: no link, no pipe, and not without a limit."""
    return read_regular(path, SIZE_LIMIT, os.O_RDONLY | os.O_NOFOLLOW)


def _content_or_nothing(path: Path) -> bytes:
    try:
        return _content(path)
    except (OSError, NotRegularError):
        return b""


def _reason(error: OSError | NotRegularError) -> str:
    return (error.strerror or "unknown error") if isinstance(error, OSError) else str(error)
