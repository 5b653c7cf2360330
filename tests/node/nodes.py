"""Nodes with access keys, and the module that asks them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).resolve().parents[2]
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
EXPECT = [{"server_side_encryption": "AWS_KMS", "kms_key_ids": [KEY]}]
USER, PASSWORD = "node_audit", "DUMMY-PASSWORD"
SECONDS_AT_MOST = 120
CONF = """<CONF version="2"><aaa><realms><realm><users><user><name>xfer</name><file_system><access><paths><path>
<absolute>AS_NULL</absolute><restrictions><restriction>s3://*</restriction></restrictions>
</path></paths></access></file_system></user></users></realm></realms></aaa></CONF>
"""
#: Programs of an installation: they tell a version, and take any configuration.
PROGRAMS = {"ascp": "#!/bin/sh\necho ascp version 4.4.6.1646\n", "asuserdata": "#!/bin/sh\n"}


def storage(encryption: str | None = "AWS_KMS", key: str | None = KEY, **more: Any) -> dict[str, Any]:
    """Return a storage in S3."""
    settings = {"server_side_encryption": encryption, "server_side_encryption_aws_kms_key_id": key}
    return {
        "type": "aws_s3",
        "bucket": "media",
        "endpoint": "s3.eu-west-1.amazonaws.com",
        "path": "/in",
        "credentials": {"type": "key", "access_key_id": "AKIADUMMY", "secret_access_key": "DUMMY-SECRET"},
        **{name: value for name, value in settings.items() if value},
        **more,
    }


def keys(number: int) -> list[dict[str, Any]]:
    """Return access keys that are as expected, as large as those of a real node."""
    token = "-----BEGIN PUBLIC KEY-----\\n" + "A" * 800 + "\\n-----END PUBLIC KEY-----"
    return [
        {"id": f"ak_{index}", "storage": storage(), "token_verification_key": token, "secret": f"DUMMY-SECRET-{index}"}
        for index in range(number)
    ]


@contextlib.contextmanager
def node(**options: Any) -> Iterator[str]:
    """Run a node, and give its address."""
    options = {"users": {USER: PASSWORD}, **options}
    command = [sys.executable, PROJECT / "tests/stand_ins/node_api.py"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8") as server:
        assert server.stdin
        assert server.stdout
        try:
            server.stdin.write(json.dumps(options) + "\n")
            server.stdin.flush()
            yield server.stdout.readline().strip()
        finally:
            server.stdin.close()


def lay_out(folder: Path) -> Path:
    """Make the installation of a cloud node."""
    root = folder / "aspera"
    (root / "etc/trapd").mkdir(parents=True)
    (root / "bin").mkdir()
    (root / "etc/aspera.conf").write_text(CONF, encoding="utf-8")
    (root / "etc/trapd/s3.properties").write_text("s3service.https-only=true\n", encoding="utf-8")
    for name, text in PROGRAMS.items():
        program = root / "bin" / name
        program.write_text(text, encoding="utf-8")
        program.chmod(0o755)
    return root


def ask(folder: Path, url: str, **options: Any) -> dict[str, Any]:
    """Ask a node on an installation of its own. No secret is in the answer."""
    root = folder / "aspera"
    if not root.exists():
        lay_out(folder)
    login = {} if "access_key" in options else {"username": USER, "password": PASSWORD}
    arguments = {"aspera_root": str(root), "url": url, "timeout": 20, "expect": EXPECT, **login, **options}
    finished = subprocess.run(
        [PROJECT / "library/aspera_access_keys_info", "-"],
        input=json.dumps(arguments),
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        timeout=SECONDS_AT_MOST,
        check=False,
        encoding="utf-8",
    )
    assert finished.stderr == ""
    for secret in ("DUMMY-PASSWORD", "DUMMY-SECRET"):
        assert secret not in finished.stdout
    answer = json.loads(finished.stdout)
    assert "failed" not in answer, answer
    return answer
