"""The output for a failed task: one message for each host that says what to do, and an untouched file."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from aspera_roots import FOREIGN_VALUE, KEY, AsperaRoot, shipped_properties

if TYPE_CHECKING:
    from controllers import Controller, Screen

SHIPPED = shipped_properties()


@dataclass(frozen=True)
class Failure:
    """A host whose task fails, and the expected parts of the message."""

    options: dict[str, object]
    words: list[str]
    before: str | None = SHIPPED
    ascp_version: str = "4.4.5.1646"


FAILURES = {
    "missing-file": Failure({"server_side_encryption": "AES256"}, ["trapd", "astrap-config.sh enable"], before=None),
    "missing-option": Failure({}, ["server_side_encryption"]),
    "near-miss": Failure({"server_side_encryption": "aws:kms"}, ["AWS_KMS"]),
    "wrong-type": Failure({"server_side_encryption": ["AES256"]}, ["server_side_encryption"]),
    "wrong-boolean": Failure({"server_side_encryption": "AES256", "backup": "perhaps"}, ["backup"]),
    "key-without-kms": Failure({"server_side_encryption": "AES256", "kms_key_id": KEY}, ["kms_key_id", "AWS_KMS"]),
    "empty-key": Failure(
        {"server_side_encryption": "AWS_KMS", "kms_key_id": ""}, ["kms_key_id", "leave the option out"]
    ),
    "key-with-a-line": Failure(
        {"server_side_encryption": "AWS_KMS", "kms_key_id": "alias/dummy\nserver-side-encryption=NONE"}, ["kms_key_id"]
    ),
    "odd-key-id": Failure(
        {"server_side_encryption": "AWS_KMS", "kms_key_id": "password1"}, ["full key ARN", "validate_kms_key_id: false"]
    ),
    "old-server": Failure(
        {"server_side_encryption": "AWS_KMS", "kms_key_id": KEY}, ["3.6.1", "3.5.4"], ascp_version="3.5.4.102989"
    ),
    "dangling-line": Failure({"server_side_encryption": "AES256"}, ["\\"], before="s3service.https-only=true\\"),
    "malformed-escape": Failure({"server_side_encryption": "AES256"}, ["line 2"], before="# none\nsome.key=\\uBAD\n"),
}


@dataclass
class FailedRun:
    """The one run in which every host fails."""

    screen: Screen
    roots: dict[str, AsperaRoot]


@pytest.fixture(scope="module")
def failed_run(controller: Controller, connection: dict[str, object], sandbox: Path) -> FailedRun:
    """Run the playbook on all hosts, once."""
    folder = Path(tempfile.mkdtemp(prefix="failures-", dir=sandbox))
    folder.chmod(0o755)
    roots = {
        name: AsperaRoot.lay_out(folder / name, failure.before, failure.ascp_version)
        for name, failure in FAILURES.items()
    }
    hosts = {name: {"aspera_root": str(roots[name].folder), **failure.options} for name, failure in FAILURES.items()}
    inventory = folder / "inventory.yml"
    inventory.write_text(yaml.safe_dump({"all": {"vars": connection, "hosts": hosts}}), encoding="utf-8")
    return FailedRun(controller.playbook("settings.yml", inventory, "--diff"), roots)


@pytest.mark.parametrize("name", FAILURES)
def test_one_sentence_and_an_untouched_file(failed_run: FailedRun, name: str) -> None:
    """The host fails with the module's own message, shows no diff, and its file is unchanged."""
    result, root = failed_run.screen.result(name), failed_run.roots[name]
    assert result.status == "fatal"
    assert result.diff == []
    assert result.answer is not None, failed_run.screen.text
    assert result.answer["changed"] is False
    message = result.answer["msg"]
    for word in FAILURES[name].words:
        assert word in message
    assert "\n" not in message
    assert failed_run.screen.recap[name]["failed"] == 1
    if root.before is None:
        assert not root.properties.exists()
    else:
        assert root.properties.read_bytes() == root.before
    assert sorted(entry.name for entry in root.properties.parent.iterdir()) == (
        [] if root.before is None else ["s3.properties"]
    )


def test_no_failure_shows_a_setting_that_nobody_asked_for(failed_run: FailedRun) -> None:
    """Nor does any failure show a stack trace."""
    assert failed_run.screen.exit_status == 2
    for hidden in (FOREIGN_VALUE, "Traceback", "panicked", "MODULE FAILURE", "deserializ"):
        assert hidden not in failed_run.screen.text


def test_the_message_for_an_unknown_option_names_the_known_one(controller: Controller, sandbox: Path) -> None:
    """The controller does not check the options of a compiled module, so the module must."""
    options = {"aspera_root": str(sandbox), "server_side_encryption": "AWS_KMS", "kms_key": KEY}
    screen = controller.run(
        "ansible",
        "localhost",
        "--connection",
        "local",
        "--module-name",
        "aspera_trapd_sse",
        "--args",
        json.dumps(options),
    )
    assert screen.exit_status == 2
    assert "localhost | FAILED! => {" in screen.text
    assert "kms_key_id" in screen.text
