"""`aspera_sse_info` on hosts of all kinds, each a folder that is the whole file system to the module."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
import yaml
from aspera_roots import KEY, AsperaRoot
from controllers import PROJECT
from docroot_files import CREDENTIALS, HIDDEN, SERVER, docroot
from empty_host import EmptyHost

if TYPE_CHECKING:
    from pathlib import Path

    from controllers import Controller

INFO = "aspera_sse_info"
KMS = "server-side-encryption=AWS_KMS"
KMS_KEY = f"server-side-encryption-aws-kms-key-id={KEY}"
OTHER_KEY = KEY.replace("1234abcd", "99999999")
IN_FILE = f"s3service.https-only=true\n{KMS}\n{KMS_KEY}\n"
IN_URI = f"{KMS}&amp;{KMS_KEY}"
KEY_ID = KEY.rpartition("/")[2]


def s3(query: str = "") -> str:
    """Return a docroot in S3."""
    return docroot(f"s3://{CREDENTIALS}@s3.amazonaws.com/b{query}")


def bare(**users: str) -> str:
    """Return a configuration with users and nothing else."""
    blocks = "".join(f"<user><name>{name}</name>{elements}</user>" for name, elements in users.items())
    return f"<CONF><aaa><realms><realm><users>{blocks}</users></realm></realms></aaa></CONF>"


@dataclass(frozen=True)
class Case:
    """A host, and what is told of one docroot in it."""

    conf: str
    #: Encryption, key, source, and whether that is certain.
    effective: tuple[str | None, str | None, str, bool]
    properties: str | None = IN_FILE
    name: str | None = "xfer"
    expect: dict[str, object] = field(default_factory=lambda: {"server_side_encryption": "AWS_KMS"})
    compliant: bool | None = True
    #: What stands in the reason of a violation or of what is unknown.
    why: str = ""
    version: str = "4.3.1.100"
    enabled: bool | None = True
    inherited_from: str | None = None
    accounts: tuple[str, str] = ("", "")


CASES = {
    "the server's setting": Case(bare(xfer=s3()), ("AWS_KMS", KEY, "trapd", True)),
    "the docroot's setting": Case(
        bare(xfer=s3(f"?{IN_URI}")), ("AWS_KMS", KEY, "docroot", True), properties="# server-side-encryption=NONE\n"
    ),
    "both say the same": Case(bare(xfer=s3(f"?{IN_URI}")), ("AWS_KMS", KEY, "docroot", True)),
    "none": Case(bare(xfer=s3()), (None, None, "none", True), properties="", compliant=False, why="another encryption"),
    "no file": Case(bare(xfer=s3()), (None, None, "none", True), properties=None, compliant=False),
    "nothing is expected to be encrypted": Case(
        bare(xfer=s3()), (None, None, "none", True), properties=None, expect={"server_side_encryption": "NONE"}
    ),
    "they differ": Case(
        bare(xfer=s3("?server-side-encryption=AES256")),
        ("AES256", None, "docroot", False),
        compliant=None,
        why="which of them wins",
    ),
    "they differ and neither is right": Case(
        bare(xfer=s3("?server-side-encryption=AES256")),
        ("AES256", None, "docroot", False),
        properties="server-side-encryption=NONE\n",
        compliant=False,
        why="another encryption",
    ),
    "the key is that of the server or of AWS": Case(
        bare(xfer=s3(f"?{KMS}")), ("AWS_KMS", None, "docroot", False), why="s3.properties only"
    ),
    "the key matters and may be another": Case(
        bare(xfer=s3(f"?{KMS}")),
        ("AWS_KMS", None, "docroot", False),
        expect={"server_side_encryption": "AWS_KMS", "kms_key_ids": [KEY]},
        compliant=None,
        why="s3.properties only",
    ),
    "another key": Case(
        bare(xfer=s3()),
        ("AWS_KMS", KEY, "trapd", True),
        expect={"server_side_encryption": "AWS_KMS", "kms_key_ids": [OTHER_KEY]},
        compliant=False,
        why="another key",
    ),
    "the id of the key": Case(
        bare(xfer=s3()),
        ("AWS_KMS", KEY, "trapd", True),
        expect={"server_side_encryption": "AWS_KMS", "kms_key_ids": [OTHER_KEY, KEY_ID]},
    ),
    "an alias": Case(
        bare(xfer=s3()),
        ("AWS_KMS", "alias/a", "trapd", True),
        properties=f"{KMS}\nserver-side-encryption-aws-kms-key-id=alias/a\n",
        expect={"server_side_encryption": "AWS_KMS", "kms_key_ids": [KEY]},
        compliant=None,
        why="alias",
    ),
    "the key of AWS": Case(
        bare(xfer=s3()),
        ("AWS_KMS", None, "trapd", True),
        properties=f"{KMS}\n",
        expect={"server_side_encryption": "AWS_KMS", "kms_key_ids": [KEY]},
        compliant=False,
        why="the key that AWS manages",
    ),
    "repeated and the same": Case(
        bare(xfer=s3(f"?{KMS}&amp;{KMS}")), ("AWS_KMS", None, "docroot", True), properties=None
    ),
    "repeated and not the same": Case(
        bare(xfer=s3(f"?{KMS}&amp;server-side-encryption=AES256")),
        ("AWS_KMS", None, "docroot", False),
        properties=None,
        compliant=None,
        why="more than once",
    ),
    "no value of the vendor's": Case(
        bare(xfer=s3(f"?server-side-encryption={HIDDEN}")),
        ("(unrecognised value)", None, "docroot", False),
        properties=None,
        compliant=None,
        why="none that the vendor documents",
    ),
    "a file that Java refuses": Case(
        bare(xfer=s3()), (None, None, "unknown", False), properties="a=\\u12\n", compliant=None, why="cannot be read"
    ),
    "trapd is off": Case(
        bare(xfer=s3()), (None, None, "none", False), enabled=False, compliant=None, why="trapd is not enabled"
    ),
    "nobody knows whether trapd is off": Case(
        bare(xfer=s3()), ("AWS_KMS", KEY, "trapd", False), enabled=None, compliant=None, why="cannot be told"
    ),
    "a server of 4.4 with trapd": Case(bare(xfer=s3()), ("AWS_KMS", KEY, "trapd", True), version="4.4.5.1646"),
    "a server of 4.4 without trapd": Case(
        bare(xfer=s3(f"?{IN_URI}")),
        ("AWS_KMS", KEY, "docroot", False),
        version="4.4.5.1646",
        enabled=False,
        compliant=None,
        why="pvcl_cloud",
    ),
    "pvcl_cloud is configured": Case(
        bare(xfer=s3()).replace("<aaa>", "<default><pvcl/></default><aaa>"),
        ("AWS_KMS", KEY, "trapd", False),
        compliant=None,
        why="pvcl_cloud",
    ),
    "a local path": Case(bare(xfer=docroot("/srv"), other=s3()), (None, None, "none", True), inherited_from=None),
    "an access key's user": Case(
        bare(
            xfer="<file_system><access><paths><path><restrictions><restriction>*</restriction></restrictions></path></paths></access></file_system>"
        ),
        (None, None, "unknown", False),
        compliant=None,
        why="access key",
    ),
    "a user takes the default": Case(
        bare(xfer="").replace("<aaa>", f"<default>{s3()}</default><aaa>"),
        ("AWS_KMS", KEY, "trapd", True),
        inherited_from="the global default",
    ),
    "a user takes the first group's": Case(
        bare(xfer="").replace(
            "</users>",
            f"</users><groups><group><name>late</name><precedence>7</precedence>{s3('?server-side-encryption=AES256')}</group>"
            f"<group><name>early</name><precedence>3</precedence>{s3(f'?{IN_URI}')}</group>"
            f"<group><name>others</name><precedence>0</precedence>{s3()}</group></groups>",
        ),
        ("AWS_KMS", KEY, "docroot", True),
        inherited_from="group early",
        expect={"server_side_encryption": "AWS_KMS", "scopes": ["user"]},
        accounts=("xfer:x:1000:50::/:/bin/sh\n", "late:x:50:\nearly:x:51:other,xfer\nothers:x:52:other\n"),
    ),
    "a user may be in a group": Case(
        bare(xfer="").replace(
            "</users>", f"</users><groups><group><name>staff</name>{s3(f'?{IN_URI}')}</group></groups>"
        ),
        (None, None, "unknown", False),
        expect={"server_side_encryption": "AWS_KMS", "scopes": ["user xfer"]},
        compliant=None,
        why="not a local account",
    ),
    "a default in S3": Case(f"<CONF><default>{s3()}</default></CONF>", ("AWS_KMS", KEY, "trapd", True), name=None),
    "nothing in S3": Case(
        bare(xfer=docroot("/srv")), (None, None, "none", True), compliant=None, why="no S3 docroot was found"
    ),
    "a name nobody has": Case(
        bare(xfer=s3()),
        ("AWS_KMS", KEY, "trapd", True),
        expect={"server_side_encryption": "AWS_KMS", "scopes": ["user", "user gone"]},
        compliant=None,
        why="no such one",
    ),
}


@pytest.fixture(scope="session")
def ascp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a stand-in for ascp that runs where there is nothing else: it prints the file beside it."""
    folder = tmp_path_factory.mktemp("ascp")
    source = PROJECT / "tests/stand_ins/ascp.c"
    subprocess.run(["cc", "-static", "-o", folder / "ascp", source], check=True)
    return folder / "ascp"


