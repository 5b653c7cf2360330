"""A server for S3, STS, IAM and KMS on loopback, over TLS: moto, and before it what AWS does and moto does not.

aws_front.py CERTIFICATE KEY: prints one line of JSON that says where it is and what is in it, and ends with its
standard input. moto checks signatures and policies.

AWS refuses another region than that of the bucket and names the right one; it gives AES256 to objects for which nothing
was asked, names keys by their ARN, does not describe objects with a customer's key, refuses clocks that are 15 minutes
off, and checks policies for the default encryption of a bucket, and the conditions in the policy of a bucket.
"""

from __future__ import annotations

import contextlib
import datetime
import http.client
import json
import os
import re
import ssl
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

os.environ["S3_IGNORE_SUBDOMAIN_BUCKETNAME"] = "true"

import boto3
from botocore.config import Config
from bucket_policy import denies_upload
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

REGIONS = {
    "media": "us-east-1",
    "media-eu": "eu-west-1",
    "shared": "us-east-1",
    "odd": "us-east-1",
    "large": "us-east-1",
}
SSE = "x-amz-server-side-encryption"
KEY = f"{SSE}-aws-kms-key-id"
LIST, GET, DEFAULT = "s3:ListBucket", "s3:GetObject", "s3:GetEncryptionConfiguration"
USERS = {
    "admin": ["*"],
    "auditor": [LIST, GET, DEFAULT],
    "uploader": [LIST, "s3:PutObject"],
    "reader": [LIST, GET],
    "nobody": [],
}
#: AWS allows 15 minutes.
SKEW = datetime.timedelta(minutes=15)

Headers = list[tuple[str, str]]


class Front:
    """What stands before moto."""

    def __init__(self) -> None:
        """Begin with moto as it is."""
        self.moto = DomainDispatcherApplication(create_backend_app)
        self.arns: dict[str, str] = {}
        self.with_customer_key: set[str] = set()
        #: The access keys that may not read the default encryption of a bucket.
        self.denied_default: set[str] = set()
        #: The policies of buckets, which moto does not get.
        self.policies: dict[str, dict] = {}
        self.is_set_up = False

    def __call__(self, environ: dict, start: Callable) -> Iterable[bytes]:
        """Answer a request."""
        scope = re.search(r"Credential=([^/]+)/\d+/([^/]+)/s3/", environ.get("HTTP_AUTHORIZATION", ""))
        path = environ["PATH_INFO"]
        bucket, _, key = path.lstrip("/").partition("/")
        if not scope or not self.is_set_up:
            return self.moto(environ, start)
        is_head = environ["REQUEST_METHOD"] == "HEAD"

        def refuse(status: str, code: str, extra: str = "", headers: Headers | None = None) -> list[bytes]:
            body = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>m</Message>{extra}</Error>'.encode()
            body = b"" if is_head else body
            length = ("Content-Length", str(len(body)))
            # A client that is still sending when the connection ends would not see the answer.
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            start(status, [("Content-Type", "application/xml"), length, *(headers or [])])
            return [body]

        if self.is_skewed(environ):
            return refuse("403 Forbidden", "RequestTimeTooSkewed")
        region = REGIONS.get(bucket)
        if region and scope[2] != region:
            extra = f"<Region>{region}</Region>"
            return refuse("400 Bad Request", "AuthorizationHeaderMalformed", extra, [("x-amz-bucket-region", region)])
        if is_head and (environ.get("HTTP_X_AMZ_SERVER_SIDE_ENCRYPTION") or path in self.with_customer_key):
            return refuse("400 Bad Request", "InvalidRequest")
        if environ["REQUEST_METHOD"] == "PUT" and "HTTP_X_AMZ_SERVER_SIDE_ENCRYPTION_CUSTOMER_ALGORITHM" in environ:
            self.with_customer_key.add(path)
        if environ["QUERY_STRING"].startswith("encryption") and scope[1] in self.denied_default:
            return refuse("403 Forbidden", "AccessDenied")
        if environ["QUERY_STRING"] == "policy":
            self.policies[bucket] = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
            start("204 No Content", [])
            return []
        if key and environ["REQUEST_METHOD"] in ("PUT", "POST") and self.is_denied(bucket, key, environ):
            return refuse("403 Forbidden", "AccessDenied")

        def as_aws(status: str, headers: Headers, *rest: object) -> object:
            names = {name.lower() for name, _ in headers}
            if key and status.startswith("200") and environ["REQUEST_METHOD"] in ("HEAD", "PUT") and SSE not in names:
                headers = [*headers, (SSE, "AES256")]
            headers = [(name, self.arns.get(value, value) if name.lower() == KEY else value) for name, value in headers]
            return start(status, headers, *rest)

        return self.moto(environ, as_aws)

    def is_denied(self, bucket: str, key: str, environ: dict) -> bool:
        """Return whether the policy of a bucket denies an upload, or a part of one."""
        policy = self.policies.get(bucket, {"Statement": []})
        names = {name: name.removeprefix("HTTP_").replace("_", "-").lower() for name in environ}
        headers = {names[name]: value for name, value in environ.items() if name.startswith("HTTP_")}
        return denies_upload(policy, f"arn:aws:s3:::{bucket}/{key}", headers)

    def is_skewed(self, environ: dict) -> bool:
        """Return whether the clock of the client is too far off."""
        with contextlib.suppress(ValueError):
            stamp = datetime.datetime.strptime(environ.get("HTTP_X_AMZ_DATE", ""), "%Y%m%dT%H%M%SZ")
            stamp = stamp.replace(tzinfo=datetime.timezone.utc)
            return abs(datetime.datetime.now(datetime.timezone.utc) - stamp) > SKEW
        return False


