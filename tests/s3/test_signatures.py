"""Our signatures against those of botocore, AWS's own: the same headers for the same requests, however odd."""

from __future__ import annotations

import datetime
import json
import random
import subprocess
from pathlib import Path
from unittest import mock

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.utils import percent_encode, percent_encode_sequence

PROJECT = Path(__file__).resolve().parents[2]
REQUESTS = 2_000
SEED = 20

PIECES = (
    *"aZ0+ %&=?#~-_.*'\"()!;:@$,\\|<>[]{}^`\téß\u0301\u202e",
    *("%2F", "日本", "😀"),
)
SEGMENTS = ("..", ".", "", "media", "2026", "a b", "a+b", "ü", "...", "%2e%2e", "$(name)")
HOSTS = ("s3.amazonaws.com", "media.s3.eu-west-1.amazonaws.com", "store.example:9000", "127.0.0.1:80", "[::1]:9443")


def text(chance: random.Random, longest: int) -> str:
    """Return a text of odd characters, which may be empty."""
    return "".join(chance.choice(PIECES) for _ in range(chance.randint(0, longest)))


def request_of(chance: random.Random) -> dict:
    """Return a request."""
    service = "s3" if chance.random() < 0.9 else "sts"
    segments = [
        chance.choice(SEGMENTS) if chance.random() < 0.5 else text(chance, 6) for _ in range(chance.randint(0, 5))
    ]
    return {
        "method": chance.choice(["GET", "HEAD", "PUT", "POST", "DELETE"]),
        "host": chance.choice(HOSTS),
        "path": "/" + "/".join(segments) if service == "s3" else "/",
        "parameters": [[text(chance, 4), text(chance, 5)] for _ in range(chance.choice([0, 0, 1, 2, 5]))],
        "metadata": chance.choice([None, "", "a  b ", "x:y;z=", " 1"]),
        "body": text(chance, 20) if chance.random() < 0.3 else "",
        "access_key_id": "AKIA" + str(chance.randrange(10**12)),
        "secret_access_key": "".join(chance.choices("abcXYZ019/+", k=40)),
        "session_token": chance.choice([None, "IQoJb3JpZ2luX2Vj//" + str(chance.random())]),
        "region": chance.choice(["us-east-1", "eu-west-1", "cn-north-1"]),
        "service": service,
        "time": chance.randrange(0, 4_000_000_000),
    }


def signed_by_botocore(wanted: dict) -> str:
    """Return the header that botocore makes."""
    query = percent_encode_sequence([tuple(pair) for pair in wanted["parameters"]])
    url = f"https://{wanted['host']}{percent_encode(wanted['path'], safe='/~')}"
    headers = {"Host": wanted["host"]}
    if wanted["metadata"] is not None:
        headers["x-amz-meta-note"] = wanted["metadata"]
    request = AWSRequest(wanted["method"], f"{url}?{query}" if query else url, headers, wanted["body"].encode())
    # Else botocore does not sign the body where the connection is encrypted.
    request.context["payload_signing_enabled"] = True
    credentials = Credentials(wanted["access_key_id"], wanted["secret_access_key"], wanted["session_token"])
    kind = S3SigV4Auth if wanted["service"] == "s3" else SigV4Auth
    time = datetime.datetime.fromtimestamp(wanted["time"], tz=datetime.timezone.utc)
    with mock.patch("botocore.auth.get_current_datetime", return_value=time, create=True):
        kind(credentials, wanted["service"], wanted["region"]).add_auth(request)
    return request.headers["Authorization"]


@pytest.fixture(scope="module")
def sign_requests() -> Path:
    """Build the program that signs with our code."""
    build = ["cargo", "build", "--locked", "--quiet", "--example", "sign_requests"]
    subprocess.run(build, check=True, cwd=PROJECT)
    return PROJECT / "target/debug/examples/sign_requests"


@pytest.mark.needs("cargo")
def test_signatures_are_those_of_botocore(sign_requests: Path) -> None:
    """2,000 random requests, the same ones in each run."""
    chance = random.Random(SEED)  # noqa: S311
    requests = [request_of(chance) for _ in range(REQUESTS)]
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    finished = subprocess.run([sign_requests], input=lines, check=True, capture_output=True, encoding="utf-8")
    ours = finished.stdout.splitlines()
    theirs = [signed_by_botocore(request) for request in requests]
    differing = [request for request, one, other in zip(requests, ours, theirs, strict=True) if one != other]
    assert differing == []
    assert len(set(ours)) == REQUESTS
