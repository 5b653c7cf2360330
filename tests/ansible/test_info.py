"""`aspera_sse_info` on hosts of all kinds, each a folder that is the whole file system to the module."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import time
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
CONF = "/opt/aspera/etc/aspera.conf"
PROPERTIES = "/opt/aspera/etc/trapd/s3.properties"
#: The output of systemctl for a unit in each state. Process 70 or 71 is in its control group.
UNITS = {
    "running": ("active", 100_000),
    "running since long ago": ("active", 1_000),
    "restarting": ("activating", None),
    "failed": ("failed", None),
    "stopped": ("inactive", None),
}


def s3(query: str = "") -> str:
    """Return a docroot in S3."""
    return docroot(f"s3://{CREDENTIALS}@s3.amazonaws.com/b{query}")


def bare(**users: str) -> str:
    """Return a configuration with users and nothing else."""
    blocks = "".join(f"<user><name>{name}</name>{elements}</user>" for name, elements in users.items())
    return f"<CONF><aaa><realms><realm><users>{blocks}</users></realm></realms></aaa></CONF>"


@dataclass(frozen=True)
class Case:
    """A host, and the expected answer for one docroot in it."""

    conf: str
    #: The encryption, the key, the source, and whether the answer is certain.
    effective: tuple[str | None, str | None, str, bool]
    properties: str | None = IN_FILE
    name: str | None = "xfer"
    expect: dict[str, object] = field(default_factory=lambda: {"server_side_encryption": "AWS_KMS"})
    compliant: bool | None = True
    #: A part of the reason of a violation, an unknown or an incomplete entry.
    why: str = ""
    #: The places that should have been read and were not.
    incomplete: tuple[str, ...] = ()
    #: The state of asperatrapd. By default, it is running if it is enabled, else it is stopped.
    trapd: str | None = None
    version: str = "4.3.1.100"
    enabled: bool | None = True
    inherited_from: str | None = None
    accounts: tuple[str, str] = ("", "")


CASES = {
    "the server's setting": Case(bare(xfer=s3()), ("AWS_KMS", KEY, "trapd", True)),
    "the docroot's setting": Case(
        bare(xfer=s3(f"?{IN_URI}")), ("AWS_KMS", KEY, "docroot", True), properties="s3service.https-only=true\n"
    ),
    "both say the same": Case(bare(xfer=s3(f"?{IN_URI}")), ("AWS_KMS", KEY, "docroot", True)),
    "none": Case(bare(xfer=s3()), (None, None, "none", True), properties="", compliant=False, why="another encryption"),
    "no file": Case(
        bare(xfer=s3()), (None, None, "none", True), properties=None, compliant=False, incomplete=(PROPERTIES,)
    ),
    "nothing is expected to be encrypted": Case(
        bare(xfer=s3()), (None, None, "none", True), properties="", expect={"server_side_encryption": "NONE"}
    ),
    "nothing is expected to be encrypted, and a file is gone": Case(
        bare(xfer=s3()),
        (None, None, "none", True),
        properties=None,
        expect={"server_side_encryption": "NONE"},
        compliant=None,
        why="does not exist",
        incomplete=(PROPERTIES,),
    ),
    "no file, and no trapd that reads it or serves": Case(
        bare(xfer=s3()),
        (None, None, "none", True),
        properties=None,
        enabled=False,
        expect={"server_side_encryption": "NONE"},
        compliant=None,
        why="nothing serves the S3 docroots",
        incomplete=("asperatrapd",),
    ),
    "NONE in a docroot": Case(
        bare(xfer=s3("?server-side-encryption=NONE")),
        ("NONE", None, "docroot", False),
        properties="",
        expect={"server_side_encryption": "NONE"},
        compliant=None,
        why="the vendor does not document what NONE in a docroot does",
    ),
    "KMS without HTTPS": Case(
        bare(xfer=s3()),
        ("AWS_KMS", None, "trapd", False),
        properties=f"s3service.https-only=false\n{KMS}\n",
        compliant=None,
        why="https-only is not true",
    ),
    "trapd failed": Case(
        bare(xfer=s3()),
        ("AWS_KMS", KEY, "trapd", True),
        trapd="failed",
        compliant=None,
        why="has failed",
        incomplete=("asperatrapd",),
    ),
    "trapd is stopped": Case(
        bare(xfer=s3()),
        ("AWS_KMS", KEY, "trapd", True),
        trapd="stopped",
        compliant=None,
        why="does not run",
        incomplete=("asperatrapd",),
    ),
    "trapd starts again and again": Case(
        bare(xfer=s3()),
        ("AWS_KMS", KEY, "trapd", True),
        trapd="restarting",
        compliant=None,
        why="is starting",
        incomplete=("asperatrapd",),
    ),
    "trapd runs with an older file": Case(
        bare(xfer=s3()),
        ("AWS_KMS", KEY, "trapd", False),
        trapd="running since long ago",
        compliant=None,
        why="with its file as it was before the last change",
        incomplete=("asperatrapd",),
    ),
    "systemctl does not answer": Case(
        bare(xfer=s3()),
        ("AWS_KMS", KEY, "trapd", False),
        trapd="untold",
        compliant=None,
        why="not known whether the service runs",
        incomplete=("asperatrapd",),
    ),
    "they differ": Case(
        bare(xfer=s3("?server-side-encryption=AES256")),
        ("AES256", None, "docroot", False),
        compliant=None,
        why="which one wins",
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
        why="whether the key in s3.properties then counts",
    ),
    "another key": Case(
        bare(xfer=s3()),
        ("AWS_KMS", KEY, "trapd", True),
        expect={"server_side_encryption": "AWS_KMS", "kms_key_ids": [OTHER_KEY]},
        compliant=False,
        why="another key",
    ),
    "a key by a name, in a store that is not Amazon's": Case(
        bare(xfer=s3()),
        # What is not certain to be no secret is not shown.
        ("AWS_KMS", "(unrecognised value)", "trapd", True),
        properties=IN_FILE.replace(KEY, "my-key"),
        expect={"server_side_encryption": "AWS_KMS", "kms_key_ids": ["my-key"], "validate_kms_key_id": False},
    ),
    "another key by a name": Case(
        bare(xfer=s3()),
        ("AWS_KMS", "(unrecognised value)", "trapd", True),
        properties=IN_FILE.replace(KEY, "my-key"),
        expect={"server_side_encryption": "AWS_KMS", "kms_key_ids": ["my-keys"], "validate_kms_key_id": False},
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
        ("AWS_KMS", "alias/a", "trapd", False),
        properties=f"{KMS}\nserver-side-encryption-aws-kms-key-id=alias/a\n",
        expect={"server_side_encryption": "AWS_KMS", "kms_key_ids": [KEY]},
        compliant=None,
        why="alias",
    ),
    "the key of AWS": Case(
        bare(xfer=s3()),
        ("AWS_KMS", None, "trapd", False),
        properties=f"{KMS}\n",
        expect={"server_side_encryption": "AWS_KMS", "kms_key_ids": [KEY]},
        compliant=False,
        why="the key that AWS manages",
    ),
    "repeated and the same": Case(
        bare(xfer=s3(f"?{KMS}&amp;{KMS}")), ("AWS_KMS", None, "docroot", True), properties="s3service.https-only=true\n"
    ),
    "repeated and not the same": Case(
        bare(xfer=s3(f"?{KMS}&amp;server-side-encryption=AES256")),
        ("AWS_KMS", None, "docroot", False),
        properties="",
        compliant=None,
        why="more than once",
    ),
    "no value of the vendor's": Case(
        bare(xfer=s3(f"?server-side-encryption={HIDDEN}")),
        ("(unrecognised value)", None, "docroot", False),
        properties="",
        compliant=None,
        why="the vendor does not document the value",
    ),
    "a file that Java refuses": Case(
        bare(xfer=s3()),
        (None, None, "unknown", False),
        properties="a=\\u12\n",
        compliant=None,
        why="could not be read",
        incomplete=(PROPERTIES,),
    ),
    "trapd is off": Case(
        bare(xfer=s3()),
        (None, None, "none", False),
        enabled=False,
        compliant=None,
        why="trapd is not enabled",
        incomplete=("asperatrapd",),
    ),
    "trapd is off, and the docroot has a setting of its own": Case(
        bare(xfer=s3(f"?{IN_URI}")),
        ("AWS_KMS", KEY, "docroot", True),
        properties="s3service.https-only=true\n",
        enabled=False,
        compliant=None,
        why="nothing serves the S3 docroots",
        incomplete=("asperatrapd",),
    ),
    "trapd is off, and nothing is in S3": Case(
        bare(xfer=docroot("/srv")), (None, None, "not_s3", True), properties=None, enabled=False
    ),
    "nobody knows whether trapd is off": Case(
        bare(xfer=s3()),
        ("AWS_KMS", KEY, "trapd", False),
        enabled=None,
        compliant=None,
        why="not known whether trapd is enabled",
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
    "a local path": Case(bare(xfer=docroot("/srv"), other=s3()), (None, None, "not_s3", True), inherited_from=None),
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
        ("AWS_KMS", KEY, "docroot", False),
        expect={"server_side_encryption": "AWS_KMS", "scopes": ["user xfer"]},
    ),
    "a default in S3": Case(f"<CONF><default>{s3()}</default></CONF>", ("AWS_KMS", KEY, "trapd", True), name=None),
    "nothing in S3": Case(bare(xfer=docroot("/srv")), (None, None, "not_s3", True)),
    "a name nobody has": Case(
        bare(xfer=s3()),
        ("AWS_KMS", KEY, "trapd", True),
        expect={"server_side_encryption": "AWS_KMS", "scopes": ["user", "user gone"]},
        compliant=None,
        why="no such user",
        incomplete=("user gone",),
    ),
    "a name whose uploads do not go to S3": Case(
        bare(xfer=s3(), local=docroot("/srv")),
        ("AWS_KMS", KEY, "trapd", True),
        expect={"server_side_encryption": "AWS_KMS", "scopes": ["user", "user local"]},
        compliant=None,
        why="leads to S3",
        incomplete=("user local",),
    ),
    "a group whose line is gone": Case(
        bare(xfer="")
        .replace("</users>", f"</users><groups><group><name>staff</name>{s3(f'?{IN_URI}')}</group></groups>")
        .replace("<aaa>", f"<default>{s3()}</default><aaa>"),
        ("AWS_KMS", KEY, "docroot", True),
        expect={"server_side_encryption": "AWS_KMS", "scopes": ["user xfer"]},
        accounts=("xfer:x:1000:50::/:/bin/sh\n", ""),
    ),
}


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build stand-ins for programs that run on a host without anything else: they print files."""
    folder = tmp_path_factory.mktemp("programs")
    for name in ("ascp", "systemctl"):
        source = PROJECT / f"tests/stand_ins/{name}.c"
        subprocess.run(["cc", "-static", "-o", folder / name, source], check=True)
    return folder