def lay_out(folder: Path, case: Case, ascp: Path) -> EmptyHost:
    """Make the host of a case."""
    host = EmptyHost(folder)
    (host.folder / "version").write_text(case.version)
    # Programs are started with it as their standard input.
    (host.folder / "dev").mkdir()
    (host.folder / "dev/null").touch()
    (host.aspera.folder / "bin/ascp").write_bytes(ascp.read_bytes())
    (host.aspera.folder / "bin/ascp").chmod(0o755)
    host.aspera.write_conf(case.conf.encode())
    if case.properties is None:
        host.aspera.properties.unlink()
    else:
        host.aspera.properties.write_text(case.properties)
    wants = host.folder / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True)
    if case.enabled is not None:
        (host.folder / "run/systemd/system").mkdir(parents=True)
    if case.enabled:
        (wants / "asperatrapd.service").symlink_to("/lib/systemd/system/asperatrapd.service")
    for name, text in zip(("passwd", "group"), case.accounts, strict=True):
        (host.folder / "etc" / name).write_text(text)
    return host


@pytest.mark.parametrize("name", CASES)
def test_what_is_in_effect_and_whether_it_is_as_expected(folder: Path, ascp: Path, name: str) -> None:
    """What the vendor documents is certain, and nothing else."""
    case = CASES[name]
    answer = lay_out(folder, case, ascp).run(INFO, expect=case.expect, _ansible_verbosity=5)
    assert "failed" not in answer, answer
    assert answer["changed"] is False
    assert (answer["version"], answer["trapd"]["enabled"]) == (case.version, case.enabled)
    (found,) = [one for one in answer["docroots"] if one["name"] == case.name]
    effective = found["effective"]
    told = (effective["server_side_encryption"], effective["kms_key_id"], effective["source"], effective["certain"])
    assert told == case.effective, answer
    assert effective["certain"] is (effective["why"] is None)
    assert found["inherited_from"] == case.inherited_from
    assert answer["compliant"] is case.compliant, answer
    reasons = [one["why"] for one in answer["violations"] + answer["unknown"]]
    assert bool(reasons) is (case.compliant is not True)
    assert not case.why or case.compliant is True or any(case.why in reason for reason in reasons), reasons
    assert HIDDEN not in json.dumps(answer)


