"""The parts of an answer that are kept: everything that a module documents, and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from aspera_roots import KEY, AsperaRoot
from controllers import PROJECT
from hostile_answers import NO_ANSWER, REFUSED, kinds

sys.path += [str(PROJECT / "target/collection"), str(PROJECT / "scripts")]
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.answer import (
    DEPTH_LIMIT,
    SIZE_LIMIT,
    NoAnswerError,
    RefusedAnswerError,
    Rules,
    check_answer,
)
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.host_text import safe_line, safe_output, safe_text
from answer_rules import UndocumentedError, rules_of

MODULES = sorted(source.stem for source in (PROJECT / "src/bin").glob("*.rs"))
INFO = Rules.of_module("aspera_sse_info")
KINDS = kinds(Path("/nonexistent"))


@pytest.mark.parametrize("module", MODULES)
def test_the_rules_are_the_documentation(module: str) -> None:
    """They are those of the present documentation, not of the one that was assembled last."""
    documentation = yaml.safe_load((PROJECT / f"library/{module}.yml").read_text(encoding="utf-8"))
    rules = rules_of(documentation)
    assert set(rules["values"]) == set(documentation["RETURN"])
    assert set(rules["values"]) <= set(Rules.of_module(module).values)
    assert rules["options"] == Rules.of_module(module).options


def test_the_answers_of_all_cases_are_kept_whole() -> None:
    """They are documented, with all that is in them."""
    results = sorted((PROJECT / "tests/cases").glob("*/*/result.json"))
    assert len(results) > 100
    for path in results:
        # Values that depend on the host are not part of a case.
        result = json.loads(path.read_text(encoding="utf-8").replace('"[HOST]"', "null"))
        answer = check_answer(json.dumps(result), Rules.of_module(path.parts[-3]))
        assert (answer.values, answer.dropped) == (result, {}), path


def test_the_answer_of_an_audit_is_kept_whole(folder: Path) -> None:
    """It contains the arguments, violations and unknowns."""
    root = AsperaRoot.lay_out(folder / "aspera", "server-side-encryption=AES256\n", "4.3.1.100")
    root.conf.write_text(root.conf.read_text().replace("</absolute>", "?server-side-encryption=AES256</absolute>"))
    (program,) = (PROJECT / "target/collection").glob(f"*/*/*/plugins/binaries/aspera_sse_info_{os.uname().machine}")
    expect = [{"server_side_encryption": "AWS_KMS", "kms_key_ids": [KEY], "scopes": ["user", "group", "global"]}]
    arguments = {"aspera_root": str(root.folder), "expect": expect}
    finished = subprocess.run([program, "-"], input=json.dumps(arguments), capture_output=True, check=True, text=True)
    result = json.loads(finished.stdout)
    assert result["violations"], result
    assert result["docroots"]
    defaults = {"docroots_follow": False, "state": "present", "validate_kms_key_id": True}
    assert result["invocation"]["module_args"]["expect"] == [{**expect[0], **defaults}]
    answer = check_answer(finished.stdout, INFO)
    assert (answer.values, answer.dropped) == (result, {})


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_hostile_answer(name: str) -> None:
    """Each is refused, or loses the parts that it should not have."""
    kind = KINDS[name]
    # A connection reads the output of a host in this way.
    text = kind.answer.decode("utf-8", "surrogateescape")
    if kind.failure and kind.failure.startswith(REFUSED):
        with pytest.raises(RefusedAnswerError) as refused:
            check_answer(text, INFO)
        assert str(refused.value).startswith(kind.failure.removeprefix(REFUSED))
        assert len(str(refused.value)) < 100
        return
    if kind.failure == NO_ANSWER:
        with pytest.raises(NoAnswerError):
            check_answer(text, INFO)
        return
    answer = check_answer(text, INFO)
    assert set(answer.values) <= {*INFO.values, "invocation"}
    assert kind.dropped is None or answer.dropped_keys.startswith(kind.dropped)
    assert len(answer.dropped_keys) < 800
    assert answer.dropped_keys.isprintable()
    assert answer.dropped_keys.isascii()
    for key in ("msg", "warnings", "deprecations", "diff"):
        assert all(one.isprintable() for one in json.loads(json.dumps(answer.values.get(key, [])), object_hook=str))


def nested(levels: int) -> str:
    """Return an answer with this number of levels, itself included."""
    return '{"canary": ' + "[" * (levels - 1) + "]" * (levels - 1) + "}"


def test_the_limits_are_as_documented() -> None:
    """The test tries the last answer that is read, and the first that is not."""
    assert check_answer(nested(DEPTH_LIMIT), INFO).dropped_keys == "canary"
    with pytest.raises(RefusedAnswerError, match="100 levels"):
        check_answer(nested(DEPTH_LIMIT + 1), INFO)
    size = SIZE_LIMIT - len('{"version": ""}')
    assert len(check_answer(f'{{"version": "{"x" * size}"}}', INFO).values["version"]) == size
    with pytest.raises(RefusedAnswerError, match="128 MiB"):
        check_answer(f'{{"version": "{"x" * (size + 1)}"}}', INFO)
    assert check_answer(f'{{"rc": {"9" * 20}}}', INFO).values == {"rc": 10**20 - 1}
    with pytest.raises(RefusedAnswerError, match="number that is too large"):
        check_answer(f'{{"rc": {"9" * 21}}}', INFO)


def test_null_is_kept_where_it_is_documented() -> None:
    """Null is kept in the values of a module, and in no key of Ansible's own."""
    assert check_answer('{"version": null, "trapd": {"enabled": null}}', INFO).values["trapd"] == {"enabled": None}
    for key in ("changed", "failed", "skipped", "msg", "rc", "warnings", "deprecations", "diff", "backup_file"):
        with pytest.raises(RefusedAnswerError, match=key):
            check_answer(f'{{"{key}": null}}', INFO)
    with pytest.raises(RefusedAnswerError, match=r"diff\.before"):
        check_answer('{"diff": {"before": null}}', INFO)


