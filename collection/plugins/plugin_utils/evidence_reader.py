# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a file of evidence, which may come from anywhere: nothing of it is used before it was checked.

It takes what `docs/evidence.schema.json` allows. The values in the answers are checked by those who use them.
"""

from __future__ import annotations

import json
import math
import re
import typing as t
from datetime import datetime, timezone

from .evidence_file import SCHEMA_VERSION, Answer, Evidence, Sums
from .nesting import DEPTH_LIMIT, is_nested_deeper

STATES = ("looked", "failed", "unreachable", "skipped")
ANSWER_STATES = ("answered", "failed", "unreachable", "skipped")
#: An answer of a host is limited to as much, and the rest of a file is small.
SIZE_LIMIT = 65 * 1024 * 1024
#: That of an answer with what is around it.
LEVELS = DEPTH_LIMIT + 3

TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", re.ASCII)
MODULE = re.compile(r"aspera_[a-z0-9_]{1,60}", re.ASCII)
SUM = re.compile(r"[0-9a-f]{64}", re.ASCII)
KEY = re.compile(r"[0-9a-f]{16}", re.ASCII)


class UnusableEvidenceError(Exception):
    """A file is no evidence, or evidence that cannot be read; the text says why."""


def read_evidence(content: bytes) -> Evidence:
    """Read it, and check all of it but the values in the answers, which only those know who know the modules."""
    read = _read(content)
    version = read.get("schema_version")
    if version != SCHEMA_VERSION or isinstance(version, bool):
        raise UnusableEvidenceError(
            f"it is of schema version {_shown(version)}, and this collection reads version {SCHEMA_VERSION}. "
            "Use the collection that wrote it, or run the audit again"
        )
    names = ("schema_version", *Evidence.__dataclass_fields__)
    _check_keys(read, names, "it")
    evidence = Evidence(
        host=_text(read["host"], "host"),
        groups=[_text(name, "groups") for name in _list(read["groups"], "groups")],
        state=_one_of(read["state"], STATES, "state"),
        message=_text_or_none(read["message"], "message"),
        started_at=_time(read["started_at"], "started_at"),
        ended_at=_time(read["ended_at"], "ended_at"),
        versions=_versions(read["versions"]),
        expectation=_expectation(read["expectation"]),
        sums=_sums(read["sums"]),
        answers=_answers(read["answers"]),
    )
    if not evidence.host:
        raise UnusableEvidenceError("host is empty")
    if evidence.ended_at < evidence.started_at:
        raise UnusableEvidenceError("ended_at is before started_at")
    if evidence.state == "looked" and not evidence.answers:
        raise UnusableEvidenceError("state is looked, and there is no answer")
    if evidence.state == "looked" and any(one.state != "answered" for one in evidence.answers.values()):
        raise UnusableEvidenceError("state is looked, and an answer is missing")
    return evidence


def utc_time(text: str) -> datetime:
    """Read a time as evidence has it, or raise ValueError."""
    if not TIME.fullmatch(text):
        raise ValueError(text)
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)


def _read(content: bytes) -> dict[str, t.Any]:
    if len(content) > SIZE_LIMIT:
        raise UnusableEvidenceError(f"it is larger than {SIZE_LIMIT // 1024 // 1024} MiB")
    try:
        read = json.loads(
            content.decode("utf-8"), object_pairs_hook=_object, parse_constant=_no_number, parse_float=_finite
        )
    except (RecursionError, ValueError) as error:
        raise UnusableEvidenceError("it is not whole JSON") from error
    if not isinstance(read, dict):
        raise UnusableEvidenceError("it is not a JSON object")
    if is_nested_deeper(read, LEVELS):
        raise UnusableEvidenceError(f"it is nested more than {LEVELS} levels deep")
    return read


def _object(pairs: list[tuple[str, t.Any]]) -> dict[str, t.Any]:
    result = dict(pairs)
    # Which of the two counts would be a matter of who reads.
    if len(result) != len(pairs):
        raise UnusableEvidenceError("it has a key twice")
    return result


def _no_number(name: str) -> t.NoReturn:
    raise UnusableEvidenceError(f"it has {name} for a number")


def _finite(text: str) -> float:
    number = float(text)
    # JSON cannot hold what would be made of it.
    if math.isinf(number):
        raise UnusableEvidenceError("it has a number that is too large")
    return number


def _shown(value: t.Any) -> str:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**9 else "unknown"


def _check_keys(read: t.Any, names: t.Iterable[str], place: str) -> None:
    if not isinstance(read, dict):
        raise UnusableEvidenceError(f"{place} is not a JSON object")
    for name in names:
        if name not in read:
            raise UnusableEvidenceError(f"{place} has no {name}")
    if len(read) != len(set(names)):
        raise UnusableEvidenceError(f"{place} has keys that evidence does not have")


def _text(value: t.Any, place: str) -> str:
    if not isinstance(value, str):
        raise UnusableEvidenceError(f"{place} is not text")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise UnusableEvidenceError(f"{place} is not valid Unicode") from None
    return value


def _text_or_none(value: t.Any, place: str) -> str | None:
    return None if value is None else _text(value, place)


def _one_of(value: t.Any, choices: t.Sequence[str], place: str) -> str:
    if value not in choices:
        raise UnusableEvidenceError(f"{place} is not one of {', '.join(choices)}")
    return str(value)


def _list(value: t.Any, place: str) -> list[t.Any]:
    if not isinstance(value, list):
        raise UnusableEvidenceError(f"{place} is not a list")
    return value


def _time(value: t.Any, place: str) -> datetime:
    try:
        return utc_time(_text(value, place))
    except ValueError:
        raise UnusableEvidenceError(f"{place} is not a time such as 2026-11-27T00:30:00Z") from None


def _versions(value: t.Any) -> dict[str, str | None]:
    names = ("collection", "ansible_core", "aspera")
    _check_keys(value, names, "versions")
    return {name: _text_or_none(value[name], f"versions.{name}") for name in names}


def _expectation(value: t.Any) -> list[dict[str, t.Any]] | None:
    if value is None:
        return None
    entries = _list(value, "expectation")
    if not all(isinstance(entry, dict) for entry in entries):
        raise UnusableEvidenceError("expectation has an entry that is not a JSON object")
    return entries


def _sums(value: t.Any) -> Sums | None:
    if value is None:
        return None
    _check_keys(value, Sums.__dataclass_fields__, "sums")
    for name, form in (("key", KEY), ("aspera_conf", SUM), ("s3_properties", SUM)):
        text = value[name]
        if name != "key" and text is None:
            continue
        if not isinstance(text, str) or not form.fullmatch(text):
            raise UnusableEvidenceError(f"sums.{name} is no sum")
    return Sums(**value)


def _answers(value: t.Any) -> dict[str, Answer]:
    if not isinstance(value, dict):
        raise UnusableEvidenceError("answers is not a JSON object")
    answers = {}
    for module, answer in value.items():
        if not MODULE.fullmatch(module):
            raise UnusableEvidenceError("answers has a name that is not one of a module")
        place = f"answers.{module}"
        _check_keys(answer, Answer.__dataclass_fields__, place)
        state = _one_of(answer["state"], ANSWER_STATES, f"{place}.state")
        values = answer["values"]
        if (values is not None) is not (state == "answered") or not isinstance(values, (dict, type(None))):
            raise UnusableEvidenceError(f"{place}.values does not go with its state")
        answers[module] = Answer(state, _text_or_none(answer["message"], f"{place}.message"), values)
    return answers
