"""Makes the rules by which the action plugins check the answers of hosts, from what the modules document.

`answer.py` of the collection reads them. A type is its name; a list has one rule, that of its elements; a dictionary
has a rule for each key.
"""

from __future__ import annotations

from typing import Any

#: Types of documentation, and what they are in JSON.
TYPES = {"bool": "bool", "float": "float", "int": "int", "path": "str", "str": "str"}


class UndocumentedError(Exception):
    """The documentation does not say enough to check an answer."""


def rules_of(documentation: dict[str, Any]) -> dict[str, Any]:
    """Return the rules for the return values and for the options of a module."""
    return {
        "values": _rules(documentation["RETURN"], "contains", "RETURN"),
        "options": _rules(documentation["DOCUMENTATION"]["options"], "suboptions", "options"),
    }


def _rules(entries: dict[str, Any], inner: str, place: str) -> dict[str, Any]:
    return {name: _rule(entry, inner, f"{place}.{name}") for name, entry in sorted(entries.items())}


def _rule(entry: dict[str, Any], inner: str, place: str) -> Any:
    kind = entry["type"]
    if kind == "list":
        element = entry.get("elements")
        if element is None:
            raise UndocumentedError(f"{place} has the type list. Name the type of its elements.")
        return [_rule({**entry, "type": element, "elements": None}, inner, place)]
    if kind == "dict":
        if not entry.get(inner):
            raise UndocumentedError(f"{place} has the type dict. List its keys under {inner}, else none are passed on.")
        return _rules(entry[inner], inner, place)
    if kind not in TYPES:
        raise UndocumentedError(f"{place} has the type {kind}, which answers are not checked for.")
    return TYPES[kind]
