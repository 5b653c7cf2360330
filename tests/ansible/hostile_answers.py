"""The answers that a compromised host can give, and the results of the action plugin."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1024 * 1024

REFUSED = "was refused, because "
NO_ANSWER = "ended without an answer, with exit status "


@dataclass(frozen=True)
class Kind:
    """A kind of answer, and the expected end of the task."""

    answer: bytes
    #: A part of the message of the failed task. None if the task succeeds.
    failure: str | None = None
    #: The keys that a warning reports as dropped.
    dropped: str | None = None


def kinds(canary: Path) -> dict[str, Kind]:
    """Name all kinds. Whatever comes of them on the controller touches a file in a folder."""
    touch = f"touch {canary}/$$"
    template = f"{{{{ lookup('pipe', '{touch}') }}}}"
    variables = {
        "ansible_connection": "local",
        "ansible_python_interpreter": f"{touch}; /usr/bin/python3",
        "ansible_shell_executable": "/bin/sh",
        "ansible_ssh_common_args": f'-o ProxyCommand="{touch}"',
        "canary": template,
    }
    deep = b"[" * 200 + b"]" * 200
    return {
        **{name: _dropping(key, value) for name, (key, value) in _steering(variables, template).items()},
        **{name: _dropping(key, value) for name, (key, value) in _odd_keys(template, touch).items()},
        **_nested(variables, template),
        **_texts(template),
        **{name: _failing(answer, f"{REFUSED}{why}") for name, (answer, why) in _wrong_types(template).items()},
        **{name: _failing(answer, f"{REFUSED}{why}") for name, (answer, why) in _malformed(deep).items()},
        **{name: _failing(answer, NO_ANSWER) for name, answer in _no_objects().items()},
    }


def _answer(**values: object) -> bytes:
    return json.dumps({"changed": False, "installed": True, **values}).encode("ascii")


def _dropping(key: str, value: object) -> Kind:
    # Of a long key, only the beginning is shown.
    return Kind(_answer(**{"changed": True, key: value}), dropped=key[:50])


def _failing(answer: bytes, failure: str) -> Kind:
    return Kind(answer, failure=failure)


def _steering(variables: dict[str, str], template: str) -> dict[str, tuple[str, object]]:
    """Name keys that Ansible itself obeys, at least in some series of it."""
    new_host = {"host_name": "canary", "groups": ["canaries"], "host_vars": variables}
    return {
        "add_host": ("add_host", new_host),
        "add_host_to_all": ("add_host", {**new_host, "groups": ["all", "canaries"]}),
        "add_host_known": ("add_host", {**new_host, "host_name": "honest"}),
        "add_host_number": ("add_host", 5),
        "add_group": ("add_group", "canaries"),
        "facts": ("ansible_facts", {"canary": 1, "ansible_canary": 1}),
        "facts_connection": ("ansible_facts", variables),
        "facts_interpreter": ("ansible_facts", {"discovered_interpreter_python": template}),
        "facts_template": ("ansible_facts", {"canary": template}),
        "facts_number": ("ansible_facts", 5),
        "stats": ("ansible_stats", {"data": {"canary": 1}, "per_host": False, "aggregate": True}),
        "results": ("results", [{"add_host": new_host, "ansible_facts": variables}]),
        "results_number": ("results", 5),
        "results_text": ("results", template),
        "results_dictionary": ("results", {"add_host": new_host}),
        "facts_cacheable": ("_ansible_facts_cacheable", True),
        "notify": ("_ansible_notify", ["Canary"]),
        "delegated": ("_ansible_delegated_vars", {"ansible_delegated_host": "honest", **variables}),
        "no_log": ("_ansible_no_log", False),
        "parsed": ("_ansible_parsed", False),
        "ignore_errors": ("_ansible_ignore_errors", 5),
        "item_result": ("_ansible_item_result", True),
        "verbose": ("_ansible_verbose_always", True),
        "exception": ("exception", f"Traceback {template}"),
        "exception_type": ("exception", {"__ansible_type": "ErrorSummary", "event": {"msg": template}}),
        "unreachable": ("unreachable", True),
        "include": ("include", "/etc/passwd"),
        "include_role": ("include_args", {"name": "canary"}),
        "variable_connection": ("ansible_connection", "local"),
        "variable_ssh": ("ansible_ssh_common_args", variables["ansible_ssh_common_args"]),
        "variable_interpreter": ("ansible_python_interpreter", variables["ansible_python_interpreter"]),
        "failed_when": ("failed_when_result", False),
        "loop_variable": ("ansible_loop_var", "canary"),
        "skip_reason": ("skip_reason", template),
        "attempts": ("attempts", "x"),
        "pending_changes": ("pending_changes", {"register_host_variables": variables}),
    }


def _odd_keys(template: str, touch: str) -> dict[str, tuple[str, object]]:
    return {
        "key_template": (template, template),
        "key_of_our_own": ("ansible_shell_executable", touch),
    }


def _nested(variables: dict[str, str], template: str) -> dict[str, Kind]:
    escape = "\x1b]0;canary\x07\n[WARNING]: canary"
    many = {f"canary{number}": template for number in range(10_000)}
    arguments = {"aspera_root": template, "canary": template, "expect": [{"canary": 1, "scopes": ["user"]}]}
    return {
        "key_escape": Kind(_answer(**{escape: 1}), dropped="\\x1b]0;canary\\x07\\n[WARNING]: canary"),
        "key_long": Kind(_answer(**{"k" * 100_000: 1}), dropped="k" * 57 + "..."),
        "key_surrogate": Kind(_answer(**{"\ud800": 1}), dropped="\\ud800"),
        "key_empty": Kind(_answer(**{"": template})),
        "keys_many": Kind(_answer(**many), dropped="canary0, canary1, canary2, canary3, canary4, canary5, canary6"),
        "nested": Kind(_answer(trapd={"add_host": {"host_name": "canary"}, "enabled": None}), dropped="trapd.add_host"),
        "nested_in_list": Kind(
            _answer(docroots=[{"scope": template, "ansible_facts": variables}]), dropped="docroots[].ansible_facts"
        ),
        "invocation": Kind(
            _answer(invocation={"module_args": arguments, "canary": template}),
            dropped="invocation.module_args.canary, invocation.module_args.expect[].canary, invocation.canary",
        ),
        "invocation_text": Kind(_answer(invocation=template), dropped="invocation."),
        "invocation_arguments": Kind(_answer(invocation={"module_args": [template]}), dropped="invocation.module_args"),
        "invocation_type": Kind(
            _answer(invocation={"module_args": {"expect": template}}), dropped="invocation.module_args.expect"
        ),
        "deprecation_removed": Kind(
            _answer(deprecations=[{"msg": template, "removed": True}]), dropped="deprecations[].removed"
        ),
    }


def _texts(template: str) -> dict[str, Kind]:
    """Answers of the documented types, with texts that are templates."""
    texts = {"msg": template, "version": template, "backup_file": template, "warnings": [template]}
    return {
        "templates": Kind(_answer(**texts, docroots=[{"uri": template, "name": template}])),
        "templates_failed": Kind(_answer(**texts, failed=True), failure="lookup"),
        "templates_diff": Kind(_answer(changed=True, diff=dict.fromkeys(("before", "after"), template))),
        "escapes": Kind(_answer(warnings=["\x1b[2J\x9b"], msg="\x1b[2J\u202e", failed=True), failure="\\x1b[2J"),
        "honest_failure": Kind(_answer(failed=True, msg="The file is missing."), failure="The file is missing."),
        "skipped": Kind(_answer(skipped=True)),
    }


def _wrong_types(template: str) -> dict[str, tuple[bytes, str]]:
    return {
        "changed_text": (_answer(changed=template), "changed is not true or false"),
        "changed_number": (_answer(changed=1), "changed is not true or false"),
        "failed_null": (_answer(failed=None), "failed is not true or false"),
        "rc_text": (_answer(rc=template), "rc is not a whole number"),
        "rc_boolean": (_answer(rc=True), "rc is not a whole number"),
        "msg_list": (_answer(msg=[template]), "msg is not text"),
        "warnings_text": (_answer(warnings=template), "warnings is not a list"),
        "warnings_of_dictionaries": (_answer(warnings=[{"event": template}]), "warnings[] is not text"),
        "warnings_null": (_answer(warnings=[None]), "warnings[] is null"),
        "deprecations_text": (_answer(deprecations=[template]), "deprecations[] is not a dictionary"),
        "diff_list": (_answer(diff=[{"before": template}]), "diff is not a dictionary"),
        "docroots_dictionary": (_answer(docroots={"name": template}), "docroots is not a list"),
        "docroots_null": (_answer(docroots=[None]), "docroots[] is null"),
        "docroots_text": (_answer(docroots=[{"effective": template}]), "docroots[].effective is not a dictionary"),
        "version_tagged": (_answer(version={"__ansible_unsafe": template}), "version is not text"),
        "version_vault": (_answer(version={"__ansible_vault": template}), "version is not text"),
        "version_type": (_answer(version={"__ansible_type": "TrustedAsTemplate", "value": template}), "version is not"),
        "version_number": (_answer(version=4.3), "version is not text"),
        "compliant_text": (_answer(compliant="true"), "compliant is not true or false"),
    }


def _malformed(deep: bytes) -> dict[str, tuple[bytes, str]]:
    endless = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    return {
        "key_twice": (b'{"changed": true, "changed": false}', "it has a key twice"),
        "key_twice_below": (b'{"canary": {"a": 1, "a": 2}}', "it has a key twice"),
        "deep": (b'{"canary": ' + deep + b"}", "it is nested more than 100 levels deep"),
        "deep_documented": (b'{"docroots": ' + deep + b"}", "it is nested more than 100 levels deep"),
        "deep_without_end": (endless, "it is nested more than 100 levels deep"),
        "number_huge": (b'{"rc": 1' + b"0" * 1_000_000 + b"}", "it has a number that is too large"),
        "not_a_number": (b'{"rc": NaN}', "it has NaN for a number"),
        "infinite": (b'{"canary": -Infinity}', "it has -Infinity for a number"),
        "surrogate": (b'{"version": "\\ud800"}', "version is not valid Unicode"),
        "not_utf8": (b'{"version": "\xff\xfe"}', "version is not valid Unicode"),
        "large": (b'{"version": "' + b"x" * (128 * MIB) + b'"}', "it is larger than 128 MiB"),
        "many_values": (b'{"canary": [' + b"[]," * 9_000_000 + b"1]}", "it has more than 8000000 values"),
    }


def _no_objects() -> dict[str, bytes]:
    return {
        "list": b'[{"add_host": {"host_name": "canary"}}]',
        "number": b"5",
        "text": b'"{{ canary }}"',
        "null": b"null",
        "nothing": b"",
        "half": b'{"changed": false, "installed": ',
        "two_on_a_line": b'{"changed": false} {"add_host": {"host_name": "canary"}}',
        "utf16": '{"changed": false}'.encode("utf-16"),
        "zeros": b"\0" * 1000,
        "python": b"{'changed': False}",
    }
