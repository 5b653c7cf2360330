"""The script that a person would write for the benchmark of objects: s3_with_boto3.py URL CA HEADS THREADS.

It lists a folder, looks at the newest objects and compares their encryption.
"""

import sys
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config

url, authority, heads, threads = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
key = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
s3 = boto3.client(
    "s3",
    endpoint_url=url,
    region_name="us-east-1",
    aws_access_key_id="AKIADUMMY",
    aws_secret_access_key="DUMMY",  # noqa: S106
    verify=authority,
    config=Config(s3={"addressing_style": "path"}, max_pool_connections=max(10, threads)),
)
objects = []
for page in s3.get_paginator("list_objects_v2").paginate(Bucket="media", Prefix="in/"):
    objects += page.get("Contents", [])
newest = sorted(objects, key=lambda one: one["LastModified"], reverse=True)[:heads]


def is_right(one: dict) -> bool:
    """Tell whether an object has the key."""
    head = s3.head_object(Bucket="media", Key=one["Key"])
    return head.get("ServerSideEncryption") == "aws:kms" and head.get("SSEKMSKeyId") == key


with ThreadPoolExecutor(threads) as pool:
    assert all(pool.map(is_right, newest))