def put_service(host: EmptyHost, service: str, pid: int, state: str) -> None:
    """Make systemctl and the kernel report the state of a service, on a host that booted 1,000 seconds ago."""
    if state == "untold":
        return
    active, start = UNITS[state]
    group = f"system.slice/{service}.service"
    unit = host.folder / f"units/{service}.service"
    unit.parent.mkdir(exist_ok=True)
    unit.write_text(f"LoadState=loaded\nActiveState={active}\nControlGroup=/{group}\nUser=\n")
    if start is not None:
        members = host.folder / "sys/fs/cgroup" / group / "cgroup.procs"
        members.parent.mkdir(parents=True)
        members.write_text(f"{pid}\n")
        process = host.folder / f"proc/{pid}"
        process.mkdir(parents=True)
        (process / "stat").write_text(f"{pid} (x) S {'0 ' * 18}{start} 0\n")
        (host.folder / "proc/uptime").write_text("1000.00 0.00\n")


def lay_out(folder: Path, case: Case, programs: Path) -> EmptyHost:
    """Build the host of a case."""
    host = EmptyHost(folder)
    (host.folder / "version").write_text(case.version)
    # This file is the standard input of the programs.
    (host.folder / "dev").mkdir()
    (host.folder / "dev/null").touch()
    (host.folder / "usr/bin").mkdir(parents=True)
    for name, place in (("ascp", host.aspera.folder / "bin"), ("systemctl", host.folder / "usr/bin")):
        shutil.copy(programs / name, place)
    # A program that succeeds takes any configuration for valid.
    shutil.copy(programs / "ascp", host.aspera.folder / "bin/asuserdata")
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
    if case.enabled is not None:
        put_service(host, "asperatrapd", 70, case.trapd or ("running" if case.enabled else "stopped"))
        put_service(host, "asperanoded", 71, "running")
    # Where /proc is and which options it has, as the kernel says it: nothing there is hidden.
    mountinfo = host.folder / "proc/self/mountinfo"
    mountinfo.parent.mkdir(parents=True, exist_ok=True)
    mountinfo.write_text("22 1 0:21 / /proc rw,relatime - proc proc rw\n")
    # A process counts as older than a file that changed within the last 20 milliseconds.
    time.sleep(0.05)
    return host


