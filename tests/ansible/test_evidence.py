"""The evidence that the playbook audit writes: one file a server, whatever became of the server, and their sums."""

from __future__ import annotations

import re
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import jsonschema
import pytest
from docroot_files import HIDDEN, SERVER
from fleet import SCHEMA, Fleet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from controllers import Controller

#: A port at which nobody answers (RFC 863).
CLOSED = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 9}
NAMESPACE = "aspera-sse-evidence"


@pytest.fixture
def fleet(installed: Controller, folder: Path) -> Iterator[Fleet]:
    """Give an empty fleet, and check afterwards that all evidence has the form that is promised."""
    fleet = Fleet(installed, folder)
    yield fleet
    if (fleet.evidence / "hosts").exists():
        for evidence in fleet.found().values():
            jsonschema.validate(evidence, SCHEMA)


@pytest.mark.needs("ssh", "sha256sum")
def test_each_server_has_a_file_that_says_what_became_of_it(fleet: Fleet) -> None:
    """No failure stops the others, and the audit fails in the end."""
    fleet.add("encrypted")
    fleet.add("plain", "")
    fleet.add("nothing read").write_conf(None)
    fleet.add("unreachable", **CLOSED)
    fleet.add("misspelt", aspera_sse_rot="/srv")
    fleet.add("refused", aspera_sse_expect=[{"server_side_encryption": "AWS_KMS", "kms_key_ids": ["s3cret value"]}])
    fleet.add("no such connection", ansible_connection="no_such_plugin")
    screen = fleet.audit()
    assert screen.exit_status != 0
    found = fleet.found()
    assert {host: evidence["state"] for host, evidence in found.items()} == {
        "encrypted": "looked",
        "plain": "looked",
        "nothing read": "looked",
        "unreachable": "unreachable",
        "misspelt": "failed",
        "refused": "failed",
        "no such connection": "skipped",
    }
    assert fleet.differing_files() == []

    encrypted = found["encrypted"]
    assert encrypted["groups"] == ["aspera", "media"]
    assert encrypted["expectation"] == [{"server_side_encryption": "AWS_KMS"}]
    assert encrypted["versions"]["aspera"] == "4.3.1.100"
    assert encrypted["versions"]["ansible_core"] == ".".join(map(str, fleet.controller.version))
    assert re.fullmatch(r"\d+\.\d+\.\d+", encrypted["versions"]["collection"])
    answers = {host: evidence["answers"].get("aspera_sse_info", {}) for host, evidence in found.items()}
    assert answers["encrypted"]["values"]["docroots"]
    assert [problem["where"] for problem in answers["plain"]["values"]["violations"]]
    assert answers["nothing read"]["values"]["compliant"] is None
    assert answers["misspelt"] == {}
    says = {host: evidence["message"] for host, evidence in found.items() if evidence["state"] != "looked"}
    assert "Connection refused" in says["unreachable"]
    assert "Did you mean aspera_sse_root?" in says["misspelt"]
    assert "kms_key_ids[0]" in says["refused"]
    assert "before the audit looked at it" in says["no such connection"]
    # A value that the module refuses may be a secret in the wrong place.
    assert found["refused"]["expectation"] is None
    # The screen says it, too.
    for host, message in says.items():
        assert host == "no such connection" or message in screen.as_one_line.replace('\\"', '"')


@pytest.mark.needs("ssh")
def test_what_ssh_says_of_itself_is_no_evidence(fleet: Fleet) -> None:
    """With -vvv it would be hundreds of lines."""
    fleet.add("unreachable", **CLOSED)
    fleet.audit("-vvv")
    message = fleet.found()["unreachable"]["message"]
    assert "Connection refused" in message
    assert "debug1" not in message


def test_nothing_secret_is_written_or_shown(fleet: Fleet) -> None:
    """Neither credentials of docroots, nor the key, nor what is made from it."""
    root = fleet.add("server")
    root.write_conf(SERVER.encode())
    screen = fleet.audit("-vvvv", around=("env", "ANSIBLE_DISPLAY_ARGS_TO_STDOUT=1"))
    (file,) = (fleet.evidence / "hosts").iterdir()
    key_file = fleet.controller.home / ".config/aspera_ops.sse/evidence.key"
    key = key_file.read_text(encoding="ascii").strip()
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert HIDDEN in root.conf.read_text()
    for text in (screen.text, file.read_text(encoding="ascii")):
        assert HIDDEN not in text
        assert key not in text
        assert "sums_key" not in text
    sums = fleet.found()["server"]["sums"]
    # All other numbers as long as a key are sums or names of builds.
    digits = set(re.findall(r"\b[0-9a-f]{64}\b", file.read_text(encoding="ascii")))
    assert digits == {sums["aspera_conf"], sums["s3_properties"]}
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


