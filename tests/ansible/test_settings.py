"""What people see when a playbook plans, sets and finds the system-wide encryption, on hosts of every kind."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from aspera_roots import (
    ENCRYPTION_TEMPLATE,
    FOREIGN_VALUE,
    KEY,
    KEY_TEMPLATE,
    AsperaRoot,
    shipped_properties,
)
from services import check_restart
from ssh_server import OWNER, USER_IDS

if TYPE_CHECKING:
    from controllers import Controller, Screen

ENCRYPTED = "server-side-encryption=AWS_KMS\n"
WITH_KEY = f"server-side-encryption-aws-kms-key-id={KEY}\n"


@dataclass(frozen=True)
class Case:
    """A host: the options of its task, its file before, and what becomes of it."""

    options: dict[str, object]
    before: str | None
    after: str
    #: The coloured lines of the diff.
    edits: list[str]
    #: The line of the diff that says where the edits are.
    place: str = ""
    ascp_version: str | None = "4.4.5.1646"


SHIPPED = shipped_properties()
IN_FORCE = SHIPPED.replace(ENCRYPTION_TEMPLATE, ENCRYPTED).replace(KEY_TEMPLATE, WITH_KEY)
SPACED = SHIPPED.replace(ENCRYPTION_TEMPLATE, "server-side-encryption = AES256\n").replace("\n", "\r\n")
UPGRADED = "# An old file that knows nothing of encryption\ns3service.https-only=true\n"


ENCRYPTION_LINE = SHIPPED.split("\n").index(ENCRYPTION_TEMPLATE.rstrip()) + 1
KEY_LINE = SHIPPED.split("\n").index(KEY_TEMPLATE.rstrip()) + 1
ENCRYPTION_PLACE = f"s3.properties line {ENCRYPTION_LINE}"
KEY_PLACE = f"s3.properties line {KEY_LINE}"
BOTH_PLACES = f"s3.properties lines {ENCRYPTION_LINE}, {KEY_LINE}"

CASES = {
    "default-key": Case(
        {"server_side_encryption": "AWS_KMS"},
        SHIPPED,
        SHIPPED.replace(ENCRYPTION_TEMPLATE, ENCRYPTED),
        ["-# server-side-encryption=NONE", "+server-side-encryption=AWS_KMS"],
        ENCRYPTION_PLACE,
    ),
    "own-key": Case(
        {"server_side_encryption": "AWS_KMS", "kms_key_id": KEY, "backup": False},
        SHIPPED,
        IN_FORCE,
        [
            "-# server-side-encryption=NONE",
            "+server-side-encryption=AWS_KMS",
            "-# server-side-encryption-aws-kms-key-id",
            f"+server-side-encryption-aws-kms-key-id={KEY}",
        ],
        BOTH_PLACES,
    ),
    "explicit-none": Case(
        {"server_side_encryption": "NONE"},
        SHIPPED,
        SHIPPED.replace(ENCRYPTION_TEMPLATE, "server-side-encryption=NONE\n"),
        ["-# server-side-encryption=NONE", "+server-side-encryption=NONE"],
        ENCRYPTION_PLACE,
    ),
    "absent": Case(
        {"state": "absent"},
        IN_FORCE,
        SHIPPED,
        [
            "-server-side-encryption=AWS_KMS",
            "+# server-side-encryption=NONE",
            f"-server-side-encryption-aws-kms-key-id={KEY}",
            "+# server-side-encryption-aws-kms-key-id",
        ],
        BOTH_PLACES,
    ),
    "windows-lines": Case(
        {"server_side_encryption": "AWS_KMS"},
        SPACED,
        SPACED.replace("AES256", "AWS_KMS"),
        ["-server-side-encryption = AES256", "+server-side-encryption = AWS_KMS"],
        ENCRYPTION_PLACE,
    ),
    "upgraded": Case(
        {"server_side_encryption": "AES256"},
        UPGRADED,
        UPGRADED + "server-side-encryption=AES256\n",
        ["+server-side-encryption=AES256"],
        "s3.properties line 3",
    ),
    "created": Case(
        {"server_side_encryption": "AES256", "create": "yes"},
        None,
        "server-side-encryption=AES256\n",
        ["+server-side-encryption=AES256"],
        "s3.properties line 1",
    ),
    "backed-up": Case(
        {"server_side_encryption": "AES256", "backup": True},
        SHIPPED,
        SHIPPED.replace(ENCRYPTION_TEMPLATE, "server-side-encryption=AES256\n"),
        ["-# server-side-encryption=NONE", "+server-side-encryption=AES256"],
        ENCRYPTION_PLACE,
    ),
    "own-path": Case(
        {"server_side_encryption": "AES256", "path": "other.properties"},
        SHIPPED,
        SHIPPED.replace(ENCRYPTION_TEMPLATE, "server-side-encryption=AES256\n"),
        ["-# server-side-encryption=NONE", "+server-side-encryption=AES256"],
        ENCRYPTION_PLACE.replace("s3.properties", "other.properties"),
    ),
    "in-place": Case(
        {"server_side_encryption": "AES256", "unsafe_writes": True},
        SHIPPED,
        SHIPPED.replace(ENCRYPTION_TEMPLATE, "server-side-encryption=AES256\n"),
        ["-# server-side-encryption=NONE", "+server-side-encryption=AES256"],
        ENCRYPTION_PLACE,
    ),
    "key-removed": Case(
        {"server_side_encryption": "AWS_KMS", "aws_managed_key": True},
        IN_FORCE,
        IN_FORCE.replace(WITH_KEY, KEY_TEMPLATE),
        [f"-server-side-encryption-aws-kms-key-id={KEY}", "+# server-side-encryption-aws-kms-key-id"],
        KEY_PLACE,
    ),
    "no-version": Case(
        {"server_side_encryption": "AWS_KMS", "kms_key_id": KEY},
        IN_FORCE.replace("s3service.https-only=true", "s3service.https-only=false"),
        IN_FORCE.replace("s3service.https-only=true", "s3service.https-only=false"),
        [],
        ascp_version=None,
    ),
    "already-set": Case(
        {"server_side_encryption": "AWS_KMS", "kms_key_id": KEY},
        IN_FORCE,
        IN_FORCE,
        [],
    ),
    "vaulted-key": Case(
        {"server_side_encryption": "AWS_KMS", "kms_key_id": "{{ vaulted_key }}"},
        SHIPPED.replace(ENCRYPTION_TEMPLATE, ENCRYPTED),
        IN_FORCE,
        ["-# server-side-encryption-aws-kms-key-id", f"+server-side-encryption-aws-kms-key-id={KEY}"],
        KEY_PLACE,
    ),
    "owned-by-another": Case(
        {"server_side_encryption": "AES256"},
        SHIPPED,
        SHIPPED.replace(ENCRYPTION_TEMPLATE, "server-side-encryption=AES256\n"),
        ["-# server-side-encryption=NONE", "+server-side-encryption=AES256"],
        ENCRYPTION_PLACE,
    ),
}


@dataclass
class Story:
    """The same playbook run on all hosts: foretold, done, and done again."""

    files: dict[str, Path]
    before: dict[str, bytes | None]
    foretold: Screen
    after_foretelling: dict[str, bytes | None]
    done: Screen
    done_again: Screen
    after_doing_again: dict[str, bytes | None]


def _encrypt(controller: Controller, folder: Path, text: str) -> Path:
    password = folder / "vault-password"
    password.write_text("dummy-password\n", encoding="utf-8")
    variables = folder / "vaulted.yml"
    variables.write_text(yaml.safe_dump({"vaulted_key": text}), encoding="utf-8")
    screen = controller.run("ansible-vault", "encrypt", "--vault-password-file", password, variables)
    assert screen.exit_status == 0, screen.text
    assert text not in variables.read_text(encoding="utf-8")
    return variables


def _lay_out(connection: dict[str, object], folder: Path) -> dict[str, Path]:
    """Write the inventory with a host and an Aspera root for each case, and return the files to edit."""
    files = {}
    hosts = {}
    for name, case in CASES.items():
        root = AsperaRoot.lay_out(folder / name, case.before, case.ascp_version)
        files[name] = root.properties
        hosts[name] = {"aspera_root": str(root.folder), **case.options}
        if case.before is None:
            # A new file gets the owner of this one; without it, it would get root, which only root can give it.
            root.properties.with_name("trap.properties").touch()
        if "path" in case.options:
            files[name] = root.folder / str(case.options["path"])
            hosts[name]["path"] = str(files[name])
            shutil.move(root.properties, files[name])
    if "ansible_become" in connection:
        # Neither the login nor root: Ansible hands such a user its module in another way.
        folder_of_another = folder / "owned-by-another"
        for entry in [folder_of_another, *folder_of_another.rglob("*")]:
            shutil.chown(entry, USER_IDS[OWNER], USER_IDS[OWNER])
        hosts["owned-by-another"]["ansible_become_user"] = OWNER
    inventory = {"all": {"vars": connection, "hosts": hosts}}
    (folder / "inventory.yml").write_text(yaml.safe_dump(inventory), encoding="utf-8")
    return files


def _contents(files: dict[str, Path]) -> dict[str, bytes | None]:
    return {name: file.read_bytes() if file.exists() else None for name, file in files.items()}


@pytest.fixture(scope="module")
def story(controller: Controller, connection: dict[str, object], sandbox: Path) -> Story:
    """Run the playbook three times on all hosts at once."""
    folder = Path(tempfile.mkdtemp(prefix="story-", dir=sandbox))
    folder.chmod(0o755)
    files = _lay_out(connection, folder)
    vaulted = _encrypt(controller, folder, KEY)

    def run(*arguments: str) -> Screen:
        vault = ("--extra-vars", f"@{vaulted}", "--vault-password-file", str(folder / "vault-password"))
        return controller.playbook("settings.yml", folder / "inventory.yml", *vault, *arguments)

    return Story(
        files=files,
        before=_contents(files),
        foretold=run("--check", "--diff"),
        after_foretelling=_contents(files),
        done=run("--diff", "-v"),
        done_again=run("--diff"),
        after_doing_again=_contents(files),
    )


each_case = pytest.mark.parametrize("name", CASES)


def test_every_run_succeeds(story: Story) -> None:
    """No host fails in any of the runs, and each shows the counts that its case calls for."""
    for screen in (story.foretold, story.done, story.done_again):
        assert screen.exit_status == 0, screen.text
        for name, case in CASES.items():
            changed = 1 if case.edits and screen is not story.done_again else 0
            assert screen.recap[name]["ok"] == 1
            assert screen.recap[name]["changed"] == changed, f"{name}:\n{screen.text}"


@each_case
def test_check_mode_shows_the_change_and_writes_nothing(story: Story, name: str) -> None:
    """The foretold diff is the real one, to the line, and the file stays."""
    foretold, done = story.foretold.result(name), story.done.result(name)
    assert story.after_foretelling[name] == story.before[name]
    assert foretold.status == done.status
    assert foretold.diff == done.diff


@each_case
def test_the_diff_shows_the_edit_and_where_it_is(story: Story, name: str) -> None:
    """The coloured lines are the edit; header and places name the file and the lines."""
    case, result = CASES[name], story.done.result(name)
    assert result.edits == case.edits
    if case.edits:
        file = story.files[name]
        assert result.diff[0] == f"--- before: {file}"
        assert result.diff[1] == f"+++ after: {file}"
        assert [
            line for line in result.diff if line.startswith(" s3.properties line") or line.startswith(" other")
        ] == [f" {case.place}"]
    else:
        assert result.diff == []


@each_case
def test_the_file_is_the_old_one_but_for_the_edit(story: Story, name: str) -> None:
    """Byte for byte, also after a third run."""
    assert story.after_doing_again[name] == CASES[name].after.encode("iso-8859-1")


@each_case
def test_the_answer_has_every_key_of_the_contract(story: Story, name: str) -> None:
    """What -v shows is the result as it is documented."""
    case, answer = CASES[name], story.done.result(name).answer
    assert answer is not None
    assert answer["changed"] is bool(case.edits)
    assert answer["path"] == str(story.files[name])
    absent = case.options.get("state") == "absent"
    assert answer["server_side_encryption"] == (None if absent else case.options["server_side_encryption"])
    key = case.options.get("kms_key_id")
    assert answer["kms_key_id"] == (KEY if key else None)
    assert set(answer["previous"]) == {"server_side_encryption", "kms_key_id"}
    # When one must restart is what tests/restart.rs knows.
    check_restart(answer, "asperatrapd", changed=bool(case.edits))
    assert ("backup_file" in answer) is ("backup" in case.options and bool(case.options["backup"]))


def test_no_screen_shows_a_setting_that_nobody_asked_for(story: Story) -> None:
    """The lines around the edit hold a foreign value; it is in the files and on no screen."""
    assert FOREIGN_VALUE in SHIPPED
    for screen in (story.foretold, story.done, story.done_again):
        assert FOREIGN_VALUE not in screen.text


def test_the_backup_is_the_old_file_under_ansibles_name(story: Story) -> None:
    """One backup, made when the file changed and not again, readable by nobody else."""
    file = story.files["backed-up"]
    backups = [entry for entry in file.parent.iterdir() if entry.name.startswith(f"{file.name}.")]
    answer = story.done.result("backed-up").answer
    assert answer is not None
    assert [str(backup) for backup in backups] == [answer["backup_file"]]
    assert re.fullmatch(r"s3\.properties\.\d+\.\d{4}-\d\d-\d\d@\d\d:\d\d:\d\d~", backups[0].name)
    assert backups[0].read_bytes() == story.before["backed-up"]
    assert backups[0].stat().st_mode & 0o777 == 0o600


def test_owner_and_mode_stay(story: Story, connection: dict[str, object]) -> None:
    """The file that somebody else owns is still theirs, and still closed to others."""
    status = story.files["owned-by-another"].stat()
    assert status.st_uid == (USER_IDS[OWNER] if "ansible_become" in connection else os.getuid())
    assert status.st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "words",
    [
        # The server cannot be asked for its version, and talks to AWS without TLS.
        ["no-version/bin/ascp", "3.6.1"],
        ["s3service.https-only=true", "TLS"],
    ],
)
def test_warnings_are_on_the_screen(story: Story, words: list[str]) -> None:
    """Check mode warns as the real run does."""
    for screen in (story.foretold, story.done):
        warnings = re.findall(r"\[WARNING\]: (.*?)(?=\[WARNING\]|TASK|PLAY|ok:|changed:|---)", screen.as_one_line)
        assert [warning for warning in warnings if all(word in warning for word in words)], warnings


def test_nothing_else_is_on_the_screen(story: Story) -> None:
    """No junk, no deprecation, no error, and no Python looked for on the host."""
    for screen in (story.foretold, story.done, story.done_again):
        for noise in ("junk", "DEPRECAT", "[ERROR]", "interpreter", "Traceback", "deserializ"):
            assert noise not in screen.text
