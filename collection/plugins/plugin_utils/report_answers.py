# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report takes from the answers of the info modules in evidence.

An answer is not trusted to have the form that the module documents: what differs is a reason to call it unread, and
never a reason to call it green.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .evidence_file import Evidence

#: The module that lists docroots.
SETTINGS = "aspera_sse_info"
#: The module that looks at the uploaded objects.
OBJECTS = "aspera_s3_objects_info"
#: The module that looks at access keys, and the reason of users whose uploads these decide.
ACCESS_KEYS, DECIDED_BY_KEYS = "aspera_access_keys_info", "access_keys"
#: The lists of problems that any info module may return, and what an entry of each means for its host.
PROBLEM_LISTS = {"violations": "violated", "incomplete": "incomplete", "unknown": "unknown"}
VERDICTS = ("met", "violated", "unknown", "not_s3")
ODD_FORM = "The answer of {module} does not have the documented form, so it proves nothing."
UPDATE = "Run the audit with the version of the collection that makes this report."


@dataclass(frozen=True)
class Finding:
    """Something that keeps a host from being proven."""

    kind: str
    where: str
    why: str
    fix: str


@dataclass(frozen=True)
class Docroot:
    """The encryption of one docroot, or of a user without one."""

    place: str
    #: None if the expectation does not name it.
    verdict: str | None
    encryption: str | None
    key: str | None
    source: str
    inherited_from: str | None
    uri: str | None
    is_certain: bool
    reasons: list[str]
    #: Whether all objects in question were looked at and are encrypted so, or the settings were.
    proven_on: str


@dataclass
class Answers:
    """What all modules say of one host."""

    findings: list[Finding] = field(default_factory=list)
    docroots: list[Docroot] = field(default_factory=list)
    #: Whether every module that judges calls the host compliant, and at least the settings were judged.
    is_compliant: bool = False


class _OddFormError(Exception):
    """A value does not have the form that the module documents."""


def read_answers(evidence: Evidence) -> Answers:
    """Read what the modules answered."""
    answers = Answers()
    verdicts: dict[str, bool] = {}
    proven = _proven_on_objects(evidence)
    settled = _settled_by_access_keys(evidence)
    for module, answer in evidence.answers.items():
        values = answer.values
        if values is None:
            continue
        try:
            if module == SETTINGS:
                values = _without_settled(values, settled)
                answers.docroots = [_docroot(read, proven) for read in _dicts(values, "docroots")]
            answers.findings += _findings(values)
            if "compliant" in values:
                verdicts[module] = _is_compliant(module, values)
        except _OddFormError:
            answers.findings.append(Finding("incomplete", module, ODD_FORM.format(module=module), UPDATE))
    # An answer that contradicts itself is no green.
    is_consistent = all(docroot.verdict not in ("violated", "unknown") for docroot in answers.docroots)
    answers.is_compliant = SETTINGS in verdicts and all(verdicts.values()) and is_consistent
    return answers


def _settled_by_access_keys(evidence: Evidence) -> set[str]:
    """Return the users whose uploads the access keys decide, if these are known to be as expected."""
    answer = evidence.answers.get(ACCESS_KEYS)
    values = (answer.values or {}) if answer else {}
    settles = values.get("settles")
    # An answer that contradicts itself settles nothing.
    is_whole = values.get("complete") is True and values.get("compliant") is True
    has_problems = any(values.get(name) != [] for name in PROBLEM_LISTS)
    if not is_whole or has_problems or not isinstance(settles, list):
        return set()
    return {place for place in settles if isinstance(place, str)}


