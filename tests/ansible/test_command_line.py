"""What of a task stands in a command on the host, where everybody there can read it, and what does not."""

from __future__ import annotations

import json
import secrets
import string
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from aspera_roots import KEY
from controllers import PROJECT
from host_over_ssh import BY_SUDO, CLOSED_WAYS, INFO, TRAPD, WARM, WAYS, Host, look

sys.path.append(str(PROJECT / "target/collection"))
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.command_line import BYTES_AT_MOST, OPTIONS, for_command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from controllers import Controller
    from ssh_server import SshServer

OFF = {"aspera_sse_options_in_command": False}
MARK = "arguments="
UUID = KEY.rpartition("/")[2]

#: Secrets as they are made for people and programs. Each call gives another.
SECRETS: dict[str, Callable[[], str]] = {
    "of AWS": lambda: "".join(secrets.choice(string.ascii_letters + string.digits + "/+") for _ in range(40)),
    "of AWS, after a slash": lambda: "/" + secrets.token_urlsafe(30) + "Aa",
    "in hexadecimal digits": lambda: secrets.token_hex(32),
    "a password": lambda: "".join(secrets.choice(string.printable) for _ in range(16)),
    "a word": lambda: "dummy" + secrets.token_hex(4),
    "in a URI": lambda: f"s3://AKIADUMMY:{secrets.token_urlsafe(30)}@host/bucket",
    "after a key ARN": lambda: f"{KEY}/{secrets.token_hex(8)}",
    "in a key ARN": lambda: KEY.replace(UUID, secrets.token_hex(16)),
    "in an alias ARN": lambda: KEY.replace(f"key/{UUID}", f"alias/{secrets.token_hex(8)}"),
    "after a line break": lambda: f"present\n{secrets.token_hex(8)}",
    "after a word that may": lambda: f"AES256 {secrets.token_hex(8)}",
}


def options_of(module: str) -> dict[str, Any]:
    """Give the options that the documentation of a module has."""
    documentation = yaml.safe_load((PROJECT / f"library/{module}.yml").read_text(encoding="utf-8"))["DOCUMENTATION"]
    return (yaml.safe_load(documentation) if isinstance(documentation, str) else documentation)["options"]


MODULES = sorted(path.stem for path in (PROJECT / "library").glob("*.yml"))


def places(options: dict[str, Any]) -> Iterator[Callable[[object], dict[str, object]]]:
    """Give each place in which somebody can put a value into a task: as it is, in a list, and in a dictionary."""
    for name, option in options.items():
        yield lambda value, name=name: {name: value}
        yield lambda value, name=name: {name: [value]}
        yield lambda value, name=name: {name: {"a": value}}
        yield lambda value, name=name: {name: {str(value): True}}
        for inner in places(option.get("suboptions", {})):
            yield lambda value, name=name, inner=inner: {name: [inner(value)]}
            yield lambda value, name=name, inner=inner: {name: inner(value)}
    yield lambda value: {str(value): True}
    yield lambda value: {"server_side_encryption": "NONE", "_ansible_target_log_info": value}
    yield lambda value: {"server_side_encryption": "NONE", "_ansible_syslog_facility": value}


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("module", MODULES)
def test_no_secret_in_any_option_reaches_a_command(module: str, kind: str) -> None:
    """Whichever option somebody typed it into."""
    count = 0
    for place in places(options_of(module)):
        for _ in range(20):
            assert for_command(place(SECRETS[kind]())) is None
            count += 1
    assert count > 20 * len(options_of(module))


def test_each_option_of_the_rule_is_one_of_a_module() -> None:
    """And each is one without which more tasks would need another round trip."""
    documented = {name for module in MODULES for name in options_of(module)}
    assert documented > OPTIONS.keys()
    flags = {n for module in MODULES for n, one in options_of(module).items() if one["type"] == "bool"}
    assert flags <= OPTIONS.keys()


ROOT = {"aspera_root": "/opt/aspera"}
GO: dict[str, dict[str, object]] = {
    "nothing": {},
    "the root": ROOT,
    "the server's setting": {**ROOT, "server_side_encryption": "AWS_KMS", "kms_key_id": KEY, "backup": True},
    "flags in words": {"state": "absent", "backup": "yes", "unsafe_writes": "False"},
    "an audit": {**ROOT, "expect": [{"server_side_encryption": "AWS_KMS", "kms_key_ids": [KEY], "scopes": ["user"]}]},
    "a key of many regions": {"kms_key_id": KEY.replace(UUID, "mrk-" + "0" * 32).replace("aws:", "aws-us-gov:")},
    "settings": {"state": "absent", "_ansible_check_mode": True, "_ansible_diff": False, "_ansible_no_log": False},
    "settings that no module reads": {"state": "absent", "_ansible_remote_tmp": "~/x", "_ansible_tmpdir": None},
}
STAY: dict[str, dict[str, object]] = {
    "no_log": {"state": "absent", "_ansible_no_log": True},
    "a user": {"user": "acme", "server_side_encryption": "AES256"},
    "a path of a file": {"path": "/opt/aspera/etc/trapd/s3.properties", "state": "absent"},
    "a bare key id": {"server_side_encryption": "AWS_KMS", "kms_key_id": UUID},
    "a key whose id is no UUID": {"kms_key_id": KEY.replace(UUID, "my-key")},
    "a key and a line break": {"kms_key_id": f"{KEY}\n"},
    "a user in an expectation": {"expect": [{"server_side_encryption": "NONE", "scopes": ["user acme"]}]},
    "an unknown option": {"sate": "absent"},
    "a root with capitals": {"aspera_root": "/opt/IBM/aspera"},
    "a root from a variable": {"aspera_root": "$ROOT_OF_ASPERA"},
    "a root in the home": {"aspera_root": "~/aspera"},
    "a quote": {"aspera_root": "/opt/'aspera"},
    "a substitution": {"aspera_root": "/opt/$(id)"},
    "other letters": {"aspera_root": "/opt/áspera"},
    "a path and back": {"aspera_root": "/opt/../aspera"},
    "a number": {"backup": 1},
    "null": {"kms_key_id": None},
    "a text for the log": {"state": "absent", "_ansible_target_log_info": "run 1"},
    "an encryption of S3": {"server_side_encryption": "aws:kms"},
    "a MiB": {"aspera_root": "/" + "a" * 2**20},
}


