"""The schema of evidence, for those who read it, and the code that reads it: both allow and refuse the same."""

from __future__ import annotations

import json
import sys
from typing import Any

import jsonschema
import pytest
from controllers import PROJECT
from fleet import SCHEMA

sys.path.append(str(PROJECT / "target/collection"))
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.evidence_reader import (
    SIZE_LIMIT,
    UnusableEvidenceError,
    read_evidence,
)

SUM = "ab" * 32
WHOLE: dict[str, Any] = {
    "schema_version": 1,
    "host": "server",
    "groups": ["aspera"],
    "state": "looked",
    "message": None,
    "started_at": "2026-11-27T00:30:00Z",
    "ended_at": "2026-11-27T00:30:01Z",
    "versions": {"collection": "0.2.0", "ansible_core": "2.21.5", "aspera": None},
    "expectation": [{"server_side_encryption": "AWS_KMS"}],
    "sums": {"key": "0123456789abcdef", "aspera_conf": SUM, "s3_properties": None},
    "answers": {"aspera_sse_info": {"state": "answered", "message": None, "values": {"compliant": True}}},
}
UNREACHABLE = {"state": "unreachable", "message": "m", "values": None}
#: Evidence that is read, by what differs from the one above.
READ: dict[str, dict[str, Any]] = {
    "as it is": {},
    "unreachable": {"state": "unreachable", "message": "m", "answers": {"aspera_sse_info": UNREACHABLE}},
    "failed before any module ran": {"state": "failed", "message": "m", "answers": {}, "expectation": None},
    "no sums": {"sums": None},
    "a module that this collection does not have": {
        "answers": {**WHOLE["answers"], "aspera_later_info": {"state": "answered", "message": None, "values": {}}}
    },
    "a host with an odd name": {"host": "../\u202e<script>"},
}
#: Evidence that is refused, by what differs, and a part of the reason.
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a later version": ({"schema_version": 2}, "schema version 2"),
    "no version that is a number": ({"schema_version": True}, "schema version unknown"),
    "a version as text": ({"schema_version": "1"}, "schema version unknown"),
    "an empty host": ({"host": ""}, "host is empty"),
    "a host that is a number": ({"host": 7}, "host is not text"),
    "groups as text": ({"groups": "aspera"}, "groups is not a list"),
    "an unknown state": ({"state": "green"}, "state is not one of"),
    "a state that is a list": ({"state": ["looked"]}, "state is not one of"),
    "a time in another zone": ({"started_at": "2026-11-27T00:30:00+09:00"}, "started_at is not a time"),
    "a time in other digits": ({"ended_at": "\uff12026-11-27T00:30:01Z"}, "ended_at is not a time"),
    "no versions": ({"versions": {}}, "versions has no collection"),
    "a version of something else": ({"versions": {**WHOLE["versions"], "x": None}}, "keys that evidence does not have"),
    "an expectation that is text": ({"expectation": "AWS_KMS"}, "expectation is not a list"),
    "an expectation of text": ({"expectation": ["AWS_KMS"]}, "expectation has an entry"),
    "a short sum": ({"sums": {**WHOLE["sums"], "aspera_conf": SUM[1:]}}, "sums.aspera_conf"),
    "a sum in capitals": ({"sums": {**WHOLE["sums"], "s3_properties": SUM.upper()}}, "sums.s3_properties"),
    "sums under no key": ({"sums": {**WHOLE["sums"], "key": None}}, "sums.key"),
    "no answers": ({"answers": {}}, "there is no answer"),
    "answers in a list": ({"answers": []}, "answers is not a JSON object"),
    "an answer of no module": ({"answers": {"../x": WHOLE["answers"]["aspera_sse_info"]}}, "one of a module"),
    "looked without an answer": ({"answers": {"aspera_sse_info": UNREACHABLE}}, "an answer is missing"),
    "an answer without values": (
        {"answers": {"aspera_sse_info": {"state": "answered", "message": None, "values": None}}},
        "does not go with its state",
    ),
    "values without an answer": (
        {"state": "failed", "answers": {"aspera_sse_info": {"state": "failed", "message": "m", "values": {}}}},
        "does not go with its state",
    ),
    "another key": ({"passed": True}, "keys that evidence does not have"),
}


def content(different: dict[str, Any]) -> bytes:
    """Write evidence down, with what differs."""
    return json.dumps({**WHOLE, **different}).encode()


@pytest.mark.parametrize("case", READ)
def test_evidence_is_read_and_written_as_it_is(case: str) -> None:
    """And the schema allows it."""
    jsonschema.validate({**WHOLE, **READ[case]}, SCHEMA)
    evidence = read_evidence(content(READ[case]))
    assert json.loads(evidence.to_bytes()) == {**WHOLE, **READ[case]}
    assert read_evidence(evidence.to_bytes()) == evidence


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_schema_forbids_is_refused_with_a_reason(case: str) -> None:
    """The schema for others and the code say the same."""
    different, reason = REFUSED[case]
    with pytest.raises(UnusableEvidenceError, match=reason):
        read_evidence(content(different))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**WHOLE, **different}, SCHEMA)


@pytest.mark.parametrize("name", WHOLE)
def test_nothing_may_be_missing(name: str) -> None:
    """A key that is not there could be taken for anything."""
    evidence = {key: value for key, value in WHOLE.items() if key != name}
    with pytest.raises(UnusableEvidenceError, match=r"schema version unknown|has no " + name):
        read_evidence(json.dumps(evidence).encode())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(evidence, SCHEMA)


def halves() -> list[bytes]:
    """Return the beginnings of evidence, as a copy that was broken off leaves them."""
    whole = content({})
    return [whole[:length] for length in range(0, len(whole), 7)]


def nested(depth: int) -> bytes:
    """Return evidence with lists within one another."""
    return content({"expectation": [{}]}).replace(b"{}", b'{"x": ' + b"[" * depth + b"]" * depth + b"}")


def test_lists_may_be_nested_as_deeply_as_a_report_can_be_written() -> None:
    """The limit is far from what an audit writes."""
    evidence = read_evidence(nested(100))
    assert read_evidence(evidence.to_bytes()) == evidence


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        *((half, "not whole JSON") for half in halves()),
        (b"[]", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"\xff\xfe" + content({}), "not whole JSON"),
        (content({})[:-1] + b', "state": "looked"}', "a key twice"),
        (b"[" * 200_000, "not whole JSON"),
        # What can be read may still be nested too deeply to be written into a report.
        *((nested(depth), "nested more than") for depth in (101, 300, 600, 900)),
        (b" " * (SIZE_LIMIT + 1), "larger than"),
        (content({"host": "\ud800"}), "not valid Unicode"),
        (b'{"schema_version": NaN}', "NaN for a number"),
        (content({"ended_at": "2026-11-27T00:29:59Z"}), "ended_at is before started_at"),
        (content({"ended_at": "2026-02-30T00:00:00Z"}), "ended_at is not a time"),
    ],
)
def test_no_file_is_too_broken(file: bytes, reason: str) -> None:
    """Each is refused with a reason that can be shown."""
    with pytest.raises(UnusableEvidenceError, match=reason):
        read_evidence(file)
