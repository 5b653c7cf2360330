"""Secrets in every argument and every line of the files: no answer, no log, no file that others may read has one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aspera_roots import KEY
from docroot_files import CREDENTIALS, HIDDEN, SERVER
from empty_host import EmptyHost, received
from test_docroots import REFUSALS, SUCCESSES

if TYPE_CHECKING:
    from pathlib import Path

TRAPD, DOCROOT, INFO = "aspera_trapd_sse", "aspera_docroot_sse", "aspera_sse_info"

#: Every line of it contains a secret, except for the two that are ours.
PROPERTIES = f"""# {HIDDEN}
!{HIDDEN}
s3service.{HIDDEN}={HIDDEN}
{HIDDEN}
continued = {HIDDEN}\\
  {HIDDEN}
# server-side-encryption=NONE
server-side-encryption-note={HIDDEN}
# server-side-encryption-aws-kms-key-id
#server-side-encryption-aws-kms-key-id={HIDDEN} {HIDDEN}
last={HIDDEN}"""
UNRECOGNISED = f"{PROPERTIES}\nserver-side-encryption={HIDDEN}\nserver-side-encryption-aws-kms-key-id={HIDDEN}!\n"

SETTINGS = {
    "key": {"server_side_encryption": "AWS_KMS", "kms_key_id": KEY},
    "no key": {"server_side_encryption": "AWS_KMS"},
    "other": {"server_side_encryption": "AES256", "backup": True},
    "in place": {"server_side_encryption": "NONE", "unsafe_writes": True},
    "absent": {"state": "absent"},
    "secret encryption": {"server_side_encryption": HIDDEN},
    "secret key": {"server_side_encryption": "AWS_KMS", "kms_key_id": f"{HIDDEN}!"},
    "secret key id": {"server_side_encryption": "AWS_KMS", "kms_key_id": HIDDEN},
    "secret key id for another encryption": {"server_side_encryption": "AES256", "kms_key_id": HIDDEN},
    "secret key id to no purpose": {"state": "absent", "kms_key_id": HIDDEN},
    "secret key with a line": {"server_side_encryption": "AWS_KMS", "kms_key_id": f"a\n{HIDDEN}"},
    "secret key for another encryption": {"server_side_encryption": "AES256", "kms_key_id": f"{HIDDEN}!"},
    "secret state": {"state": HIDDEN},
    "secret boolean": {"server_side_encryption": "AES256", "backup": HIDDEN},
    "secret list": {"server_side_encryption": [HIDDEN]},
    "secret dictionary": {"server_side_encryption": {HIDDEN: HIDDEN}},
    "secret option": {f"s3://{HIDDEN}:{HIDDEN}@h": HIDDEN},
    "secret in an unknown option": {"kms_key": HIDDEN},
}
INVENTORY_NAMES = {"of_user": "user", "of_group": "group", "of_all_others": "global", "of_all": "all"}


def docroot_tasks() -> dict[str, tuple[dict[str, object], bytes]]:
    """Return the options and the file of all cases of docroots, and of those with secrets in more places."""
    tasks = {}
    for name, case in {**SUCCESSES, **REFUSALS}.items():
        before = case.before if case.before is not None else SERVER
        options = {INVENTORY_NAMES.get(option, option): value for option, value in case.options.items()}
        tasks[name] = (options, before.encode() if isinstance(before, str) else before)
    for name, options in SETTINGS.items():
        tasks[f"{name} for a user"] = ({"user": "xfer", **options}, SERVER.encode())
        entry = {option: value for option, value in options.items() if option not in {"backup", "unsafe_writes"}}
        tasks[f"{name} for an entry"] = ({"docroots": [{"user": "xfer", **entry}]}, SERVER.encode())
    for name, docroot in {
        "a whole docroot": f"s3://{CREDENTIALS}@h/b?x={HIDDEN}",
        "no docroot": HIDDEN,
        "a docroot of another cloud": f"azu://{CREDENTIALS}@h/b",
        "an unknown scheme": f"{HIDDEN}://h/b",
        "a docroot without at sign": f"s3://{HIDDEN}:{HIDDEN}",
    }.items():
        options = {"user": "xfer", "docroot": docroot, "server_side_encryption": "AES256"}
        tasks[name] = (options, SERVER.encode())
        tasks[f"{name} for an entry"] = (
            {"docroots": [{"user": "xfer", "docroot": docroot}], "server_side_encryption": "AES256"},
            SERVER.encode(),
        )
    return tasks


def check(folder: Path, module: str, options: dict[str, object], content: bytes) -> None:
    """Run a module with full output, in check mode, for real and again, and check that no output contains a secret."""
    host = EmptyHost(folder)
    file = host.aspera.properties if module == TRAPD else host.aspera.conf
    file.unlink()
    file.touch(mode=0o600)
    file.write_bytes(content)
    with host.open_log() as log:
        for settings in ({"_ansible_check_mode": True}, {}, {}):
            answer = host.run(module, **options, **settings, _ansible_diff=True, _ansible_verbosity=5)
            assert HIDDEN not in str(answer), answer
        lines = received(log)
    # Refused arguments are not logged either.
    assert len(lines) in {0, 3}
    assert not [line for line in lines if HIDDEN in line]
    (host.folder / "arguments").unlink()
    for path in host.folder.rglob("*"):
        if path.is_file() and HIDDEN.encode() in path.read_bytes():
            assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.parametrize("before", [PROPERTIES, UNRECOGNISED], ids=["shipped", "unrecognised"])
@pytest.mark.parametrize("name", SETTINGS)
def test_no_secret_around_the_settings_of_the_server(folder: Path, name: str, before: str) -> None:
    """That holds for any request and any content of the file."""
    check(folder, TRAPD, SETTINGS[name], before.encode())


@pytest.mark.parametrize("name", docroot_tasks())
def test_no_secret_around_docroots(folder: Path, name: str) -> None:
    """That holds for any request and any content of the file."""
    options, before = docroot_tasks()[name]
    check(folder, DOCROOT, options, before)


@pytest.mark.parametrize("before", [PROPERTIES, UNRECOGNISED], ids=["shipped", "unrecognised"])
@pytest.mark.parametrize("name", [*REFUSALS, "a server"])
def test_no_secret_in_the_audit_of_a_server(folder: Path, name: str, before: str) -> None:
    """That holds for any content of its files and any expectation."""
    content = REFUSALS[name].before if name in REFUSALS else SERVER
    host = EmptyHost(folder)
    host.aspera.properties.write_text(before)
    host.aspera.write_conf(content.encode() if isinstance(content, str) else content)
    with host.open_log() as log:
        for expect in (
            None,
            [
                {
                    "server_side_encryption": "AWS_KMS",
                    "kms_key_ids": [KEY],
                    "scopes": ["user", f"user s3://{CREDENTIALS}@h"],
                }
            ],
            [{"server_side_encryption": HIDDEN}],
            [{"server_side_encryption": "AWS_KMS", "kms_key_ids": [f"{HIDDEN}!"]}],
            [{"server_side_encryption": "AWS_KMS", "scopes": [f"{CREDENTIALS}@h"]}],
            [HIDDEN],
            HIDDEN,
        ):
            answer = host.run(INFO, expect=expect, _ansible_verbosity=5)
            assert HIDDEN not in str(answer), answer
        lines = received(log)
    assert not [line for line in lines if HIDDEN in line]
