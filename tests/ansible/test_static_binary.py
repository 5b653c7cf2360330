"""The built modules need nothing of the host: they are small, static, and run where there is nothing else."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aspera_roots import ENCRYPTION_TEMPLATE, FOREIGN_VALUE, KEY, shipped_properties
from controllers import PROJECT
from empty_host import EmptyHost, received

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

BYTES_AT_MOST = 1_000_000
#: Modules that ask S3 have TLS in them.
BYTES_AT_MOST_WITH_TLS = 2_000_000
WITH_TLS = ("aspera_access_keys_info", "aspera_s3_objects_info", "aspera_s3_trial_upload")
MODULES = sorted(source.stem for source in (PROJECT / "src/bin").glob("*.rs"))


@pytest.fixture(params=MODULES)
def binary(request: pytest.FixtureRequest) -> Path:
    """Give each built module."""
    return PROJECT / "library" / request.param


def test_it_is_small(binary: Path) -> None:
    """Ansible's stock path uploads it for every task; the collection, once to each host."""
    assert binary.stat().st_size < (BYTES_AT_MOST_WITH_TLS if binary.name in WITH_TLS else BYTES_AT_MOST)


def test_tls_is_only_where_it_is_used(binary: Path) -> None:
    """The names of its messages are those of rustls, which a module without a server does not link."""
    assert (b"rustls" in binary.read_bytes()) == (binary.name in WITH_TLS)


@pytest.mark.needs("readelf")
def test_it_needs_no_library(binary: Path) -> None:
    """No interpreter is asked for, and no library."""

    def readelf(what: str) -> str:
        command = ["readelf", "--wide", what, binary]
        return subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout

    assert "LOAD" in readelf("--program-headers")
    assert "INTERP" not in readelf("--program-headers")
    assert "(NEEDED)" not in readelf("--dynamic")


def test_it_tells_nothing_of_the_machine_that_built_it(binary: Path) -> None:
    """The paths of source files in it, which a panic names, lead nowhere."""
    content = binary.read_bytes()
    assert b"src/modules/" in content or b"registry/" in content
    for folder in (PROJECT, Path.home()):
        assert bytes(folder) not in content


@pytest.fixture
def empty_host(folder: Path) -> EmptyHost:
    """Give a host where there is nothing else."""
    return EmptyHost(folder)


@pytest.fixture
def log(empty_host: EmptyHost) -> Iterator[socket.socket]:
    """Give what listens to the log of the empty host."""
    with empty_host.open_log() as listener:
        yield listener


def test_it_runs_where_there_is_nothing_else(empty_host: EmptyHost) -> None:
    """No shell, no /proc, no /etc/passwd, no log: the file is set, and again nothing is to do."""
    arguments = {"server_side_encryption": "AWS_KMS", "kms_key_id": KEY}
    answer = empty_host.run(**arguments)
    assert answer.get("failed") is not True, answer
    assert answer["changed"] is True
    assert answer["path"] == "/opt/aspera/etc/trapd/s3.properties"
    assert b"\nserver-side-encryption=AWS_KMS\n" in empty_host.aspera.properties.read_bytes()
    assert empty_host.run(**arguments)["changed"] is False


def test_it_logs_its_invocation_as_ansibles_modules_do(empty_host: EmptyHost, log: socket.socket) -> None:
    """One line at LOG_INFO under the module's name, with what was asked for and nothing of the file."""
    empty_host.run(
        server_side_encryption="AES256",
        backup=False,
        _ansible_module_name="aspera_trapd_sse",
        _ansible_syslog_facility="LOG_LOCAL3",
        _ansible_target_log_info="play 7",
    )
    (line,) = received(log)
    # LOG_LOCAL3 is facility 19, LOG_INFO severity 6.
    assert line.startswith(f"<{19 * 8 + 6}>")
    assert "ansible-aspera_trapd_sse" in line
    assert "play 7" in line
    assert "Invoked with " in line
    assert "server_side_encryption=AES256" in line
    assert FOREIGN_VALUE not in line


def test_it_logs_nothing_under_no_log(empty_host: EmptyHost, log: socket.socket) -> None:
    """Ansible asks for that with no_log, and with no_target_syslog."""
    answer = empty_host.run(server_side_encryption="AES256", _ansible_no_log=True)
    assert answer["changed"] is True
    assert received(log) == []
    expected = shipped_properties().replace(ENCRYPTION_TEMPLATE, "server-side-encryption=AES256\n")
    assert empty_host.aspera.properties.read_text() == expected
