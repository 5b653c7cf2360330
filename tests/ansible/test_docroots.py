"""What people see when a playbook predicts, sets and finds the encryption of docroots, or is refused."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from aspera_roots import KEY, AsperaRoot
from docroot_files import CREDENTIALS, HIDDEN, SERVER, configuration, docroot
from services import check_restart

if TYPE_CHECKING:
    from controllers import Controller, Screen

ENCRYPTED = "server-side-encryption=AWS_KMS"
WITH_KEY = f"{ENCRYPTED}&amp;server-side-encryption-aws-kms-key-id={KEY}"
KMS = {"server_side_encryption": "AWS_KMS", "kms_key_id": KEY}
AES = {"server_side_encryption": "AES256"}


@dataclass(frozen=True)
class Success:
    """A host whose task succeeds: its options, and the replacements that make the new file of the old one."""

    options: dict[str, object]
    replaced: dict[str, str]
    #: The coloured lines of the diff.
    shown: list[str] = field(default_factory=list)
    before: str = SERVER
    #: The number of docroots in the answer, and the number of those that changed.
    counts: tuple[int, int] = (1, 1)


@dataclass(frozen=True)
class Refusal:
    """A host whose task fails, and the expected parts of the message."""

    options: dict[str, object]
    words: list[str]
    before: str | bytes | None = SERVER
    ascp_version: str = "4.4.5.1646"


SUCCESSES = {
    "one-user": Success(
        {"of_user": "xfer", **KMS},
        {"storage-class=STANDARD": f"storage-class=STANDARD&amp;{WITH_KEY}"},
        [
            "-                    <absolute>s3://****:****@s3.amazonaws.com/media/$(name)?storage-class=STANDARD</absolute>",
            "+                    <absolute>s3://****:****@s3.amazonaws.com/media/$(name)?storage-class=STANDARD&amp;"
            f"{WITH_KEY}</absolute>",
        ],
    ),
    "one-group": Success({"of_group": "staff", **AES}, {"/staff<": "/staff?server-side-encryption=AES256<"}),
    "the-default": Success({"of_all_others": True, **AES}, {"/default<": "/default?server-side-encryption=AES256<"}),
    "many-docroots": Success(
        {
            "server_side_encryption": "AWS_KMS",
            "docroots": [
                {"user": "xfer", "kms_key_id": KEY},
                {"user": "other"},
                {"group": "staff", "server_side_encryption": "AES256"},
            ],
        },
        {
            "storage-class=STANDARD": f"storage-class=STANDARD&amp;{WITH_KEY}",
            f"x-unknown={HIDDEN}": f"x-unknown={HIDDEN}&amp;{ENCRYPTED}",
            "/staff<": "/staff?server-side-encryption=AES256<",
        },
        counts=(3, 3),
    ),
    "every-docroot": Success(
        {"of_all": True, **AES},
        {
            "/media<": "/media?server-side-encryption=AES256<",
            "/default<": "/default?server-side-encryption=AES256<",
            "/staff<": "/staff?server-side-encryption=AES256<",
        },
        before=configuration(xfer=docroot(f"s3://{CREDENTIALS}@s3.amazonaws.com/media"), azure=docroot("azu://x/y")),
        counts=(3, 3),
    ),
    "several-addresses": Success(
        {"of_user": "addresses", **AES},
        {
            "amazonaws.com/a<": "amazonaws.com/a?server-side-encryption=AES256<",
            "amazonaws.com/b-of-an-address<": "amazonaws.com/b-of-an-address?server-side-encryption=AES256<",
        },
        counts=(2, 2),
    ),
    "absent": Success(
        {"of_user": "xfer", "state": "absent"},
        {f"?{WITH_KEY}": ""},
        before=configuration(xfer=docroot(f"s3://{CREDENTIALS}@s3.amazonaws.com/media?{WITH_KEY}")),
    ),
    "already-set": Success(
        {"of_user": "xfer", **KMS},
        {},
        before=configuration(xfer=docroot(f"s3://{CREDENTIALS}@s3.amazonaws.com/media?{WITH_KEY}")),
        counts=(1, 0),
    ),
    "whole-docroot": Success(
        {"of_user": "local", "docroot": f"s3://{HIDDEN}:{HIDDEN}@s3.amazonaws.com/new?x={HIDDEN}", **AES},
        {
            "/srv/local": f"s3://{HIDDEN}:{HIDDEN}@s3.amazonaws.com/new?x={HIDDEN}&amp;server-side-encryption=AES256",
        },
        [
            "+                    <absolute>s3://****:****@s3.amazonaws.com/new?****&amp;server-side-encryption=AES256</absolute>"
        ],
    ),
    "backed-up": Success(
        {"of_user": "xfer", "backup": True, **AES},
        {"storage-class=STANDARD": "storage-class=STANDARD&amp;server-side-encryption=AES256"},
    ),
    "in-place": Success(
        {"of_user": "xfer", "unsafe_writes": True, **AES},
        {"storage-class=STANDARD": "storage-class=STANDARD&amp;server-side-encryption=AES256"},
    ),
    "encoded-key": Success(
        {"of_user": "xfer", "kms_key_encoding": "percent", **KMS},
        {
            "storage-class=STANDARD": "storage-class=STANDARD&amp;"
            + WITH_KEY.replace(KEY, KEY.replace(":", "%3A").replace("/", "%2F"))
        },
    ),
}

REFUSALS = {
    "missing-file": Refusal({"of_user": "xfer", **AES}, ["does not exist"], before=None),
    "no-target": Refusal(AES, ["user, group, global, all and docroots"]),
    "two-targets": Refusal({"of_user": "xfer", "of_all": True, **AES}, ["Set exactly one"]),
    "no-encryption": Refusal({"of_user": "xfer"}, ["server_side_encryption", "state=present"]),
    "near-miss": Refusal({"of_user": "xfer", "server_side_encryption": "aws:kms"}, ["AWS_KMS"]),
    "secret-for-encryption": Refusal(
        {"of_user": "xfer", "server_side_encryption": HIDDEN}, ["NONE, AES256 or AWS_KMS"]
    ),
    "secret-for-state": Refusal({"of_user": "xfer", "state": HIDDEN, **AES}, ["present, absent"]),
    "secret-for-key": Refusal(
        {"of_user": "xfer", "server_side_encryption": "AWS_KMS", "kms_key_id": f"{HIDDEN}!"}, ["kms_key_id", "key ARN"]
    ),
    "secret-for-key-id": Refusal(
        {"of_user": "xfer", "server_side_encryption": "AWS_KMS", "kms_key_id": HIDDEN},
        ["neither a UUID nor mrk-", "full key ARN", "validate_kms_key_id: false"],
    ),
    "secret-for-encoding": Refusal({"of_user": "xfer", "kms_key_encoding": HIDDEN, **KMS}, ["raw, percent"]),
    "secret-for-boolean": Refusal({"of_user": "xfer", "backup": HIDDEN, **AES}, ["backup", "boolean"]),
    "secret-for-list": Refusal({"docroots": f"s3://{HIDDEN}", **AES}, ["docroots", "a list of dictionaries"]),
    "key-without-kms": Refusal({"of_user": "xfer", "kms_key_id": KEY, **AES}, ["kms_key_id", "AWS_KMS"]),
    "empty-key": Refusal(
        {"of_user": "xfer", "server_side_encryption": "AWS_KMS", "kms_key_id": ""}, ["leave the option out"]
    ),
    "old-server": Refusal({"of_user": "xfer", **KMS}, ["3.6.1", "3.5.4"], ascp_version="3.5.4.102989"),
    "unknown-user": Refusal({"of_user": "xfre", **AES}, ["no user xfre", "Did you mean xfer?"]),
    "unknown-group": Refusal({"of_group": "stuff", **AES}, ["no group stuff", "Did you mean staff?"]),
    "local-path": Refusal({"of_user": "local", **AES}, ["no S3 docroot for user local", "local path"]),
    "another-cloud": Refusal({"of_user": "azure", **AES}, ["azu://", "apply to S3 only"]),
    "scheme-in-capitals": Refusal({"of_user": "shouting", **AES}, ["s3:// in lower case"]),
    "access-key-user": Refusal({"of_user": "keys", **AES}, ["restrictions", "access key"]),
    "no-docroot": Refusal({"of_user": "nothing", **AES}, ["there is no docroot", "Give docroot"]),
    "question-mark": Refusal({"of_user": "asking", **AES}, ["? before the @", "%3F"]),
    "comment-inside": Refusal({"of_user": "commented", **AES}, ["comment", "absolute"]),
    "malformed": Refusal(
        {"of_user": "xfer", **AES},
        ["not the XML", "line 3", "column 1"],
        before=f"<CONF>\n<a>{HIDDEN}</a>\n<{HIDDEN}&></CONF>",
    ),
    "cut-off": Refusal({"of_user": "xfer", **AES}, ["not the XML", "ends"], before=SERVER.removesuffix("</CONF>\n")),
    "another-file": Refusal({"of_user": "xfer", **AES}, ["not an aspera.conf"], before=f"<{HIDDEN}/>"),
    "no-known-section": Refusal({"of_user": "xfer", **AES}, ["not an aspera.conf"], before=f"<CONF><{HIDDEN}/></CONF>"),
    "look-alike": Refusal(
        {"of_user": "xfer", **AES}, ["line 1"], before="<CONF><users><user><name>xfer</name></user></users></CONF>"
    ),
    "document-type": Refusal(
        {"of_user": "xfer", **AES},
        ["document type"],
        before=f'<!DOCTYPE CONF [<!ENTITY a "{HIDDEN}">]>\n<CONF><aaa>&a;</aaa></CONF>',
    ),
    "not-utf-8": Refusal({"of_user": "xfer", **AES}, ["UTF-8"], before=SERVER.encode() + b"<!-- \xe4 -->"),
    "another-encoding": Refusal({"of_user": "xfer", **AES}, ["UTF-16"], before=SERVER.encode("utf-16")),
    "docroot-conflict": Refusal(
        {"of_user": "xfer", "docroot": f"s3://{CREDENTIALS}@h/b?{ENCRYPTED}", **AES}, ["docroot", "contradict"]
    ),
    "docroot-no-uri": Refusal(
        {"of_user": "xfer", "docroot": f"{HIDDEN}/b", **AES}, ["docroot", "s3://HOST/BUCKET/PATH"]
    ),
    "docroot-another-cloud": Refusal(
        {"of_user": "xfer", "docroot": f"azu://{CREDENTIALS}@h/b", **AES}, ["docroot", "storage other than S3"]
    ),
    "docroot-blank": Refusal({"of_user": "xfer", "docroot": f"s3://{HIDDEN} @h/b", **AES}, ["docroot", "blank"]),
    "docroot-of-several": Refusal(
        {"of_user": "addresses", "docroot": f"s3://{CREDENTIALS}@h/b", **AES}, ["several docroots"]
    ),
    "docroot-of-an-access-key": Refusal(
        {"of_user": "keys", "docroot": f"s3://{CREDENTIALS}@h/b", **AES}, ["restrictions"]
    ),
    "docroot-absent": Refusal(
        {"of_user": "xfer", "docroot": f"s3://{CREDENTIALS}@h/b", "state": "absent"}, ["docroot"]
    ),
    "same-target-twice": Refusal(
        {"docroots": [{"user": "xfer"}, {"user": "xfer"}], **AES}, ["user xfer", "more than once"]
    ),
    "empty-list": Refusal({"docroots": [], **AES}, ["empty list"]),
    "one-bad-entry": Refusal(
        {"docroots": [{"user": "xfer"}, {"user": "other", "server_side_encryption": HIDDEN}], **AES}, ["docroots[1]"]
    ),
    "one-unknown-entry": Refusal({"docroots": [{"user": "xfer"}, {"user": "gone"}], **AES}, ["no user gone"]),
    "entry-without-target": Refusal({"docroots": [{"user": "xfer"}, {}], **AES}, ["docroots[1]", "Set exactly one"]),
    "entry-with-unknown-option": Refusal(
        {"docroots": [{"user": "xfer", "kms_key": HIDDEN}], **AES}, ["docroots[0].kms_key", "kms_key_id"]
    ),
}


@dataclass
class Runs:
    """The runs of the playbook on all hosts: check mode, the real run with full verbosity, and a second run."""

    roots: dict[str, AsperaRoot]
    predicted: Screen
    after_check_mode: dict[str, bytes | None]
    done: Screen
    done_again: Screen


def contents(roots: dict[str, AsperaRoot]) -> dict[str, bytes | None]:
    """Return the content of each file."""
    return {name: root.conf.read_bytes() if root.conf.exists() else None for name, root in roots.items()}


def as_bytes(text: str | bytes | None) -> bytes | None:
    """Return text as it is written in a file."""
    return text.encode() if isinstance(text, str) else text


@pytest.fixture(scope="module")
def runs(controller: Controller, connection: dict[str, object], sandbox: Path) -> Runs:
    """Run the playbook three times on all hosts at once."""
    folder = Path(tempfile.mkdtemp(prefix="docroots-", dir=sandbox))
    folder.chmod(0o755)
    roots, hosts = {}, {}
    for name, case in {**SUCCESSES, **REFUSALS}.items():
        version = case.ascp_version if isinstance(case, Refusal) else "4.4.5.1646"
        roots[name] = AsperaRoot.lay_out(folder / name, None, version)
        roots[name].write_conf(as_bytes(case.before))
        hosts[name] = {"aspera_root": str(roots[name].folder), **case.options}
    inventory = folder / "inventory.yml"
    inventory.write_text(yaml.safe_dump({"all": {"vars": connection, "hosts": hosts}}), encoding="utf-8")
    return Runs(
        roots,
        predicted=controller.playbook("docroots.yml", inventory, "--check", "--diff"),
        after_check_mode=contents(roots),
        done=controller.playbook("docroots.yml", inventory, "--diff", "-vvv"),
        done_again=controller.playbook("docroots.yml", inventory, "--diff"),
    )


@pytest.mark.parametrize("name", SUCCESSES)
def test_the_docroots_are_set_once_and_as_predicted(runs: Runs, name: str) -> None:
    """Check mode writes nothing and shows the same diff. The real run makes the edit. The third run finds it done."""
    case, root = SUCCESSES[name], runs.roots[name]
    before, after = case.before, case.before
    for old, new in case.replaced.items():
        assert after.count(old) == 1, old
        after = after.replace(old, new)
    assert runs.after_check_mode[name] == before.encode()
    assert root.conf.read_bytes() == after.encode()
    predicted, again = runs.predicted.result(name), runs.done_again.result(name)
    assert predicted.status == ("changed" if case.replaced else "ok")
    assert bool(predicted.edits) is bool(case.replaced)
    assert (again.status, again.edits) == ("ok", [])
    assert runs.done.recap[name]["changed"] == (1 if case.replaced else 0)
    for line in case.shown:
        assert line in predicted.edits
    backups = [path for path in root.conf.parent.iterdir() if path.name.endswith("~")]
    assert len(backups) == (1 if "backup" in case.options else 0)
    assert all(path.stat().st_mode & 0o777 == 0o600 and path.read_bytes() == before.encode() for path in backups)


@pytest.mark.parametrize("name", SUCCESSES)
def test_the_answer_has_each_docroot(runs: Runs, name: str) -> None:
    """The output of -vvv has the keys of the contract."""
    case = SUCCESSES[name]
    answer = answers(runs.done)[str(runs.roots[name].conf)]
    reported, changed = case.counts
    assert len(answer["docroots"]) == reported
    assert len([one for one in answer["docroots"] if one["changed"]]) == changed
    for one in answer["docroots"]:
        assert set(one) == {
            "scope",
            "name",
            "peer_ip",
            "uri",
            "server_side_encryption",
            "kms_key_id",
            "previous",
            "changed",
            "skipped",
        }
    check_restart(answer, "asperanoded", changed=bool(changed))
    assert ("backup_file" in answer) is ("backup" in case.options)


def answers(screen: Screen) -> dict[str, dict]:
    """Read the answers that -vvv shows over several lines, by the path of the edited file."""
    found = {}
    for part in screen.text.split(" => {\n")[1:]:
        answer, _ = json.JSONDecoder().raw_decode("{" + part)
        if "path" in answer:
            found[answer["path"]] = answer
    return found


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_one_sentence_and_the_file_stays(runs: Runs, name: str) -> None:
    """That also holds if only one of many docroots cannot be set."""
    case, root = REFUSALS[name], runs.roots[name]
    result = runs.predicted.result(name)
    assert result.status == "fatal", result
    assert result.diff == []
    assert result.answer is not None
    assert result.answer["changed"] is False
    for word in case.words:
        assert word in result.answer["msg"]
    assert "\n" not in result.answer["msg"]
    for screen in (runs.done, runs.done_again):
        assert screen.recap[name]["failed"] == 1
    assert (root.conf.read_bytes() if root.conf.exists() else None) == as_bytes(case.before)
    assert {path.name for path in root.conf.parent.iterdir() if path.is_file()} <= {"aspera.conf"}


def test_no_screen_shows_a_secret(runs: Runs) -> None:
    """Nor does it show a stack trace, wherever in the file or the arguments the secret is, at any verbosity."""
    assert HIDDEN in SERVER
    for screen in (runs.predicted, runs.done, runs.done_again):
        for words in (HIDDEN, "Traceback", "panicked", "MODULE FAILURE", "deserializ", "junk"):
            assert words not in screen.text
