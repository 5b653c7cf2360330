"""The schema of evidence, for those who read it: what it allows, and what it refuses."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from fleet import SCHEMA

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
#: What is evidence, by what differs from the one above.
ALLOWED: dict[str, dict[str, Any]] = {
    "as it is": {},
    "unreachable": {"state": "unreachable", "message": "m", "answers": {"aspera_sse_info": UNREACHABLE}},
    "failed before any module ran": {"state": "failed", "message": "m", "answers": {}, "expectation": None},
    "no sums": {"sums": None},
    "a module that this collection does not have": {
        "answers": {**WHOLE["answers"], "aspera_later_info": {"state": "answered", "message": None, "values": {}}}
    },
    "a host with an odd name": {"host": "../\u202e<script>"},
}
#: What is not, by what differs.
REFUSED: dict[str, dict[str, Any]] = {
    "a later version": {"schema_version": 2},
    "no version that is a number": {"schema_version": True},
    "a version as text": {"schema_version": "1"},
    "an empty host": {"host": ""},
    "a host that is a number": {"host": 7},
    "groups as text": {"groups": "aspera"},
    "an unknown state": {"state": "green"},
    "a state that is a list": {"state": ["looked"]},
    "a time in another zone": {"started_at": "2026-11-27T00:30:00+09:00"},
    "a time in other digits": {"ended_at": "\uff12026-11-27T00:30:01Z"},
    "no versions": {"versions": {}},
    "a version of something else": {"versions": {**WHOLE["versions"], "x": None}},
    "an expectation that is text": {"expectation": "AWS_KMS"},
    "an expectation of text": {"expectation": ["AWS_KMS"]},
    "a short sum": {"sums": {**WHOLE["sums"], "aspera_conf": SUM[1:]}},
    "a sum in capitals": {"sums": {**WHOLE["sums"], "s3_properties": SUM.upper()}},
    "sums under no key": {"sums": {**WHOLE["sums"], "key": None}},
    "no answers": {"answers": {}},
    "answers in a list": {"answers": []},
    "an answer of no module": {"answers": {"../x": WHOLE["answers"]["aspera_sse_info"]}},
    "looked without an answer": {"answers": {"aspera_sse_info": UNREACHABLE}},
    "an answer without values": {
        "answers": {"aspera_sse_info": {"state": "answered", "message": None, "values": None}}
    },
    "values without an answer": {
        "state": "failed",
        "answers": {"aspera_sse_info": {"state": "failed", "message": "m", "values": {}}},
    },
    "another key": {"passed": True},
}


@pytest.mark.parametrize("case", ALLOWED)
def test_the_schema_allows_evidence(case: str) -> None:
    """Also that of modules to come."""
    jsonschema.validate({**WHOLE, **ALLOWED[case]}, SCHEMA)


@pytest.mark.parametrize("case", REFUSED)
def test_the_schema_refuses_what_is_not_evidence(case: str) -> None:
    """So that a reader who checks it can rely on types and states."""
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**WHOLE, **REFUSED[case]}, SCHEMA)


@pytest.mark.parametrize("name", WHOLE)
def test_no_key_may_be_missing(name: str) -> None:
    """A missing key could mean anything."""
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({key: value for key, value in WHOLE.items() if key != name}, SCHEMA)