def test_every_key_is_documented(folder: Path, ascp: Path) -> None:
    """At every depth, and none that is documented is missing."""
    documented = yaml.safe_load((PROJECT / f"library/{INFO}.yml").read_text())["RETURN"]
    answer = lay_out(folder, CASES["they differ"], ascp).run(INFO, expect={"server_side_encryption": "AES256"})
    common = {"changed", "warnings", "invocation"}
    assert set(answer) - common == set(documented)
    assert set(answer["trapd"]) == set(documented["trapd"]["contains"])
    assert set(answer["docroots"][0]) == set(documented["docroots"]["contains"])
    assert set(answer["docroots"][0]["effective"]) == set(documented["docroots"]["contains"]["effective"]["contains"])
    services = documented["services"]["contains"]
    assert set(answer["services"]) == set(services)
    for service in answer["services"].values():
        assert set(service) == set(services["asperatrapd"]["contains"])


def test_nothing_there_is_an_answer(folder: Path) -> None:
    """No Aspera, no init system, no processes: it tells so and does not fail."""
    host = EmptyHost(folder)
    answer = host.run(INFO, aspera_root="/nowhere", expect={"server_side_encryption": "AWS_KMS"})
    assert "failed" not in answer
    assert (answer["installed"], answer["version"], answer["docroots"]) == (False, None, [])
    assert (answer["sse_kms_supported"], answer["compliant"], answer["warnings"]) == (None, None, [])
    assert answer["trapd"]["exists"] is False
    assert {service["state"] for service in answer["services"].values()} == {None}


