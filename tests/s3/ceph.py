"""A gateway of Ceph: one monitor, one OSD in memory, one gateway with TLS, all below one folder and on one address."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import secrets
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from authority import Authority, make_authority
from botocore.config import Config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROJECT = Path(__file__).resolve().parents[2]
ROOT = PROJECT / "target/ceph/root"
KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
OTHER_KEY = KEY.replace("1234abcd", "99999999")
#: A key that the gateway does not have.
MISSING_KEY = KEY.replace("1234abcd", "00000000")
SECONDS_AT_MOST = 180

CONF = """[global]
fsid = {fsid}
mon host = v1:{monitor}
mon initial members = a
# Without it, commands may go out before the identity of the cluster is known, and are refused.
monmap = {folder}/monmap
ms bind msgr2 = false
public network = {network}
auth cluster required = none
auth service required = none
auth client required = none
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
mon data avail crit = 1
osd objectstore = memstore
memstore device bytes = 1073741824
plugin dir = {libraries}/ceph
erasure code dir = {libraries}/ceph/erasure-code
osd class dir = {libraries}/rados-classes
run dir = {folder}
admin socket = {folder}/$name.$pid.asok
log file = {folder}/$name.log
keyring = {folder}/keyring
heartbeat file =
[mon.a]
mon data = {folder}/mon
[osd.0]
osd data = {folder}/osd
[client.rgw]
rgw data = {folder}/rgw
rgw frontends = beast ssl_endpoint={gateway} ssl_certificate={certificate} ssl_private_key={key}
rgw crypt require ssl = false
rgw crypt s3 kms backend = testing
rgw crypt s3 kms encryption keys = "{keys}"
"""


@dataclass(frozen=True)
class Gateway:
    """Where it is, and its users: those who own the buckets, and others whom policies let in."""

    url: str
    authority: Authority
    users: dict[str, tuple[str, str]]

    @property
    def host(self) -> str:
        """The server with its port."""
        return self.url.removeprefix("https://")

    def client(self, user: str = "owner") -> object:
        """Return a client of a user."""
        key, secret = self.users[user]
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            verify=str(self.authority.authority),
            # This version knows no checksums behind the body.
            config=Config(
                retries={"max_attempts": 1},
                s3={"addressing_style": "path"},
                request_checksum_calculation="when_required",
            ),
        )

    def let_in(self, bucket: str, *statements: dict) -> None:
        """Set the policy of a bucket, which is about the user uploader."""
        principal = {"Principal": {"AWS": ["arn:aws:iam:::user/uploader"]}}
        policy = {"Version": "2012-10-17", "Statement": [{**principal, **one} for one in statements]}
        self.client().put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))


@contextlib.contextmanager
def running_ceph(folder: Path, address: str = "127.0.0.1", network: str = "127.0.0.0/8") -> Iterator[Gateway]:
    """Run a gateway below a folder with a short path, for the sake of its sockets."""
    authority = make_authority(folder, "Ceph Test CA", address=address)
    monitor, gateway = (f"{address}:{free_port(address)}" for _ in range(2))
    libraries = ROOT / "usr/lib/x86_64-linux-gnu"
    keys = " ".join(f"{key}={base64.b64encode(secrets.token_bytes(32)).decode()}" for key in (KEY, OTHER_KEY))
    fsid = "11111111-2222-3333-4444-555555555555"
    values = {"fsid": fsid, "monitor": monitor, "gateway": gateway, "folder": folder, "network": network}
    values |= {"libraries": libraries, "certificate": authority.certificate, "key": authority.key, "keys": keys}
    (folder / "ceph.conf").write_text(CONF.format(**values), encoding="utf-8")
    for name in ("mon", "osd", "rgw"):
        (folder / name).mkdir()
    environment = {
        "CEPH_CONF": str(folder / "ceph.conf"),
        "LD_LIBRARY_PATH": ":".join(map(str, (ROOT / "lib/x86_64-linux-gnu", libraries, libraries / "ceph"))),
        "PATH": f"{ROOT / 'usr/bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "usr/lib/python3/dist-packages"),
    }
    services: list[subprocess.Popen] = []

    def run(*command: str) -> str:
        finished = subprocess.run(
            command, env=environment, check=True, capture_output=True, encoding="utf-8", timeout=SECONDS_AT_MOST
        )
        return finished.stdout

    def start(*command: str) -> None:
        with (folder / f"{command[0]}.output").open("wb") as log:
            services.append(subprocess.Popen([*command, "-f"], env=environment, stdout=log, stderr=log))

    try:
        run(
            "ceph-authtool",
            "--create-keyring",
            f"{folder}/keyring",
            "--gen-key",
            "-n",
            "mon.",
            "--cap",
            "mon",
            "allow *",
        )
        run("monmaptool", "--create", "--addv", "a", f"[v1:{monitor}]", "--fsid", fsid, f"{folder}/monmap")
        run("ceph-mon", "--mkfs", "-i", "a", "--monmap", f"{folder}/monmap", "--keyring", f"{folder}/keyring")
        start("ceph-mon", "-i", "a")
        wait_for(monitor, services)
        of_osd = "22222222-2222-3333-4444-555555555555"
        run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", of_osd)
        run("ceph", "osd", "new", of_osd)
        # It ends now and then where it knows the monitor too late.
        for _ in range(5):
            start("ceph-osd", "-i", "0")
            if is_up(services, lambda: "1 up" in run("ceph", "osd", "stat")):
                break
            services.pop()
        start("radosgw", "-n", "client.rgw")
        wait_for(gateway, services)
        users = {}
        for name in ("owner", "uploader"):
            users[name] = (f"AKIA{name.upper()}", f"{secrets.token_hex(15)}/+{name}")
            arguments = (f"--uid={name}", f"--display-name={name}", f"--access-key={users[name][0]}")
            run("radosgw-admin", "user", "create", *arguments, f"--secret-key={users[name][1]}")
        yield Gateway(f"https://{gateway}", authority, users)
    finally:
        for service in reversed(services):
            service.kill()
            service.wait()


def free_port(address: str) -> int:
    """Give a port that nobody uses."""
    with socket.socket() as found:
        found.bind((address, 0))
        return found.getsockname()[1]


def is_up(services: list[subprocess.Popen], is_ready: Callable[[], bool]) -> bool:
    """Wait until the last service is ready or has ended."""
    end = time.monotonic() + SECONDS_AT_MOST
    while services[-1].poll() is None and time.monotonic() < end:
        if is_ready():
            return True
        time.sleep(0.5)
    return False


def wait_for(place: str, services: list[subprocess.Popen]) -> None:
    """Wait until a service answers."""
    address, _, port = place.partition(":")
    end = time.monotonic() + SECONDS_AT_MOST
    while time.monotonic() < end:
        ended = [service.args for service in services if service.poll() is not None]
        assert not ended, f"{ended} ended"
        with contextlib.suppress(OSError), socket.create_connection((address, int(port)), 1):
            return
        time.sleep(0.2)
    message = f"nothing answers at {place}"
    raise AssertionError(message)
