"""`aspera_s3_trial_upload` writes to a server that checks signatures and policies."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from aws import PROJECT

if TYPE_CHECKING:
    from aws import Aws

NAME = ".aspera-sse-trial-"


def left_in(aws: Aws, bucket: str) -> list[str]:
    """Return the trial objects in a bucket, with all their versions, and the marks of deleted ones."""
    found = aws.client("s3").list_object_versions(Bucket=bucket)
    entries = found.get("Versions", []) + found.get("DeleteMarkers", [])
    return [entry["Key"] for entry in entries if NAME in entry["Key"]]


@pytest.mark.parametrize("multipart", [False, True])
@pytest.mark.parametrize("place", ["media/trial", "media-eu/trial", "odd/a%20b"])
def test_an_upload_goes_up_and_away(aws: Aws, place: str, multipart: bool) -> None:
    """In every region, in one piece and in parts, with the key that was asked for."""
    answer = aws.try_upload(place, "admin", multipart=multipart)
    (docroot,) = answer["docroots"]
    assert (answer["accepted"], answer["changed"]) == (True, False)
    assert (docroot["algorithm"], docroot["kms_key_id"], docroot["seen"]) == ("aws:kms", aws.key, True)
    assert (docroot["left"], docroot["identity"]) == (False, "docroot")
    if place.startswith("media/"):
        assert left_in(aws, "media") == []


def test_other_encryptions_are_tried_too(aws: Aws) -> None:
    """An alias is for AWS to look up, and AES256 needs no key."""
    assert aws.try_upload("media/trial", "admin", kms_key_id="alias/media")["accepted"] is True
    plain = aws.try_upload("media/trial", "admin", server_side_encryption="AES256", kms_key_id=None)
    assert (plain["accepted"], plain["docroots"][0]["algorithm"]) == (True, "AES256")


def test_in_a_bucket_with_versions_none_is_left(aws: Aws) -> None:
    """The version that was written is deleted, which leaves no mark of a deleted object."""
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="versions")
    s3.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
    for multipart in (False, True):
        answer = aws.try_upload("versions/in", "admin", multipart=multipart)
        assert (answer["accepted"], answer["changed"]) == (True, False)
    assert left_in(aws, "versions") == []


def test_an_identity_that_only_uploads_leaves_the_object_and_says_so(aws: Aws) -> None:
    """What S3 answers to the upload counts. The next run finds it, and does not touch it."""
    answer = aws.try_upload("shared/trial", "uploader")
    (docroot,) = answer["docroots"]
    assert (answer["accepted"], answer["changed"]) == (True, True)
    assert (docroot["seen"], docroot["left"], docroot["left_reason"]) == (False, True, "denied")
    assert left_in(aws, "shared") == [docroot["key"]]
    again = aws.try_upload("shared/trial", "admin")
    assert again["docroots"][0]["earlier_objects"] == 1
    assert left_in(aws, "shared") == [docroot["key"]]
    # Nor is it taken for an upload.
    listed = aws.ask("shared/trial")["docroots"][0]["listed"]
    assert (listed["keys"], listed["skipped"], listed["in_question"]) == (1, 1, 0)


@pytest.mark.parametrize("multipart", [False, True])
def test_an_identity_that_may_not_upload(aws: Aws, multipart: bool) -> None:
    """The statement to ask for is the one that is missing."""
    answer = aws.try_upload("media/trial", "auditor", multipart=multipart)
    (docroot,) = answer["docroots"]
    assert (answer["accepted"], answer["changed"], docroot["reason"]) == (False, False, "denied")
    statement = json.loads(docroot["statement"])
    user = aws.add_user({"Version": "2012-10-17", "Statement": [statement]})
    assert aws.try_upload("media/trial", user, multipart=multipart)["accepted"] is True


def test_the_documented_policy_is_enough(aws: Aws) -> None:
    """With it nothing is left."""
    page = (PROJECT / "docs/prove.md").read_text(encoding="utf-8")
    _, found = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    user = aws.add_user(json.loads(found.replace("BUCKET", "media")))
    for multipart in (False, True):
        answer = aws.try_upload("media/trial", user, multipart=multipart)
        assert (answer["accepted"], answer["changed"]) == (True, False)