@pytest.mark.needs("sha256sum")
def test_nights_can_be_compared_and_servers_cannot(fleet: Fleet) -> None:
    """The sums change with the file. Equal files of two servers have different sums, as their keys differ."""
    first, second = fleet.add("first"), fleet.add("second")
    assert first.conf.read_bytes() == second.conf.read_bytes()
    fleet.audit()
    before = {host: evidence["sums"] for host, evidence in fleet.found().items()}
    assert before["first"]["key"] == before["second"]["key"]
    assert before["first"]["aspera_conf"] != before["second"]["aspera_conf"]
    second.properties.write_bytes(second.properties.read_bytes() + b"\n")
    fleet.audit()
    after = {host: evidence["sums"] for host, evidence in fleet.found().items()}
    assert after["first"] == before["first"]
    assert after["second"]["aspera_conf"] == before["second"]["aspera_conf"]
    assert after["second"]["s3_properties"] != before["second"]["s3_properties"]
    assert fleet.differing_files() == []


@pytest.mark.needs("sha256sum")
def test_another_run_replaces_the_files_of_its_servers_only(fleet: Fleet) -> None:
    """It vouches for nothing else: what somebody did to another file stays visible."""
    for name in ("first", "second", "third"):
        fleet.add(name)
    screen = fleet.audit()
    files = {file.name: file.read_bytes() for file in (fleet.evidence / "hosts").iterdir()}
    changed = fleet.evidence / "hosts/second.json"
    changed.write_bytes(files["second.json"].replace(b'"compliant": null', b'"compliant": true'))
    assert changed.read_bytes() != files["second.json"], screen.text
    (fleet.evidence / "hosts/third.json").unlink()
    added = fleet.evidence / "hosts/fourth.json"
    added.write_bytes(files["first.json"])
    screen = fleet.audit("--limit", "first", around=("env", "TZ=Asia/Tokyo"))
    assert (fleet.evidence / "hosts/first.json").read_bytes() != files["first.json"], screen.text
    assert sorted(fleet.differing_files()) == ["hosts/second.json", "hosts/third.json"], screen.text
    assert "fourth" not in (fleet.evidence / "SHA256SUMS").read_text()
    # Times are in UTC, wherever the controller is.
    changed.unlink()
    added.unlink()
    assert abs(age_in_seconds(fleet, fleet.found()["first"]["ended_at"])) < 600


def age_in_seconds(fleet: Fleet, text: str) -> float:
    """Return how long ago a time is, by the clock of the file that has it."""
    command = ("date", "--utc", "--date", text, "+%s")
    printed = subprocess.run(command, check=True, capture_output=True, encoding="ascii").stdout
    return (fleet.evidence / "hosts/first.json").stat().st_mtime - float(printed)


def test_names_of_servers_lead_nowhere_else(fleet: Fleet) -> None:
    """Each has a file of its own below the folder, whatever it is called."""
    names = ["../../up", "a/b", "..", ".hidden", "%2E%2E", "ä b", "x" * 300, "x" * 299 + "y", "-n"]
    for name in names:
        fleet.add(name)
    before = {path for path in fleet.folder.rglob("*") if fleet.evidence not in path.parents}
    fleet.audit()
    assert set(fleet.found()) == set(names)
    files = [file.name for file in (fleet.evidence / "hosts").iterdir()]
    assert all(re.fullmatch(r"[A-Za-z0-9_%~-][A-Za-z0-9_.%~-]*\.json", file, re.ASCII) for file in files)
    after = {path for path in fleet.folder.rglob("*") if fleet.evidence not in path.parents}
    assert {path.name for path in after - before} <= {"evidence", "inventory.json"}


def test_check_mode_writes_nothing(fleet: Fleet) -> None:
    """It looks, and judges."""
    fleet.add("server", "")
    screen = fleet.audit("--check")
    assert "VIOLATED" in screen.text, screen.text
    assert screen.recap["server"]["failed"] == 1
    assert not fleet.evidence.exists()


