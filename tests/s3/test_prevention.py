"""docs/prevent.md: with its default and its policy, only uploads with the right key arrive, whatever a server sets."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from aws import PROJECT
from botocore.exceptions import ClientError
from bucket_policy import denies_upload

if TYPE_CHECKING:
    from conftest import Aws

BUCKET = "prevented"


@pytest.fixture(scope="module")
def prevented(aws: Aws) -> Aws:
    """Make a bucket as the page has it."""
    page = (PROJECT / "docs/prevent.md").read_text(encoding="utf-8")
    texts = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    default, policy = (text.replace("KEY_ARN", aws.key).replace("BUCKET", BUCKET) for text in texts)
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration=json.loads(default))
    s3.put_bucket_policy(Bucket=BUCKET, Policy=policy)
    return aws


@pytest.mark.parametrize("multipart", [False, True])
def test_the_right_setting_goes_through(prevented: Aws, multipart: bool) -> None:
    """In one piece and in parts, as the trial on that page finds."""
    answer = prevented.try_upload(f"{BUCKET}/in", "admin", multipart=multipart)
    assert (answer["accepted"], answer["docroots"][0]["kms_key_id"]) == (True, prevented.key)


@pytest.mark.parametrize("multipart", [False, True])
@pytest.mark.parametrize("setting", ["AES256", "another key", "no key", "an alias of the key"])
def test_another_setting_is_denied(prevented: Aws, setting: str, multipart: bool) -> None:
    """Without the policy, each of them would arrive: the default says nothing about what asks for something."""
    key = {"another key": prevented.other_key, "an alias of the key": "alias/media"}.get(setting)
    options = {"server_side_encryption": "AES256" if setting == "AES256" else "AWS_KMS", "kms_key_id": key}
    answer = prevented.try_upload(f"{BUCKET}/in", "admin", multipart=multipart, **options)
    assert (answer["accepted"], answer["docroots"][0]["reason"]) == (False, "denied")
    assert prevented.try_upload("media/in", "admin", multipart=multipart, **options)["accepted"] is True


def test_no_setting_gets_the_key_by_default(prevented: Aws) -> None:
    """In one piece and in parts; the audit of objects says that the default explains it."""
    s3 = prevented.client("s3")
    s3.put_object(Bucket=BUCKET, Key="unset/whole", Body=b"x")
    upload = {"Bucket": BUCKET, "Key": "unset/parts"}
    upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
    part = s3.upload_part(**upload, PartNumber=1, Body=b"x")
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    (docroot,) = prevented.ask(f"{BUCKET}/unset")["docroots"]
    assert docroot["bucket_default"]["kms_key_id"] == prevented.key
    whole = s3.head_object(Bucket=BUCKET, Key="unset/whole")
    assert (whole["ServerSideEncryption"], whole["SSEKMSKeyId"]) == ("aws:kms", prevented.key)


def test_a_key_of_a_customer_is_denied(prevented: Aws) -> None:
    """It asks for nothing that the other statements look at."""
    customer = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
    with pytest.raises(ClientError, match="AccessDenied"):
        prevented.client("s3").put_object(Bucket=BUCKET, Key="customer", Body=b"x", **customer)


def test_each_statement_is_needed(prevented: Aws) -> None:
    """Without it, one of the uploads that are denied goes through."""
    page = (PROJECT / "docs/prevent.md").read_text(encoding="utf-8")
    policy = json.loads(re.findall(r"```json\n(.*?)```", page, re.DOTALL)[1].replace("KEY_ARN", prevented.key))
    sse = "x-amz-server-side-encryption"
    uploads = [
        {sse: "AES256"},
        {sse: "aws:kms", f"{sse}-aws-kms-key-id": prevented.other_key},
        {sse: "aws:kms"},
        {f"{sse}-customer-algorithm": "AES256"},
    ]
    for number, statement in enumerate(policy["Statement"]):
        denied = [denies_upload({"Statement": [statement]}, "arn:aws:s3:::BUCKET/a", upload) for upload in uploads]
        assert denied == [other == number for other in range(len(uploads))], statement["Sid"]
