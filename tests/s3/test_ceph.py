"""The gateway of Ceph is a store of its own: it answers in its own way, and the modules say what it does."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote
from xml.sax.saxutils import escape

import pytest
from aws import CONF, PROJECT, SECONDS_AT_MOST
from botocore.exceptions import ClientError
from ceph import KEY, MISSING_KEY, OTHER_KEY, ROOT, Gateway, running_ceph

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.hosts,
    pytest.mark.skipif(not (ROOT / "usr/bin/radosgw").exists(), reason="needs Ceph: scripts/ceph.sh unpacks it"),
]
KMS = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": KEY}
EXPECT = [{"server_side_encryption": "AWS_KMS", "kms_key_ids": [KEY]}]


@pytest.fixture(scope="module")
def ceph() -> Iterator[Gateway]:
    """Give a running gateway, with its buckets."""
    with tempfile.TemporaryDirectory() as name, running_ceph(Path(name)) as gateway:
        s3 = gateway.client()
        for bucket in ("media", "large"):
            s3.create_bucket(Bucket=bucket)
        yield gateway


def run(ceph: Gateway, module: str, place: str, user: str = "owner", **options: object) -> dict:
    """Run a module on a server with one docroot."""
    credentials = ":".join(quote(part, safe="") for part in ceph.users[user])
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "etc").mkdir()
        docroot = escape(f"s3://{credentials}@{ceph.host}/{place}")
        (Path(name) / "etc/aspera.conf").write_text(CONF.format(docroot), encoding="utf-8")
        finished = subprocess.run(
            [PROJECT / "library" / module, "-"],
            input=json.dumps({"aspera_root": name, "ca_file": str(ceph.authority.authority), **options}),
            env={"PATH": os.environ["PATH"], "AWS_EC2_METADATA_DISABLED": "true"},
            capture_output=True,
            timeout=SECONDS_AT_MOST,
            check=False,
            encoding="utf-8",
        )
    assert finished.stderr == ""
    for _, secret in ceph.users.values():
        assert secret not in finished.stdout
    answer = json.loads(finished.stdout)
    assert "failed" not in answer, answer
    return answer


def ask(ceph: Gateway, place: str, **options: object) -> dict:
    """Ask about the objects of a docroot."""
    return run(ceph, "aspera_s3_objects_info", place, **{"expect": EXPECT, **options})


def try_upload(ceph: Gateway, place: str, user: str = "owner", **options: object) -> tuple[dict, dict]:
    """Try an upload; give the answer and the docroot in it."""
    options = {"server_side_encryption": "AWS_KMS", "kms_key_id": KEY, **options}
    answer = run(ceph, "aspera_s3_trial_upload", place, user, **options)
    return answer, answer["docroots"][0]


def test_objects_are_as_they_were_put(ceph: Gateway) -> None:
    """In one piece and in parts, with odd keys, and the key as it was given."""
    s3 = ceph.client()
    for key in ("a b+c", "ü/日本", "q?&=#%", "a//b", "tab\tend"):
        s3.put_object(Bucket="media", Key=f"right/{key}", Body=b"x", **KMS)
    upload = s3.create_multipart_upload(Bucket="media", Key="right/parts", **KMS)["UploadId"]
    at = {"Bucket": "media", "Key": "right/parts", "UploadId": upload}
    tag = s3.upload_part(**at, PartNumber=1, Body=b"x")["ETag"]
    s3.complete_multipart_upload(**at, MultipartUpload={"Parts": [{"ETag": tag, "PartNumber": 1}]})
    answer = ask(ceph, "media/right")
    (docroot,) = answer["docroots"]
    assert (answer["compliant"], docroot["looked_at"]) == (True, 6)
    assert docroot["encryption"] == [{"algorithm": "aws:kms", "kms_key_id": KEY, "objects": 6, "bucket_keys": 0}]
    s3.put_object(Bucket="media", Key="wrong/a", Body=b"x")
    s3.put_object(Bucket="media", Key="wrong/b", Body=b"x", **{**KMS, "SSEKMSKeyId": OTHER_KEY})
    answer = ask(ceph, "media/wrong")
    assert answer["compliant"] is False
    shown = {(one["key"], one["algorithm"], one["kms_key_id"]) for one in answer["docroots"][0]["otherwise"]}
    # This store encrypts nothing by itself.
    assert shown == {("a", None, None), ("b", "aws:kms", OTHER_KEY)}


def test_the_default_encryption_of_a_bucket_is_not_made_up(ceph: Gateway) -> None:
    """This version answers the question with a list of objects, or says that there is none."""
    docroot = ask(ceph, "media/right")["docroots"][0]
    assert (docroot["bucket_default"], docroot["explained_by_bucket_default"]) == (None, None)
    assert docroot["bucket_default_reason"] in {"not_implemented", "no_default"}


def test_a_wrong_secret_and_a_missing_bucket_have_their_reasons(ceph: Gateway) -> None:
    """They are words of the protocol, and not of Amazon alone."""
    ceph.users["nobody"] = ("AKIANOBODY", "x" * 40)
    ceph.users["wrong"] = (ceph.users["owner"][0], "x" * 40)
    try:
        reasons = {
            name: run(ceph, "aspera_s3_objects_info", place, user, expect=EXPECT)["docroots"][0]["unknown"][0]["reason"]
            for name, place, user in [
                ("nobody", "media/right", "nobody"),
                ("wrong", "media/right", "wrong"),
                ("bucket", "nowhere/right", "owner"),
                ("denied", "media/right", "uploader"),
            ]
        }
    finally:
        del ceph.users["nobody"], ceph.users["wrong"]
    assert reasons == {
        "nobody": "unknown_access_key",
        "wrong": "wrong_secret",
        "bucket": "no_bucket",
        "denied": "denied",
    }


def test_a_listing_beyond_its_limit_is_never_a_green(ceph: Gateway) -> None:
    """More than a thousand keys take several pages. What was not listed may differ, and is not asked for."""
    s3 = ceph.client()
    for number in range(1_050):
        s3.put_object(Bucket="large", Key=f"in/{number:05}", Body=b"", **KMS)
    s3.put_object(Bucket="large", Key="in/2026/11/a", Body=b"", **KMS)
    limited = ask(ceph, "large/in", list_limit=1_000)
    assert limited["docroots"][0]["listed"] == {
        "keys": 1_000,
        "complete": False,
        "skipped": 0,
        "older": 0,
        "in_question": 1_000,
    }
    assert limited["compliant"] is None
    assert {one["reason"] for one in limited["docroots"][0]["unknown"]} == {"not_all_listed", "not_all_looked_at"}
    listed = ask(ceph, "large/in")
    assert (listed["docroots"][0]["listed"]["keys"], listed["docroots"][0]["listed"]["complete"]) == (1_051, True)
    # A hundred were looked at, the others may differ.
    assert listed["compliant"] is None
    every_one = ask(ceph, "large/in", head_limit=2_000)
    assert (every_one["compliant"], every_one["docroots"][0]["looked_at"]) == (True, 1_051)
    assert ask(ceph, "large/in", prefix="2026/11/")["compliant"] is True


@pytest.mark.parametrize("multipart", [False, True])
def test_a_trial_upload(ceph: Gateway, multipart: bool) -> None:
    """It goes up and away, with a key that the store has; another one is refused."""
    answer, docroot = try_upload(ceph, "media/trial", multipart=multipart)
    assert (answer["accepted"], answer["changed"], docroot["kms_key_id"]) == (True, False, KEY)
    answer, docroot = try_upload(ceph, "media/trial", kms_key_id=MISSING_KEY, multipart=multipart)
    assert (answer["accepted"], answer["changed"]) == (False, False), docroot
    assert ceph.client().list_objects_v2(Bucket="media", Prefix="trial/")["KeyCount"] == 0


def test_a_policy_of_the_bucket_refuses_a_trial_upload(ceph: Gateway) -> None:
    """Who may upload with one key alone is refused with another, and told the statement for more."""
    everything = ["arn:aws:s3:::media", "arn:aws:s3:::media/*"]
    ceph.let_in("media", {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": everything})
    answer, docroot = try_upload(ceph, "media/policy", "uploader")
    assert (answer["accepted"], docroot["reason"]) == (False, "denied")
    statement = json.loads(docroot["statement"])
    assert statement["Resource"] == "arn:aws:s3:::media/policy/*"
    ceph.let_in("media", {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": everything}, statement)
    answer, docroot = try_upload(ceph, "media/policy", "uploader")
    # It may look at what it owns, and not delete it.
    assert (answer["accepted"], answer["changed"], docroot["left_reason"]) == (True, True, "denied"), docroot
    with contextlib.suppress(ClientError):
        ceph.client().delete_object(Bucket="media", Key=docroot["key"])