@pytest.mark.parametrize("name", CASES)
def test_what_is_in_effect_and_whether_it_is_as_expected(folder: Path, programs: Path, name: str) -> None:
    """An answer is certain if the vendor documents it, and only then."""
    case = CASES[name]
    answer = lay_out(folder, case, programs).run(INFO, expect=[case.expect], _ansible_verbosity=5)
    assert "failed" not in answer, answer
    assert answer["changed"] is False
    assert (answer["version"], answer["trapd"]["enabled"]) == (case.version, case.enabled)
    (found,) = [one for one in answer["docroots"] if one["name"] == case.name]
    effective = found["effective"]
    reported = (effective["server_side_encryption"], effective["kms_key_id"], effective["source"], effective["certain"])
    assert reported == case.effective, answer
    assert effective["certain"] is (effective["why"] is None)
    assert found["inherited_from"] == case.inherited_from
    assert answer["compliant"] is case.compliant, answer
    assert tuple(one["where"] for one in answer["incomplete"]) == case.incomplete, answer
    reasons = [one["why"] for one in answer["violations"] + answer["unknown"] + answer["incomplete"]]
    assert bool(reasons) is (case.compliant is not True)
    is_stopped = answer["services"]["asperatrapd"]["state"] == "stopped"
    assert ("asperatrapd is stopped." in answer["summary"]) is is_stopped
    assert not case.why or case.compliant is True or any(case.why in reason for reason in reasons), reasons
    assert HIDDEN not in json.dumps(answer)