def test_two_audits_at_once_lose_nothing(fleet: Fleet) -> None:
    """Slices of a fleet may share a folder. In the end, the sums are those of all files."""
    for name in ("first", "second"):
        fleet.add(name)
    with ThreadPoolExecutor() as pool:
        runs = [pool.submit(fleet.audit, "--limit", name) for name in ("first", "second", "aspera")]
        assert all(set(run.result().recap) <= {"first", "second", "localhost"} for run in runs)
    assert set(fleet.found()) == {"first", "second"}
    assert fleet.differing_files() == []
    assert len((fleet.evidence / "SHA256SUMS").read_text().splitlines()) == 2


def test_a_folder_that_cannot_be_written_to_fails(fleet: Fleet) -> None:
    """No evidence is no success, and the message says where it should have been written."""
    fleet.add("server")
    fleet.evidence.write_text("a file in the place of the folder", encoding="ascii")
    screen = fleet.audit()
    assert screen.exit_status != 0
    assert f"The evidence cannot be written to {fleet.evidence}" in screen.as_one_line
    assert fleet.evidence.read_text() == "a file in the place of the folder"


@pytest.mark.parametrize(
    ("content", "mode", "says"),
    [
        ("0b" * 32 + "\n", 0o644, "Other users can read the key"),
        ("0b" * 31 + "\n", 0o600, "is not one line of 64 hexadecimal digits"),
        ("\x00", 0o600, "is not one line of 64 hexadecimal digits"),
    ],
)
def test_a_key_that_is_none_fails_before_any_server_is_asked(fleet: Fleet, content: str, mode: int, says: str) -> None:
    """Sums under a key that others know would be guessed."""
    fleet.add("server")
    key = fleet.folder / "key"
    key.write_text(content, encoding="ascii")
    key.chmod(mode)
    screen = fleet.audit(evidence_key=str(key))
    assert screen.exit_status != 0
    assert says in screen.as_one_line
    assert content.strip() not in screen.text
    assert not fleet.evidence.exists()


@pytest.mark.needs("ssh-keygen", "sha256sum")
def test_sums_are_signed(fleet: Fleet) -> None:
    """A run adds to sums only what the same key has signed, and vouches for nothing else."""
    keys = [fleet.folder / name for name in ("own", "other")]
    for key in keys:
        subprocess.run(("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key), check=True)
    fleet.add("first")
    fleet.add("second")
    for arguments in ((), ("--limit", "first")):
        fleet.audit(*arguments, signing_key=str(keys[0]))
        assert is_signed(fleet, keys[0])
        assert not is_signed(fleet, keys[1])
    sums = fleet.evidence / "SHA256SUMS"
    signed = sums.read_bytes()

    screen = fleet.audit("--limit", "first", signing_key=str(keys[1]))
    assert "it is signed with another key" in screen.as_one_line
    sums.write_bytes(signed.replace(b"0", b"1"))
    screen = fleet.audit("--limit", "first", signing_key=str(keys[0]))
    assert "the signature is wrong" in screen.as_one_line
    assert sums.read_bytes() == signed.replace(b"0", b"1")
    # A run of all servers has nothing to take over from earlier ones.
    fleet.audit(signing_key=str(keys[1]))
    assert is_signed(fleet, keys[1])
    assert fleet.differing_files() == []
    # Without a key, no signature is left that would be one of other sums.
    fleet.audit("--limit", "first")
    assert not (fleet.evidence / "SHA256SUMS.sig").exists()


@pytest.mark.needs("ssh-keygen")
def test_a_key_that_cannot_sign_fails(fleet: Fleet) -> None:
    """Nobody is there to be asked for a passphrase."""
    fleet.add("server")
    key = fleet.folder / "key"
    subprocess.run(("ssh-keygen", "-q", "-t", "ed25519", "-N", "dummy passphrase", "-f", key), check=True)
    screen = fleet.audit(signing_key=str(key))
    assert screen.exit_status != 0
    assert "ssh-keygen could not sign with" in screen.as_one_line
    assert not (fleet.evidence / "SHA256SUMS").exists()


def is_signed(fleet: Fleet, key: Path) -> bool:
    """Ask `ssh-keygen` whether the sums are signed with a key."""
    signers = fleet.folder / "allowed_signers"
    signers.write_text(f"audit {key.with_suffix('.pub').read_text(encoding='ascii')}", encoding="ascii")
    command = ("ssh-keygen", "-Y", "verify", "-f", signers, "-I", "audit", "-n", NAMESPACE)
    command += ("-s", fleet.evidence / "SHA256SUMS.sig")
    with (fleet.evidence / "SHA256SUMS").open("rb") as sums:
        return subprocess.run(command, stdin=sums, check=False, capture_output=True).returncode == 0
