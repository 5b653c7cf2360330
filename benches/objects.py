"""Measure the look at objects beside boto3 and beside the module of other people, on loopback and over a longer way."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ansible_modules import packed
from measure import median_cpu_seconds, median_seconds, peak_bytes
from relay import longer_way
from tables import megabytes, milliseconds, table, times

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
MODULE = HERE.parent / "library/aspera_s3_objects_info"
RUNS = 7
KEYS, HEADS = 2_500, 100
#: A module of other people takes seconds for each object.
RUNS_OF_OTHERS = 3
ROUND_TRIP = 0.05
CONF = (
    '<CONF version="2"><default><file_system><access><paths><path><absolute>s3://AKIADUMMY:DUMMY@127.0.0.1/media/in'
    "</absolute></path></paths></access></file_system></default></CONF>\n"
)
KMS_KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def run(folder: Path) -> str:
    """Measure and return the report."""
    authority = certificates(folder)
    (folder / "aspera/etc").mkdir(parents=True)
    (folder / "aspera/etc/aspera.conf").write_text(CONF)
    rows = []
    with serving(folder) as port:
        for name, round_trip in (("loopback", 0.0), ("50 ms", ROUND_TRIP)):
            with longer_way(port, round_trip) as way:
                url = f"https://127.0.0.1:{way.own_port}"
                commands = [ours(folder, url, authority)]
                commands += [boto3_script(url, authority, threads) for threads in (1, 8)]
                took = [median_seconds(command, RUNS) for command in commands]
                rows.append([name, milliseconds(took[0]), *(compared(one, took[0]) for one in took[1:])])
                if not round_trip:
                    used = [median_cpu_seconds(command, RUNS) for command in commands]
                    rows.append(["CPU", milliseconds(used[0]), *(compared(one, used[0]) for one in used[1:])])
                    peaks = ["peak", *(megabytes(peak_bytes(command)) for command in commands)]
                    one = one_object_by_others(folder, url, authority)
                    per_object = compared(one, took[0] / HEADS)
    rows.append(peaks)
    head = ["way", "ours", "boto3", "boto3, 8 threads"]
    others = f"`amazon.aws.s3_object_info` takes {per_object} for each object as ours, on loopback."
    return f"{table(head, rows)}\n\n{others}"


def compared(seconds: float, ours_takes: float) -> str:
    """Give a time with its ratio to ours."""
    return f"{milliseconds(seconds)} ({times(seconds / ours_takes)})"


def ours(folder: Path, url: str, authority: Path) -> list[str | Path]:
    """Give the command that lists all and looks at the newest."""
    options = {
        "aspera_root": str(folder / "aspera"),
        "endpoint_url": url,
        "ca_file": str(authority),
        "head_limit": HEADS,
        "expect": [{"server_side_encryption": "AWS_KMS", "kms_key_ids": [KMS_KEY]}],
    }
    return [MODULE, json.dumps(options)]


def boto3_script(url: str, authority: Path, threads: int) -> list[str | Path]:
    """Give the command that does the same with boto3."""
    return [sys.executable, HERE / "s3_with_boto3.py", url, authority, str(HEADS), str(threads)]


def one_object_by_others(folder: Path, url: str, authority: Path) -> float:
    """Measure the module of other people, as Ansible sends it to a host, for one object."""
    options = {
        "bucket_name": "media",
        "object_name": "in/2025/11/00000001.mxf",
        "endpoint_url": url,
        "region": "us-east-1",
        "access_key": "AKIADUMMY",
        "secret_key": "DUMMY",
        "aws_ca_bundle": str(authority),
    }
    program = packed("amazon.aws.s3_object_info", options, folder)
    return median_seconds([sys.executable, program], RUNS_OF_OTHERS)


def certificates(folder: Path) -> Path:
    """Make an authority and a certificate of it for loopback; give the authority."""
    made = {
        name: str(folder / name) for name in ("ca.pem", "ca.key", "server.pem", "server.key", "server.csr", "names")
    }
    Path(made["names"]).write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    new = ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    signing = ["-CA", made["ca.pem"], "-CAkey", made["ca.key"], "-days", "2", "-extfile", made["names"]]
    commands = [
        [*new, "-x509", "-subj", "/CN=Benchmark", "-keyout", made["ca.key"], "-out", made["ca.pem"]],
        [*new[:-2], "-subj", "/CN=store", "-keyout", made["server.key"], "-out", made["server.csr"]],
        ["openssl", "x509", "-req", "-in", made["server.csr"], *signing, "-out", made["server.pem"]],
    ]
    for command in commands:
        subprocess.run(command, check=True, capture_output=True)
    return Path(made["ca.pem"])


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[int]:
    """Run the store; give its port."""
    command = [sys.executable, HERE / "s3_store.py", folder / "server.pem", folder / "server.key", str(KEYS)]
    store = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield int(store.stdout.readline())
    finally:
        store.stdin.close()
        store.stdout.close()
        store.wait()
