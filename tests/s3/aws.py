"""A running S3 with its users, keys and objects, and the modules that ask it, on a server of Aspera's."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote
from xml.sax.saxutils import escape

import boto3
from authority import Authority, make_authority

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
SECONDS_AT_MOST = 120

CONF = """<CONF version="2"><aaa><realms><realm><users><user><name>xfer</name><file_system><access><paths><path>
<absolute>{}</absolute></path></paths></access></file_system></user></users></realm></realms></aaa></CONF>
"""


@dataclass
class Aws:
    """What there is, and who may do what: see aws_front.py."""

    url: str
    users: dict[str, list[str]]
    role: str
    key: str
    other_key: str
    authority: Authority
    folder: Path

    @property
    def host(self) -> str:
        """The server with its port."""
        return self.url.removeprefix("https://")

    def expect(self, *keys: str) -> list[dict]:
        """Return the expectation of one of some keys, or of the right one."""
        return [{"server_side_encryption": "AWS_KMS", "kms_key_ids": list(keys) or [self.key]}]

    def docroot(self, place: str, user: str | None = "auditor") -> str:
        """Return a docroot with the credentials of a user."""
        credentials = f"{':'.join(quote(part, safe='') for part in self.users[user][:2])}@" if user else ""
        return f"s3://{credentials}{self.host}/{place}"

    def options(self, user: str) -> dict[str, str]:
        """Return the credentials of a user as options."""
        return dict(zip(("access_key_id", "secret_access_key", "session_token"), self.users[user], strict=False))

    def environment(self, user: str) -> dict[str, str]:
        """Return the credentials of a user as variables."""
        return {f"AWS_{name.upper()}": value for name, value in self.options(user).items()}

    def add_user(self, policy: dict) -> str:
        """Add a user with a policy, and return its name."""
        iam = self.client("iam")
        name = f"user-{len(self.users)}"
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
        made = iam.create_access_key(UserName=name)["AccessKey"]
        self.users[name] = [made["AccessKeyId"], made["SecretAccessKey"]]
        return name

    def ask(
        self, place: str, user: str | None = "auditor", env: dict[str, str] | None = None, **options: object
    ) -> dict:
        """Ask about the objects of a docroot."""
        return self.run("aspera_s3_objects_info", place, user, env, **({"expect": self.expect()} | options))

    def try_upload(self, place: str, user: str | None, **options: object) -> dict:
        """Try an upload with the right key."""
        key = {"server_side_encryption": "AWS_KMS", "kms_key_id": self.key}
        return self.run("aspera_s3_trial_upload", place, user, None, **(key | options))

    def client(self, service: str) -> object:
        """Return a client of an administrator."""
        key, secret, *_ = self.users["admin"]
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            verify=str(self.authority.authority),
        )

    def run(self, module: str, place: str, user: str | None, env: dict[str, str] | None, **options: object) -> dict:
        """Run a module on a server with one docroot."""
        root = Path(tempfile.mkdtemp(dir=self.folder))
        (root / "etc").mkdir()
        docroot = place if "://" in place else self.docroot(place, user)
        (root / "etc/aspera.conf").write_text(CONF.format(escape(docroot)), encoding="utf-8")
        return self.run_on(root, module, env, **({"ca_file": str(self.authority.authority)} | options))

    def run_on(
        self,
        root: Path,
        module: str,
        env: dict[str, str] | None = None,
        around: tuple[str, ...] = (),
        **options: object,
    ) -> dict:
        """Run a module on an installation. No secret of anybody is in the answer."""
        environment = {"PATH": os.environ["PATH"], "AWS_EC2_METADATA_DISABLED": "true"}
        finished = subprocess.run(
            [*around, PROJECT / "library" / module, "-"],
            input=json.dumps({"aspera_root": str(root), **options}),
            env=environment | (env or {}),
            capture_output=True,
            timeout=SECONDS_AT_MOST,
            check=False,
            encoding="utf-8",
        )
        assert finished.stderr == ""
        for secret in (part for parts in self.users.values() for part in parts[1:]):
            assert secret not in finished.stdout
            assert quote(secret, safe="") not in finished.stdout
        answer = json.loads(finished.stdout)
        assert "failed" not in answer, answer
        return answer


@contextlib.contextmanager
def running_aws() -> Iterator[Aws]:
    """Run a server."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        authority = make_authority(folder, "Initech Test CA")
        command = [sys.executable, HERE / "aws_front.py", authority.certificate, authority.key]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        assert server.stdin
        assert server.stdout
        try:
            line = server.stdout.readline()
            assert line, (folder / "log").read_text(encoding="utf-8")[-2000:]
            yield Aws(**json.loads(line), authority=authority, folder=folder)
        finally:
            server.stdin.close()
            server.stdout.close()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