def _without_settled(values: dict[str, t.Any], settled: set[str]) -> dict[str, t.Any]:
    """Take out what is unknown only because access keys decide it, where these are known to be as expected."""
    if not settled:
        return values

    def is_settled(place: str, reasons: t.Any) -> bool:
        return place in settled and reasons == [DECIDED_BY_KEYS]

    unknown = [one for one in _dicts(values, "unknown") if not is_settled(_text(one, "where"), one.get("reasons"))]
    docroots = [dict(read) for read in _dicts(values, "docroots")]
    for read in docroots:
        place = " ".join(filter(None, (_text(read, "scope"), _text_or_none(read, "name"))))
        effective = read.get("effective")
        reasons = effective.get("reasons") if isinstance(effective, dict) else None
        if read.get("verdict") == "unknown" and read.get("peer_ip") is None and is_settled(place, reasons):
            read["verdict"] = "met"
    is_rest = values.get("compliant") is None and "compliant" in values
    is_fine = is_rest and not unknown and all(values.get(name) == [] for name in ("violations", "incomplete"))
    return {**values, "unknown": unknown, "docroots": docroots, "compliant": is_fine or values.get("compliant")}


def _findings(values: dict[str, t.Any]) -> list[Finding]:
    findings = []
    for name, kind in PROBLEM_LISTS.items():
        for entry in _dicts(values, name) if name in values else ():
            where, why, fix = (_text(entry, key) for key in ("where", "why", "fix"))
            if kind == "violated":
                why = f"{_text(entry, 'found')}, not {_text(entry, 'expected')}: {why}"
            findings.append(Finding(kind, where, _sentence(why), fix))
    return findings


def _docroot(read: dict[str, t.Any], proven: set[tuple[str, str | None, str | None]]) -> Docroot:
    scope, name, peer = _text(read, "scope"), _text_or_none(read, "name"), _text_or_none(read, "peer_ip")
    verdict = _text_or_none(read, "verdict") if "verdict" in read else None
    if verdict not in (*VERDICTS, None):
        raise _OddFormError
    effective = read.get("effective")
    if not isinstance(effective, dict):
        raise _OddFormError
    reasons = effective.get("reasons")
    if not isinstance(reasons, list) or not all(isinstance(reason, str) for reason in reasons):
        raise _OddFormError
    return Docroot(
        place=" ".join(filter(None, (scope, name, f"(from {peer})" if peer else None))),
        verdict=verdict,
        encryption=_text_or_none(effective, "server_side_encryption"),
        key=_text_or_none(effective, "kms_key_id"),
        source=_text(effective, "source"),
        inherited_from=_text_or_none(read, "inherited_from"),
        uri=_text_or_none(read, "uri"),
        is_certain=effective.get("certain") is True,
        reasons=reasons,
        proven_on="objects" if (scope, name, peer) in proven else "settings",
    )


def _proven_on_objects(evidence: Evidence) -> set[tuple[str, str | None, str | None]]:
    """Return the docroots of which all objects in question were looked at, and are as expected."""
    answer = evidence.answers.get(OBJECTS)
    entries = (answer.values or {}).get("docroots") if answer else None
    if not isinstance(entries, list):
        return set()
    return {
        (entry["scope"], entry.get("name"), entry.get("peer_ip"))
        for entry in entries
        if isinstance(entry, dict)
        and entry.get("compliant") is True
        and isinstance(entry.get("scope"), str)
        and all(isinstance(entry.get(key), (str, type(None))) for key in ("name", "peer_ip"))
    }


def _is_compliant(module: str, values: dict[str, t.Any]) -> bool:
    value = values["compliant"]
    if not isinstance(value, (bool, type(None))):
        raise _OddFormError
    # The module that is always asked returns all of the lists, and would name a docroot that is not as expected.
    if module == SETTINGS and value and not all(name in values for name in PROBLEM_LISTS):
        raise _OddFormError
    return value is True


def _dicts(values: dict[str, t.Any], name: str) -> list[dict[str, t.Any]]:
    entries = values.get(name)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise _OddFormError
    return entries


def _text(values: dict[str, t.Any], name: str) -> str:
    value = values.get(name)
    if not isinstance(value, str):
        raise _OddFormError
    return value


def _text_or_none(values: dict[str, t.Any], name: str) -> str | None:
    return None if values.get(name) is None else _text(values, name)


def _sentence(text: str) -> str:
    """Give a reason the form of a sentence."""
    text = text[:1].upper() + text[1:]
    return text if text.endswith(".") else f"{text}."