def test_a_file_that_cannot_be_read_is_a_warning(folder: Path, ascp: Path) -> None:
    """And what it would have told is unknown."""
    host = lay_out(folder, Case("<CONF>", (None, None, "none", True)), ascp)
    host.aspera.properties.unlink()
    host.aspera.properties.mkdir()
    answer = host.run(INFO)
    assert "failed" not in answer
    assert [word in warning for warning, word in zip(answer["warnings"], ("a directory", "line 1"), strict=True)] == [
        True,
        True,
    ]


def test_problems_of_the_servers_settings_are_told(folder: Path, ascp: Path) -> None:
    """Duplicates, keys without KMS, KMS without TLS, and values that are none."""
    for properties, words in [
        (f"{KMS}\n{KMS}\n", ["more than once", "https-only"]),
        (f"server-side-encryption=AES256\n{KMS_KEY}\n", ["is not AWS_KMS"]),
        ("server-side-encryption=aws:kms\n", ["none of NONE, AES256 and AWS_KMS"]),
        (
            f"{KMS}\ns3service.https-only=true\nserver-side-encryption-aws-kms-key-id={HIDDEN}!\n",
            ["no name of a KMS key"],
        ),
        ("a=\\u12\n", ["line 1"]),
        (IN_FILE, []),
    ]:
        host = lay_out(
            folder / str(len(list(folder.iterdir()))), Case(bare(), (None, None, "none", True), properties), ascp
        )
        problems = host.run(INFO)["trapd"]["problems"]
        assert len(problems) == len(words), problems
        assert all(word in problem for word, problem in zip(words, problems, strict=True)), problems
        assert HIDDEN not in str(problems)


@pytest.mark.parametrize(
    ("expect", "words"),
    [
        ({}, "expect.server_side_encryption is missing"),
        ({"server_side_encryption": "aws:kms"}, "AWS_KMS"),
        ({"server_side_encryption": HIDDEN}, "NONE, AES256 or AWS_KMS"),
        ({"server_side_encryption": "AES256", "kms_key_ids": [KEY]}, "AWS_KMS only"),
        ({"server_side_encryption": "AWS_KMS", "kms_key_ids": [f"{HIDDEN}!"]}, "kms_key_id"),
        ({"server_side_encryption": "AWS_KMS", "scopes": ["users"]}, "scopes"),
        ({"server_side_encryption": "AWS_KMS", "scope": ["user"]}, "Did you mean scopes?"),
        ("AWS_KMS", "dictionary"),
    ],
)
def test_an_expectation_that_is_none_is_an_error(folder: Path, expect: object, words: str) -> None:
    """Not an answer that says that all is well."""
    answer = EmptyHost(folder).run(INFO, expect=expect)
    assert answer["failed"] is True
    assert words in answer["msg"]
    assert HIDDEN not in json.dumps(answer)


def test_a_play_decides_by_the_answer(controller: Controller, connection: dict[str, object], folder: Path) -> None:
    """It runs in check mode too, shows no secret with -vvv, and `failed_when` makes a violation a failure."""
    roots = {}
    for name, properties in (("encrypted", IN_FILE), ("plain", "")):
        root = AsperaRoot.lay_out(folder / name, properties, "4.3.1.100")
        root.write_conf((SERVER if name == "encrypted" else bare(xfer=s3())).encode())
        roots[name] = {"aspera_root": str(root.folder)}
    inventory = folder / "inventory.yml"
    inventory.write_text(yaml.safe_dump({"all": {"vars": connection, "hosts": roots}}))
    for arguments in (("-vvv",), ("--check", "--diff", "-vvv")):
        screen = controller.playbook("info.yml", inventory, *arguments)
        assert screen.recap["encrypted"]["ok"] == 1, screen.text
        assert screen.recap["plain"]["failed"] == 1, screen.text
        assert HIDDEN not in screen.text
        assert "Traceback" not in screen.text