@pytest.mark.parametrize(
    ("docroot_query", "properties", "fix"),
    [
        ("", "server-side-encryption=AES256\n", "Set AWS_KMS with aspera_trapd_sse for the whole server, or with "),
        ("", "", "Set AWS_KMS with aspera_trapd_sse for the whole server, or with "),
        ("?server-side-encryption=AES256", "", "Set AWS_KMS with aspera_docroot_sse."),
    ],
)
def test_the_fix_begins_with_the_module_of_what_is_wrong(
    folder: Path, programs: Path, docroot_query: str, properties: str, fix: str
) -> None:
    """A docroot that takes the setting of the server need not get one of its own."""
    case = Case(bare(xfer=s3(docroot_query)), (None, None, "none", True), properties=properties)
    (violation,) = lay_out(folder, case, programs).run(INFO, expect=[case.expect])["violations"]
    assert violation["where"] == "user xfer"
    assert violation["fix"].startswith(fix)


def test_an_empty_host_gets_an_answer(folder: Path) -> None:
    """It has no Aspera, no init system and no processes: the module reports that and does not fail."""
    host = EmptyHost(folder)
    answer = host.run(INFO, aspera_root="/nowhere", expect=[{"server_side_encryption": "AWS_KMS"}])
    assert "failed" not in answer
    assert (answer["installed"], answer["version"], answer["docroots"]) == (False, None, [])
    assert (answer["sse_kms_supported"], answer["compliant"], answer["warnings"]) == (None, None, [])
    assert [one["where"] for one in answer["incomplete"]] == ["/nowhere"]
    assert answer["trapd"]["exists"] is False
    assert {service["state"] for service in answer["services"].values()} == {None}


def test_files_that_cannot_be_read_are_incomplete(folder: Path, programs: Path) -> None:
    """They are, with and without an expectation, and there is also a warning."""
    host = lay_out(folder, Case("<CONF>", (None, None, "none", True)), programs)
    host.aspera.properties.unlink()
    host.aspera.properties.mkdir()
    for expect in ({}, {"expect": [{"server_side_encryption": "NONE"}]}):
        answer = host.run(INFO, **expect)
        assert "failed" not in answer
        words = ("a directory", "line 1")
        assert all(word in warning for warning, word in zip(answer["warnings"], words, strict=True)), answer
        found = {one["where"]: one["why"] for one in answer["incomplete"]}
        assert "line 1" in found[CONF]
        assert "a directory" in found[PROPERTIES]
        assert all(one["fix"] for one in answer["incomplete"])
        assert ("compliant" in answer) is bool(expect)
        assert answer.get("compliant") is None


@pytest.mark.needs("root")
def test_a_user_who_may_not_read_gets_no_green_answer(folder: Path, programs: Path) -> None:
    """The remedy is to become root."""
    host = lay_out(folder, CASES["the server's setting"], programs)
    host.aspera.conf.chmod(0o600)
    host.folder.chmod(0o755)
    answer = host.run(INFO, as_user="65534", expect=[{"server_side_encryption": "AWS_KMS"}])
    assert answer["compliant"] is None
    (of_conf,) = [one for one in answer["incomplete"] if one["where"] == CONF]
    assert "ermission denied" in of_conf["why"]
    assert "become: true" in of_conf["fix"]