def fill(front: Front, url: str, authority: str) -> dict:
    """Make users, a role, keys, buckets and objects, and say what there is."""

    def client(service: str, keys: tuple[str, ...] = ("x", "x"), region: str = "us-east-1") -> object:
        names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
        settings = Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"})
        keys = dict(zip(names, keys, strict=False))
        return boto3.client(service, endpoint_url=url, region_name=region, verify=authority, config=settings, **keys)

    def policy(actions: list[str]) -> str:
        statements = [{"Effect": "Allow", "Action": actions, "Resource": "*"}] if actions else []
        return json.dumps({"Version": "2012-10-17", "Statement": statements})

    iam, users = client("iam"), {}
    for name, actions in USERS.items():
        iam.create_user(UserName=name)
        if actions:
            iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy([*actions, "sts:AssumeRole"]))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        users[name] = (key["AccessKeyId"], key["SecretAccessKey"])
        if DEFAULT not in actions and "*" not in actions:
            front.denied_default.add(key["AccessKeyId"])
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="auditor", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName="auditor", PolicyName="p", PolicyDocument=policy([LIST, GET, DEFAULT]))
    kms = client("kms")
    keys = [kms.create_key()["KeyMetadata"] for _ in range(2)]
    kms.create_alias(AliasName="alias/media", TargetKeyId=keys[0]["KeyId"])
    front.arns = dict.fromkeys((keys[0]["KeyId"], "alias/media"), keys[0]["Arn"])
    session = client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    users["session"] = tuple(session[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken"))

    right = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": keys[0]["Arn"]}
    alias = {**right, "SSEKMSKeyId": "alias/media", "BucketKeyEnabled": True}
    wrong = {**right, "SSEKMSKeyId": keys[1]["Arn"]}
    marked = {"Metadata": {"aspera.transfer": "true"}}
    objects: dict[str, dict[str, dict]] = {
        "media": {
            **{f"right/{n:03}": right for n in range(20)},
            **{"alias/a": alias, "alias/b": right, "mixed/a": right, "mixed/b": {}, "mixed/c": wrong},
            **{"plain/a": {}, "plain/b": {}, "customer/a": right},
            **{
                "skip/": {},
                "skip/a": right,
                "skip/b.partial": {},
                "skip/.aspera-segments/1": {},
                "skip/c_$folder$": {},
            },
            **{f"new/2026/11/{n}": right for n in range(3)},
            **{"new/2025/1": {}, "right": {}},
        },
        "media-eu": {"in/a": right, "in/b": right},
        "shared": {"in/ours": {**right, **marked}, "in/theirs": {}},
        "odd": dict.fromkeys(("a b+c", "ü/日本", "q?&=#%", "%2F", "../x", "{{ x }}", "tab\tend", "..", "a//b"), right),
        "large": {},
    }
    s3 = client("s3", users["admin"])
    for bucket, content in objects.items():
        region = REGIONS[bucket]
        place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        there = client("s3", users["admin"], region)
        there.create_bucket(Bucket=bucket, **place)
        for key, wanted in content.items():
            there.put_object(Bucket=bucket, Key=key, Body=b"x", **wanted)
    s3.put_object(Bucket="odd", Key="wrong/\x1b[31m\u202e", Body=b"x")
    for number in range(12):
        s3.put_object(Bucket="large", Key=f"in/{number:05}", Body=b"", **right)
    s3.put_object(Bucket="media", Key="customer/b", Body=b"x", SSECustomerAlgorithm="AES256", SSECustomerKey="k" * 32)
    front.with_customer_key.add("/media/customer/b")
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": keys[0]["Arn"]}}
    s3.put_bucket_encryption(Bucket="shared", ServerSideEncryptionConfiguration={"Rules": [rule]})
    return {"url": url, "users": users, "role": role, "key": keys[0]["Arn"], "other_key": keys[1]["Arn"]}


def main() -> None:
    """Serve until the standard input ends."""
    certificate, key = sys.argv[1:]
    front = Front()
    server = make_server("127.0.0.1", 0, front, threaded=True, ssl_context=(certificate, key))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"https://127.0.0.1:{server.port}"
    authority = str(Path(certificate).with_name("ca.pem"))
    there_is = fill(front, url, authority)
    switch_on(url, authority)
    front.is_set_up = True
    print(json.dumps(there_is), flush=True)
    sys.stdin.read()


def switch_on(url: str, authority: str) -> None:
    """Have moto check signatures and policies, which it does not do from the start."""
    address = url.removeprefix("https://").partition(":")
    context = ssl.create_default_context(cafile=authority)
    connection = http.client.HTTPSConnection(address[0], int(address[2]), context=context)
    connection.request("POST", "/moto-api/reset-auth", b"0", {"Content-Type": "text/plain"})
    assert connection.getresponse().read()
    connection.close()


if __name__ == "__main__":
    main()