def test_the_output_of_a_login_shell_around_an_answer() -> None:
    """It is not part of the answer."""
    assert check_answer('Welcome!\r\n\n{"changed": true}\nGood bye.\n', INFO).values == {"changed": True}


def test_sequences_that_a_terminal_could_obey_are_escaped() -> None:
    """Lines and tabs stay in texts; a name is one line of ASCII; output is cut."""
    assert safe_text("a\tb\nc\x1b[2J\x9b\u202e\ud800\r\xe9") == "a\tb\nc\\x1b[2J\\x9b\\u202e\\ud800\\r\xe9"
    assert safe_line("a\nb\x1b\xe9") == "a\\nb\\x1b\\xe9"
    assert safe_line("x" * 10_000, 60) == "x" * 57 + "..."
    assert safe_line("\u202e" * 10_000, 60).endswith("...")
    assert safe_output("x" * 4001) == "x" * 4000 + "... (1 more characters)"
    assert safe_output("x" * 4000) == "x" * 4000


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"type": "list"}, "RETURN.a has the type list. Name the type of its elements."),
        ({"type": "dict"}, "RETURN.a has the type dict. List its keys under contains, else none are passed on."),
        ({"type": "list", "elements": "dict"}, "RETURN.a has the type dict. List its keys"),
        ({"type": "raw"}, "RETURN.a has the type raw, which answers are not checked for."),
    ],
)
def test_documentation_must_give_the_type_of_a_value(entry: dict[str, str], said: str) -> None:
    """Otherwise its answers could not be checked."""
    with pytest.raises(UndocumentedError) as error:
        rules_of({"RETURN": {"a": entry}, "DOCUMENTATION": {"options": {}}})
    assert str(error.value).startswith(said)
