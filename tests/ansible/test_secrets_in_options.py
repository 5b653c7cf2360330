"""A secret in the wrong place: every option of every module at every level, and every variable of the role."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from aspera_roots import KEY
from controllers import PROJECT
from docroot_files import HIDDEN, SERVER
from empty_host import EmptyHost, received
from role_hosts import Hosts
from test_command_line import options_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from controllers import Controller

MODULES = sorted(path.stem for path in (PROJECT / "library").glob("*.yml"))
#: Values of these options are names, which are repeated where they name nothing; so is a secret like a name.
NAMES = {"aspera_root", "keys", "path", "prefix", "restore", "user", "group", "peer_ip", "scopes", "aspera_sse_root"}
CREDENTIALS = {
    "a docroot": f"s3://DUMMYKEY:{HIDDEN}@s3.amazonaws.com/bucket",
    "an encoded docroot": f"s3%3A%2F%2FDUMMYKEY%3A{HIDDEN}%40s3.amazonaws.com%2Fbucket",
    "credentials": f"DUMMYKEY:{HIDDEN}@s3.amazonaws.com",
    "a path with credentials": f"/opt/s3://DUMMYKEY:{HIDDEN}@h",
}
SECRETS = {"a word": HIDDEN, "a key": f"{HIDDEN}!", "lines": f"a\n{HIDDEN}", **CREDENTIALS}
#: A task that works, to which a wrong value is added.
WORKING = {
    "aspera_trapd_sse": {"server_side_encryption": "AWS_KMS", "kms_key_id": KEY},
    "aspera_docroot_sse": {"user": "xfer", "server_side_encryption": "AWS_KMS", "kms_key_id": KEY},
    "aspera_sse_info": {},
    # Nothing listens there.
    "aspera_access_keys_info": {"url": "https://127.0.0.1:1", "username": "node_audit", "password": "DUMMY"},
    # They would ask S3. tests/s3 has what they say of its answers.
    "aspera_s3_objects_info": {"user": "not-there"},
    "aspera_s3_trial_upload": {"user": "not-there", "server_side_encryption": "AES256"},
}


def tasks_of(module: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give each place of a task with each secret in it: as it is, and in values of other types."""
    for path, secret in wrong_values(options_of(module)):
        yield path, {**WORKING[module], **secret}


def wrong_values(options: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give options with secrets: as they are, in lists, dictionaries and names of options, and one level down."""
    for name, option in options.items():
        for secret in (CREDENTIALS if name in NAMES else SECRETS).values():
            yield name, {name: secret}
            yield name, {name: [secret]}
            yield name, {name: [[secret]]}
        for secret in SECRETS.values():
            yield name, {name: {secret: secret}}
            yield name, {name: [{secret: secret}]}
            yield name, {f"{name}_{secret}": secret}
        if "suboptions" in option:
            for inner, value in wrong_values(option["suboptions"]):
                yield f"{name}.{inner}", {name: [{**entry(option["suboptions"]), **value}]}
                yield f"{name}.{inner}", {name: value}


def entry(suboptions: dict[str, Any]) -> dict[str, Any]:
    """Give an entry of a list that works."""
    name = {"user": "xfer"} if "user" in suboptions else {}
    return {**name, "server_side_encryption": "AWS_KMS"}


@pytest.mark.parametrize("module", MODULES)
def test_no_option_repeats_a_secret(folder: Path, module: str) -> None:
    """Not in the answer at full verbosity, nor in the log, nor in a file that others may read."""
    host = EmptyHost(folder)
    host.aspera.write_conf(SERVER.encode())
    seen = set()
    with host.open_log() as log:
        for path, options in tasks_of(module):
            seen.add(path)
            for check_mode in (True, False):
                settings = {"_ansible_check_mode": check_mode, "_ansible_diff": True, "_ansible_verbosity": 5}
                answer = host.run(module, **options, **settings)
                assert HIDDEN not in str(answer), (path, options, answer)
            lines = [line for line in received(log) if HIDDEN in line]
            assert not lines, (path, options, lines)
    (folder / "arguments").unlink()
    for path in folder.rglob("*"):
        if path.is_file() and HIDDEN.encode() in path.read_bytes():
            assert path.stat().st_mode & 0o077 == 0, path
    assert seen >= options_of(module).keys()


VARIABLES = yaml.safe_load((PROJECT / "roles/aspera_sse/meta/argument_specs.yml").read_text(encoding="utf-8"))
VARIABLES = VARIABLES["argument_specs"]["main"]["options"]


def wrong_variables(options: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give variables with secrets: as they are, in other types, in text that is no YAML, and one level down."""
    for name, option in options.items():
        for secret in of_kinds(name):
            yield from ({name: secret}, {name: [secret]}, {name: {secret: secret}}, {name: f"['{secret}'"})
        for key in option.get("options", {}):
            for secret in of_kinds(key):
                value = {"server_side_encryption": "AWS_KMS", key: secret}
                yield {name: [{"user": "xfer", **value}] if name == "aspera_sse_docroots" else value}


def of_kinds(name: str) -> list[str]:
    """Give the secrets that are sought for in the value of a variable."""
    return [CREDENTIALS["a docroot"], CREDENTIALS["credentials"], *([] if name in NAMES else [HIDDEN])]


def check_role(controller: Controller, folder: Path, *arguments: str) -> None:
    """Run the role on a host for each secret in the wrong place, and look for it on the screen."""
    wrong = {f"host{number}": variables for number, variables in enumerate(wrong_variables(VARIABLES))}
    hosts = Hosts(folder, *wrong)
    hosts.variables = wrong
    system = {"server_side_encryption": "AES256"}
    screen = hosts.run(controller, "role.yml", "--forks=5", *arguments, aspera_sse_system=system)
    assert len(screen.recap) == len(wrong)
    found = re.findall(rf".{{0,200}}{HIDDEN}.{{0,40}}", screen.text)
    assert not found, (len(found), found[:5])


def test_no_variable_of_the_role_repeats_a_secret(controller: Controller, folder: Path) -> None:
    """Not with all that Ansible can show."""
    check_role(controller, folder, "--check", "--diff", "-vvvvv")


def test_nothing_that_the_role_does_repeats_a_secret(controller: Controller, folder: Path) -> None:
    """Hosts whose variables can be used get what is in them."""
    check_role(controller, folder, "--diff")
