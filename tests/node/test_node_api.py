"""`aspera_access_keys_info` asks a node over TLS, with the certificates that nodes have."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from nodes import PASSWORD, PROJECT, USER, ask, keys, node, storage

sys.path.append(str(PROJECT / "tests/s3"))
from authority import Authority, make_authority

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    """Give an authority with a certificate for localhost."""
    with tempfile.TemporaryDirectory() as name:
        yield make_authority(Path(name), "Initech Test CA")


def tls(authority: Authority) -> dict[str, str]:
    """Return the options of a node with its certificate."""
    return {"certificate": str(authority.certificate), "key": str(authority.key)}


def reasons(answer: dict[str, Any]) -> list[str]:
    """Return why something was not read."""
    return [gap["reason"] for gap in answer["incomplete"]]


def test_a_cloud_node_that_is_as_expected(folder: Path, authority: Authority) -> None:
    """All its access keys are known, and settle what the audit does not know."""
    with node(keys=keys(3), **tls(authority)) as url:
        answer = ask(folder, url, ca_file=str(authority.authority))
    assert (answer["compliant"], answer["complete"], answer["settles"]) == (True, True, ["user xfer"])
    assert answer["summary"] == (
        "Compliant. Access keys: 3. Judged, with uploads to S3: 3. Violations: 0, unknown: 0, incomplete: 0."
    )
    assert (answer["version"], answer["transfer_user"], answer["this_host"]) == ("4.4.6.1646", "xfer", True)
    assert answer["access_keys"][0]["bearer_tokens"] is True


def test_certificates(folder: Path, authority: Authority) -> None:
    """One that nothing vouches for is refused, unless that is wanted; so is an expired one."""
    with node(keys=keys(1), **tls(authority)) as url:
        answer = ask(folder, url)
        assert reasons(answer) == ["untrusted_certificate"]
        assert '(issued by "Initech Test CA")' in answer["incomplete"][0]["why"]
        assert answer["access_keys"] == []
        answer = ask(folder, url, validate_certs=False)
        assert answer["compliant"] is True
        # Nobody else can be localhost.
        assert not [warning for warning in answer.get("warnings", []) if "validate_certs" in warning]
    expired = make_authority(folder, "Initech Test CA", days=-1)
    with node(keys=keys(1), **tls(expired)) as url:
        answer = ask(folder, url, ca_file=str(expired.authority))
        assert "it is expired" in answer["incomplete"][0]["why"]
        # A port without TLS.
        assert reasons(ask(folder, url.replace("https", "http"))) == ["no_answer"]


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("is_authority", [False, True])
def test_a_certificate_that_a_node_has_made_for_itself(folder: Path, is_authority: bool) -> None:
    """It is its own authority, unless it says that it is one for others: no server may use such a certificate."""
    made = Authority(folder, "node")
    of_kind = f"basicConstraints=critical,CA:{str(is_authority).upper()}"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", "/CN=node", "-addext", "subjectAltName=DNS:localhost", "-addext", of_kind]
    command += ["-keyout", str(made.key), "-out", str(made.certificate)]
    subprocess.run(command, check=True, capture_output=True)
    with node(keys=keys(1), **tls(made)) as url:
        answer = ask(folder, url, ca_file=str(made.certificate))
        assert answer["compliant"] is (None if is_authority else True)
        if is_authority:
            assert "it is the certificate of an authority, not of a server" in answer["incomplete"][0]["why"]
        assert ask(folder, url, validate_certs=False)["compliant"] is True


@pytest.mark.parametrize(
    ("instead", "reason"),
    [
        (401, "wrong_login"),
        (403, "denied"),
        (404, "no_node_api"),
        ("login page", "not_the_node_api"),
        ("another API", "not_the_node_api"),
        ("error page", "server_error"),
        ("redirect", "elsewhere"),
        ("cut off", "no_answer"),
        ("silence", "no_answer"),
    ],
)
def test_whatever_answers_in_place_of_a_node_has_its_reason(
    folder: Path, authority: Authority, instead: str | int, reason: str
) -> None:
    """And nothing is known then."""
    with node(keys=keys(2), instead=instead, **tls(authority)) as url:
        answer = ask(folder, url, ca_file=str(authority.authority), timeout=2)
    assert reasons(answer) == [reason]
    assert (answer["compliant"], answer["settles"], answer["access_keys"]) == (None, [], [])


def test_logins(folder: Path) -> None:
    """A user needs key_master; a wrong password is refused; an access key sees itself."""
    with node(keys=keys(3), users={USER: PASSWORD, "other": PASSWORD}, without_key_master=["other"]) as url:
        assert reasons(ask(folder, url, username="other")) == ["denied"]
        assert reasons(ask(folder, url, **{"password": "wrong"})) == ["wrong_login"]
        answer = ask(folder, url, access_key="ak_1", **{"secret": "DUMMY-SECRET-1"})
        assert [key["id"] for key in answer["access_keys"]] == ["ak_1"]
        assert reasons(answer) == ["login_by_access_key"]


@pytest.mark.parametrize(
    ("number", "most", "options", "complete"),
    [
        (999, 1000, {}, True),
        (1000, 1000, {}, False),
        (5000, 1000, {}, False),
        (10_000, 20_000, {}, True),
        (10_000, 10_000, {"max_response_entries": 10_000}, False),
    ],
)
def test_a_list_that_a_node_has_cut(folder: Path, number: int, most: int, options: dict, complete: bool) -> None:
    """Is not taken for all."""
    with node(keys=keys(number), max_response_entries=most) as url:
        answer = ask(folder, url, **options)
    assert len(answer["access_keys"]) == min(number, most)
    assert (answer["complete"], answer["compliant"]) == (complete, True if complete else None)


@pytest.mark.parametrize("version", ["3.6.1.110", "3.7.4.9", "3.8.0.1", "3.9.6.1", "4.4.6.1646"])
def test_every_version_shows_its_storages(folder: Path, version: str) -> None:
    """Those before 3.8.0 only if they are asked."""
    with node(keys=keys(2), version=version) as url:
        answer = ask(folder, url)
    assert [key["verdict"] for key in answer["access_keys"]] == ["met", "met"]


def test_another_host_is_not_taken_for_this_one(folder: Path) -> None:
    """By the addresses of its name. What its files set is not known, so nothing is known."""
    own = socket.gethostbyname(socket.gethostname())
    with node(keys=[{"id": "a", "storage": storage("AES256", None)}]) as url:
        # An address of this host that is none of loopback is this host, too; nothing listens there.
        answer = ask(folder, url.replace("http://localhost", f"https://{own}"))
        assert (answer["this_host"], reasons(answer)) == (True, ["no_answer"])
    answer = ask(folder, "https://192.0.2.1", timeout=1)
    assert (answer["this_host"], reasons(answer)) == (False, ["no_answer"])