@pytest.mark.parametrize(
    "obstacle", ["missing", "fifo", pytest.param("device", marks=pytest.mark.needs("root")), "folder", "huge"]
)
@pytest.mark.parametrize("name", ["passwd", "group"])
def test_accounts_are_read_where_groups_matter(folder: Path, programs: Path, name: str, obstacle: str) -> None:
    """An unreadable file of accounts is incomplete, and the module does not assume that a user is in no group."""
    for case, matters in (("a user takes the first group's", True), ("the server's setting", False)):
        host = lay_out(folder / str(matters), CASES[case], programs)
        accounts = host.folder / "etc" / name
        accounts.unlink()
        if obstacle == "fifo":
            os.mkfifo(accounts)
        elif obstacle == "device":
            os.mknod(host.folder / "dev/zero", 0o666 | stat.S_IFCHR, os.makedev(1, 5))
            accounts.symlink_to("/dev/zero")
        elif obstacle == "folder":
            accounts.mkdir()
        elif obstacle == "huge":
            with accounts.open("wb") as file:
                file.truncate(1 << 40)
        answer = host.run(INFO, expect=[CASES[case].expect])
        assert answer["compliant"] is (None if matters else True), answer
        assert [one["where"] for one in answer["incomplete"]] == ([f"/etc/{name}"] if matters else [])


def test_problems_of_the_servers_settings_are_reported(folder: Path, programs: Path) -> None:
    """They are duplicates, keys without KMS, KMS without TLS, and values that are not valid."""
    for properties, words in [
        (f"{KMS}\n{KMS}\n", ["more than once", "https-only"]),
        (f"server-side-encryption=AES256\n{KMS_KEY}\n", ["is not AWS_KMS"]),
        ("server-side-encryption=aws:kms\n", ["is not NONE, AES256 or AWS_KMS"]),
        (
            f"{KMS}\ns3service.https-only=true\nserver-side-encryption-aws-kms-key-id={HIDDEN}!\n",
            ["not a valid name of a KMS key"],
        ),
        ("a=\\u12\n", ["line 1"]),
        (IN_FILE, []),
    ]:
        host = lay_out(
            folder / str(len(list(folder.iterdir()))), Case(bare(), (None, None, "none", True), properties), programs
        )
        problems = host.run(INFO)["trapd"]["problems"]
        assert len(problems) == len(words), problems
        assert all(word in problem for word, problem in zip(words, problems, strict=True)), problems
        assert HIDDEN not in str(problems)


@pytest.mark.parametrize(
    ("expect", "words"),
    [
        ({}, "expect[0]: server_side_encryption is missing"),
        ({"server_side_encryption": "aws:kms"}, "AWS_KMS"),
        ({"server_side_encryption": HIDDEN}, "NONE, AES256 or AWS_KMS"),
        ({"server_side_encryption": "AES256", "kms_key_ids": [KEY]}, "AWS_KMS only"),
        ({"server_side_encryption": "AWS_KMS", "kms_key_ids": [f"{HIDDEN}!"]}, "kms_key_ids[0]"),
        ({"server_side_encryption": "AWS_KMS", "kms_key_ids": []}, "kms_key_ids is an empty list"),
        (
            {"server_side_encryption": "AWS_KMS", "kms_key_ids": [KEY, "my-key"]},
            "kms_key_ids[1] is a key id that is neither a UUID nor mrk- and 32 hexadecimal digits, unlike the key ids "
            "of AWS. Use the full key ARN. If the store is not AWS and its keys have such ids, set "
            "validate_kms_key_id: false.",
        ),
        (
            {"server_side_encryption": "AWS_KMS", "kms_key_ids": ["None"], "validate_kms_key_id": False},
            "kms_key_ids[0] is a word that a template writes",
        ),
        ({"server_side_encryption": "AWS_KMS", "scopes": ["users"]}, "scopes"),
        ({"server_side_encryption": "AWS_KMS", "scope": ["user"]}, "Did you mean scopes?"),
        ("AWS_KMS", "dictionaries"),
    ],
)
def test_an_invalid_expectation_is_an_error(folder: Path, expect: object, words: str) -> None:
    """The answer must not be that everything is as expected."""
    answer = EmptyHost(folder).run(INFO, expect=[expect])
    assert answer["failed"] is True
    assert words in answer["msg"]
    assert HIDDEN not in json.dumps(answer)


def test_a_play_decides_by_the_answer(controller: Controller, connection: dict[str, object], folder: Path) -> None:
    """It also runs in check mode, shows no secret with -vvv, and `failed_when` makes a violation a failure."""
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
