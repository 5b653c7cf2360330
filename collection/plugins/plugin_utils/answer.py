# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks the answer of a host before the controller sees it.

A host that somebody has taken over can answer whatever it likes. Ansible obeys some keys of an answer: `add_host` makes
a host, with variables by which the controller runs commands; `ansible_facts` sets variables. So only what the module
documents gets through, with the types that it documents. `answers.json` holds both; it is made from the documentation
when the collection is assembled.
"""

from __future__ import annotations

import functools
import json
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from ansible.module_utils.json_utils import _filter_non_json_lines

from .host_text import safe_line, safe_text
from .nesting import DEPTH_LIMIT, is_nested_deeper

#: What a value must be: a type by its name, a list of one rule for its elements, or a dictionary of rules by key.
Rule: t.TypeAlias = "str | list[Rule] | dict[str, Rule]"

#: The most characters of an answer, which is ASCII. The audit of 60,000 docroots that are all unknown has as many.
SIZE_LIMIT = 128 * 1024 * 1024
#: An empty list takes three characters, and much more memory. The audit of 100,000 docroots has 2 million values.
VALUES_LIMIT = 8_000_000
#: More digits than any number of a module has. Python takes very long to read numbers with millions of them.
DIGITS_LIMIT = 20
#: Keys named at most in a warning.
KEYS_SHOWN = 10
KEY_LENGTH = 60

#: What every module may answer, whatever else it documents. None of these may be null.
COMMON: dict[str, Rule] = {
    "changed": "bool",
    "failed": "bool",
    "skipped": "bool",
    "msg": "str",
    "rc": "int",
    "warnings": ["str"],
    "deprecations": [{"msg": "str", "version": "str", "date": "str", "collection_name": "str"}],
    "diff": {"before": "str", "after": "str", "before_header": "str", "after_header": "str", "prepared": "str"},
    "backup_file": "str",
}
#: Ansible prints these as they are.
PRINTED = ("msg", "warnings", "deprecations", "diff")

TYPES: dict[str, tuple[type, ...]] = {
    "bool": (bool,),
    "float": (float, int),
    "int": (int,),
    "str": (str,),
    # What Ansible's own programs use for yes and no.
    "flag": (bool, int),
}
NAMES = {"bool": "true or false", "float": "a number", "int": "a whole number", "str": "text", "flag": "true or false"}


class NoAnswerError(Exception):
    """There is no JSON object in what a host printed."""


class RefusedAnswerError(Exception):
    """An answer that no module gives; the text says in what way."""


@dataclass(frozen=True)
class Rules:
    """What a program on a host may answer."""

    values: dict[str, Rule]
    #: The options of the module, which may be in `invocation`.
    options: dict[str, Rule] = field(default_factory=dict)
    #: Keys that are not passed on, and that nobody needs to hear about.
    ignored: frozenset[str] = frozenset()

    @classmethod
    def of_module(cls, module: str) -> Rules:
        """Return what a module documents."""
        documented = _documented()[module]
        return cls({**documented["values"], **COMMON}, documented["options"])

    def with_values(self, values: dict[str, Rule], ignored: frozenset[str]) -> Rules:
        """Return these rules with others for some keys."""
        return Rules({**self.values, **values}, self.options, ignored)


@dataclass
class Answer:
    """What is left of an answer, and the names of the keys that are not, safe to show."""

    values: dict[str, t.Any] = field(default_factory=dict)
    dropped: dict[str, None] = field(default_factory=dict)

    @property
    def dropped_keys(self) -> str:
        """The names in one line, of bounded length."""
        shown = list(self.dropped)[:KEYS_SHOWN]
        more = len(self.dropped) - len(shown)
        return ", ".join(shown) + (f" and {more} more" if more else "")

    def _drop(self, place: str, key: str) -> None:
        self.dropped[f"{place}{safe_line(key, KEY_LENGTH)}"] = None


def check_answer(text: str, rules: Rules) -> Answer:
    """Read the answer in what a host printed, and keep what the rules allow."""
    read = _read(text)
    answer = Answer()
    for key, value in read.items():
        if key in rules.values:
            kept = _kept(value, rules.values[key], key, answer, nullable=key not in COMMON)
            answer.values[key] = _printable(kept) if key in PRINTED else kept
        elif key == "invocation":
            answer.values[key] = _kept_invocation(value, rules, answer)
        elif key not in rules.ignored:
            answer._drop("", key)
    return answer


def _read(text: str) -> dict[str, t.Any]:
    if len(text) > SIZE_LIMIT:
        raise RefusedAnswerError(f"it is larger than {SIZE_LIMIT // 1024 // 1024} MiB")
    brackets = text.count("{") + text.count("[")
    if brackets + text.count(",") > VALUES_LIMIT:
        raise RefusedAnswerError(f"it has more than {VALUES_LIMIT} values")
    try:
        found: str = _filter_non_json_lines(text, objects_only=True)[0]
        read: dict[str, t.Any] = json.loads(
            found, object_pairs_hook=_object, parse_int=_whole_number, parse_constant=_no_constant
        )
        if brackets > DEPTH_LIMIT and is_nested_deeper(read, DEPTH_LIMIT):
            raise RecursionError
    except RecursionError:
        raise RefusedAnswerError(f"it is nested more than {DEPTH_LIMIT} levels deep") from None
    except MemoryError:
        raise RefusedAnswerError("there is not enough memory to read it") from None
    except ValueError as error:
        raise NoAnswerError from error
    return read


def _object(pairs: list[tuple[str, t.Any]]) -> dict[str, t.Any]:
    result = dict(pairs)
    # Which of the two counts would be a matter of who reads.
    if len(result) != len(pairs):
        raise RefusedAnswerError("it has a key twice")
    return result


def _whole_number(digits: str) -> int:
    if len(digits) > DIGITS_LIMIT:
        raise RefusedAnswerError("it has a number that is too large")
    return int(digits)


def _no_constant(name: str) -> t.NoReturn:
    raise RefusedAnswerError(f"it has {name} for a number")


def _kept(value: t.Any, rule: Rule, place: str, answer: Answer, *, nullable: bool) -> t.Any:
    """Return what the rule allows of a value."""
    if value is None and nullable:
        return None
    if isinstance(rule, dict):
        if not isinstance(value, dict):
            raise RefusedAnswerError(f"{place} is not a dictionary")
        result = {}
        for key, inner in value.items():
            if key in rule:
                result[key] = _kept(inner, rule[key], f"{place}.{key}", answer, nullable=nullable)
            else:
                answer._drop(f"{place}.", key)
        return result
    if isinstance(rule, list):
        if not isinstance(value, list):
            raise RefusedAnswerError(f"{place} is not a list")
        (element,) = rule
        inner_place = f"{place}[]"
        # No element of a list is documented as null, and a dictionary in it may have values that are.
        return [
            _kept(_not_null(inner, inner_place), element, inner_place, answer, nullable=nullable) for inner in value
        ]
    if type(value) not in TYPES[rule]:
        raise RefusedAnswerError(f"{place} is not {NAMES[rule]}")
    if isinstance(value, str) and not _is_unicode(value):
        raise RefusedAnswerError(f"{place} is not valid Unicode")
    if isinstance(value, float) and abs(value) == float("inf"):
        raise RefusedAnswerError(f"{place} is too large")
    return value


def _not_null(value: t.Any, place: str) -> t.Any:
    if value is None:
        raise RefusedAnswerError(f"{place} is null")
    return value


def _kept_invocation(value: t.Any, rules: Rules, answer: Answer) -> dict[str, t.Any]:
    """Keep the module's own options. They are for people to read, so one of another type is dropped and no failure."""
    result: dict[str, t.Any] = {}
    invocation = value if isinstance(value, dict) else {"": value}
    for key, inner in invocation.items():
        if key != "module_args" or not isinstance(inner, dict):
            answer._drop("invocation.", key)
            continue
        arguments = {}
        for name, argument in inner.items():
            if name in rules.options:
                try:
                    place = f"invocation.module_args.{name}"
                    arguments[name] = _kept(argument, rules.options[name], place, answer, nullable=True)
                    continue
                except RefusedAnswerError:
                    pass
            answer._drop("invocation.module_args.", name)
        result[key] = arguments
    return result


def _is_unicode(text: str) -> bool:
    """Tell text from bytes that were not UTF-8, and from halves of characters: both are lone surrogates here."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _printable(value: t.Any) -> t.Any:
    if isinstance(value, str):
        return safe_text(value)
    if isinstance(value, list):
        return [_printable(inner) for inner in value]
    if isinstance(value, dict):
        return {key: _printable(inner) for key, inner in value.items()}
    return value


@functools.cache
def _documented() -> dict[str, dict[str, dict[str, Rule]]]:
    text = Path(__file__).with_name("answers.json").read_text(encoding="ascii")
    rules: dict[str, dict[str, dict[str, Rule]]] = json.loads(text)
    return rules