@pytest.mark.parametrize("case", GO)
def test_what_goes_in_the_command(case: str) -> None:
    """It is the same options, and the settings that a module reads."""
    text = for_command(GO[case])
    assert text is not None
    unread = {"_ansible_remote_tmp", "_ansible_tmpdir"}
    assert json.loads(text) == {name: GO[case][name] for name in GO[case] if name not in unread}
    assert text.startswith("{")
    assert "'" not in text


@pytest.mark.parametrize("case", STAY)
def test_what_goes_by_standard_input(case: str) -> None:
    """One such option takes all others along."""
    assert for_command(STAY[case]) is None
    assert for_command({**ROOT, **STAY[case]}) is None


def test_a_command_does_not_become_long() -> None:
    """The list of processes stays readable, and no limit of a shell or of sudo is near."""

    def text(keys: int) -> str | None:
        return for_command({"expect": [{"server_side_encryption": "AWS_KMS", "kms_key_ids": [KEY] * keys}]})

    longest = max(keys for keys in range(200) if text(keys))
    assert BYTES_AT_MOST - 100 < len(text(longest)) <= BYTES_AT_MOST
    assert text(longest + 1) is None


@pytest.fixture
def host(installed: Controller, ssh_server: SshServer, folder: Path) -> Host:
    """Give a host where nothing is kept."""
    folder.chmod(0o755)
    return Host(installed, ssh_server, folder)


def commands(host: Host, *arguments: object, **variables: object) -> list[str]:
    """Run tasks, which must succeed, and return the commands that the controller sent over SSH."""
    screen = host.run(*arguments, "-vvv", **variables)
    assert screen.exit_status == 0, screen.text
    return [line for line in screen.text.splitlines() if "SSH: EXEC" in line and "aspera_ops.sse" in line]


def in_command(lines: list[str]) -> bool:
    """Say whether options stand in one of the commands."""
    return any(f"{MARK}'\"'\"'" in line.replace("\\", "") and "aspera_root" in line for line in lines)


def test_the_audit_and_the_setting_of_the_server_go_in_the_command(host: Host) -> None:
    """A docroot does not, nor anything with no_log, or where the host's variable forbids it."""
    assert in_command(commands(host, look(), **BY_SUDO))
    server = {TRAPD: {"server_side_encryption": "AWS_KMS", "kms_key_id": KEY}}
    assert in_command(commands(host, server, **BY_SUDO))
    bare = {TRAPD: {"server_side_encryption": "AWS_KMS", "kms_key_id": UUID}}
    expect = [{"server_side_encryption": "AES256", "scopes": ["user acme"]}]
    for task in (bare, {INFO: {"expect": expect}}, {**server, "no_log": True}):
        lines = commands(host, task, **BY_SUDO)
        assert lines or "no_log" in task
        assert not in_command(lines)
    assert not in_command(commands(host, server, **BY_SUDO, **OFF))
    assert not in_command(commands(host, server, **BY_SUDO, aspera_sse_options_in_command="{{ 'no' }}"))


def test_each_way_to_a_host_without_options_in_the_command(host: Host) -> None:
    """All give the same as with them, which `test_fast_path.py` sees."""
    hosts = {name: variables for name, (variables, _) in WAYS.items()}
    first = host.run(look(), hosts=hosts, **OFF)
    assert first.exit_status == 0, first.text
    assert host.sessions_of(look(), hosts=hosts, **OFF) == WARM * len(WAYS)
    closed = host.run(look(), "-v", hosts={name: variables for name, (variables, _) in CLOSED_WAYS.items()}, **OFF)
    assert closed.exit_status == 0, closed.text
    assert {result.answer["installed"] for result in closed.results} == {True}


def test_a_loop_goes_each_its_own_way(host: Host) -> None:
    """The connection asks for no terminal only while such a command runs, so Ansible's own tasks are as they were."""
    keys = [KEY, UUID, KEY]
    loop = {TRAPD: {"server_side_encryption": "AWS_KMS", "kms_key_id": "{{ item }}"}, "loop": keys}
    terminal = {"ansible.builtin.raw": "test -t 0", "changed_when": False}
    screen = host.run([loop, terminal], **BY_SUDO)
    assert screen.exit_status == 0, screen.text
    assert [result.status for result in screen.results][:3] == ["changed"] * 3
