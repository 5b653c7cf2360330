"""`aspera_s3_objects_info` asks a server that checks signatures and policies, and answers as AWS does."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from authority import make_authority
from aws import PROJECT
from servers import Metadata, Proxy, serving, tls_server

if TYPE_CHECKING:
    from pathlib import Path

    from aws import Aws


def reasons(answer: dict) -> dict[str, int]:
    """Return why a docroot is not known to be compliant, with the numbers of objects."""
    (docroot,) = answer["docroots"]
    return {one["reason"]: one["objects"] for one in docroot["unknown"]}


def test_objects_that_are_as_expected(aws: Aws) -> None:
    """Every one was looked at, with the identity of the docroot."""
    answer = aws.ask("media/right")
    (docroot,) = answer["docroots"]
    assert answer["compliant"] is True
    assert (docroot["identity"], docroot["region"], docroot["looked_at"]) == ("docroot", "us-east-1", 20)
    seen = {"algorithm": "aws:kms", "kms_key_id": aws.key, "objects": 20, "bucket_keys": 0}
    assert docroot["encryption"] == [seen]
    assert docroot["listed"] == {"keys": 20, "complete": True, "skipped": 0, "older": 0, "in_question": 20}
    assert docroot["requests"] == {"sent": 22, "repeated": 0}
    assert docroot["unknown"] == []
    assert abs(docroot["clock_ahead_seconds"]) <= 1


@pytest.mark.parametrize(
    ("place", "compliant", "unknown"),
    [
        ("media/mixed", False, {}),
        ("media/plain", False, {}),
        ("media/alias", True, {}),
        ("media/customer", None, {"customer_key": 1}),
        ("media/skip", True, {}),
        ("media/empty", None, {"no_objects": 0}),
        ("media-eu/in", True, {}),
        ("shared/in", None, {"perhaps_not_aspera": 1}),
        ("odd", False, {}),
        ("nowhere/in", None, {"no_bucket": 0}),
    ],
)
def test_the_objects_of_a_docroot(aws: Aws, place: str, compliant: bool | None, unknown: dict) -> None:
    """Each is judged by what S3 says of it."""
    answer = aws.ask(place)
    assert (answer["compliant"], reasons(answer)) == (compliant, unknown)


def test_the_newest_objects_that_differ_are_shown(aws: Aws) -> None:
    """With their encryption, and their keys escaped."""
    answer = aws.ask("media/mixed")
    shown = answer["docroots"][0]["otherwise"]
    assert {(one["key"], one["algorithm"], one["kms_key_id"]) for one in shown} == {
        ("b", "AES256", None),
        ("c", "aws:kms", aws.other_key),
    }
    (violation,) = answer["violations"]
    assert violation["where"] == "user xfer"
    (odd,) = aws.ask("odd")["docroots"][0]["otherwise"]
    assert odd["key"] == "wrong/\\u{1b}[31m\\u{202e}"
    (hidden,) = aws.ask("odd", show_keys=False)["docroots"][0]["otherwise"]
    assert hidden["key"] is None


def test_keys_of_every_kind_are_looked_at(aws: Aws) -> None:
    """Blanks, slashes, dots, percent signs and other scripts are signed and sent as they are."""
    docroot = aws.ask("odd")["docroots"][0]
    assert docroot["looked_at"] == 10
    answer = aws.ask("odd", keys=["a b+c", "ü/日本", "../x", "%2F", "..", "a//b", "q?&=#%"])
    assert (answer["compliant"], answer["docroots"][0]["looked_at"]) == (True, 7)


def test_limits_are_never_a_green(aws: Aws) -> None:
    """What was not listed, or not looked at, may differ."""
    listed = aws.ask("large/in", list_limit=10)
    assert (listed["compliant"], reasons(listed)) == (None, {"not_all_listed": 0})
    looked_at = aws.ask("large/in", head_limit=5)
    assert (looked_at["compliant"], reasons(looked_at)) == (None, {"not_all_looked_at": 7})
    assert aws.ask("large/in", head_limit=12)["compliant"] is True


def test_prefix_keys_and_since_narrow_the_question(aws: Aws) -> None:
    """The answer is about these objects alone, and says so."""
    assert aws.ask("media/new")["compliant"] is False
    by_prefix = aws.ask("media/new", prefix="2026/11/")
    assert (by_prefix["compliant"], by_prefix["docroots"][0]["judged"]) == (True, "prefix")
    by_key = aws.ask("media/new", keys=["2026/11/0"])
    assert (by_key["compliant"], by_key["docroots"][0]["judged"]) == (True, "keys")
    assert by_key["docroots"][0]["listed"] is None
    assert reasons(aws.ask("media/new", keys=["2026/11/0", "gone"])) == {"no_object": 1}
    since = aws.ask("media/right", since="2020-01-01")
    assert (since["compliant"], since["docroots"][0]["judged"]) == (True, "since")


@pytest.mark.parametrize(
    ("user", "compliant", "unknown"),
    [
        ("reader", True, {}),
        ("uploader", None, {"denied": 20}),
        ("nobody", None, {"denied": 0}),
        ("admin", True, {}),
    ],
)
def test_what_an_identity_may_see(aws: Aws, user: str, compliant: bool | None, unknown: dict) -> None:
    """What S3 denies is not known. The policy of servers that only upload does not let them look."""
    answer = aws.ask("media/right", user)
    assert (answer["compliant"], reasons(answer)) == (compliant, unknown)
    default = answer["docroots"][0]["bucket_default_reason"]
    expected = {"reader": "denied", "uploader": "denied", "nobody": None, "admin": "no_default"}
    assert default == expected[user]


def test_the_documented_policy_is_enough_and_none_of_it_too_much(aws: Aws) -> None:
    """The page says which permission is for what."""
    page = (PROJECT / "docs/prove.md").read_text(encoding="utf-8")
    found, _ = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    policy = json.loads(found.replace("BUCKET", "media"))
    user = aws.add_user(policy)
    answer = aws.ask("media/right", user)
    assert (answer["compliant"], reasons(answer)) == (True, {})
    assert reasons(aws.ask("shared/in", user)) == {"denied": 0}
    in_bucket, in_objects = policy["Statement"]
    for statements, denied in [([in_bucket], {"denied": 20}), ([in_objects], {"denied": 0})]:
        less = aws.ask("media/right", aws.add_user(policy | {"Statement": statements}))
        assert (less["compliant"], reasons(less)) == (None, denied)
    only_objects = aws.add_user(policy | {"Statement": [in_objects]})
    assert aws.ask("media/right", only_objects, keys=["000", "001"])["compliant"] is True


def test_a_denied_listing_leaves_keys_to_look_at(aws: Aws) -> None:
    """An upload-only identity is denied each object, too, and says so after the first few."""
    answer = aws.ask("media/right", "uploader", keys=[f"{number:03}" for number in range(20)])
    assert reasons(answer) == {"denied": 20}
    assert answer["docroots"][0]["requests"]["sent"] < 10


def test_a_second_identity_sees_what_the_first_may_not(aws: Aws) -> None:
    """That of the options comes after that of the docroot."""
    answer = aws.ask("media/right", "uploader", **aws.options("auditor"))
    assert (answer["compliant"], answer["docroots"][0]["identity"]) == (True, "options")
    answer = aws.ask("media/right", "auditor", **aws.options("nobody"))
    assert (answer["compliant"], answer["docroots"][0]["identity"]) == (True, "docroot")


def test_the_identity_that_sees_most_answers(aws: Aws) -> None:
    """A second one that sees nothing takes nothing away."""
    listed = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::media"}
    some = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::media/mixed/c"}
    user = aws.add_user({"Version": "2012-10-17", "Statement": [listed, some]})
    answer = aws.ask("media/mixed", user, **aws.options("nobody"))
    assert (answer["compliant"], reasons(answer)) == (False, {"denied": 2})
    assert answer["docroots"][0]["identity"] == "docroot"


def test_identities_come_in_their_order(aws: Aws) -> None:
    """Options, then the role of the instance, then the environment."""
    environment = aws.environment("auditor")
    answer = aws.ask("media/right", None, environment)
    assert (answer["compliant"], answer["docroots"][0]["identity"]) == (True, "environment")
    with serving(Metadata(tuple(aws.users["reader"]))) as address:
        here = {"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://{address}"}
        answer = aws.ask("media/right", None, environment | here)
        assert (answer["compliant"], answer["docroots"][0]["identity"]) == (True, "instance")
        answer = aws.ask("media/right", None, here, **aws.options("auditor"))
        assert answer["docroots"][0]["identity"] == "options"
    with serving(Metadata(None)) as address:
        here["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = f"http://{address}"
        answer = aws.ask("media/right", None, here)
        assert reasons(answer) == {"no_credentials": 0}
        assert "the instance has no role" in answer["docroots"][0]["unknown"][0]["why"]
        assert aws.ask("media/right", None, environment | here)["docroots"][0]["identity"] == "environment"


def test_the_metadata_service_is_asked_without_a_proxy_and_only_where_it_is_needed(aws: Aws) -> None:
    """Its region is that of the bucket, unless S3 says otherwise."""
    metadata, proxy = Metadata(tuple(aws.users["reader"]), "eu-west-1"), Proxy()
    with serving(metadata) as address, serving(proxy) as proxied:
        here = {"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://{address}"}
        here |= {"http_proxy": f"http://{proxied}", "all_proxy": f"http://{proxied}", "no_proxy": "127.0.0.1"}
        assert aws.ask("media/right", env=here)["compliant"] is True
        assert metadata.asked == []
        answer = aws.ask("media-eu/in", None, here)
        assert answer["compliant"] is True
        # The first one was right, so nothing was asked twice.
        assert answer["docroots"][0]["requests"]["sent"] == 4
        assert metadata.asked
        assert proxy.asked == []


def test_a_role_is_assumed(aws: Aws) -> None:
    """With the identity that would look otherwise."""
    sts = {"AWS_ENDPOINT_URL_STS": aws.url}
    answer = aws.ask("media/right", "uploader", sts, assume_role_arn=aws.role)
    docroot = answer["docroots"][0]
    assert (answer["compliant"], docroot["identity"], docroot["role_assumed"]) == (True, "docroot", True)
    wrong = aws.ask(
        "media/right", None, sts, access_key_id="AKIANOBODY", secret_access_key="x" * 40, assume_role_arn=aws.role
    )
    assert reasons(wrong) == {"role_not_assumed": 0}
    assert "STS refused it (InvalidClientTokenId)" in wrong["docroots"][0]["unknown"][0]["why"]


def test_sessions_count_with_their_token(aws: Aws) -> None:
    """Credentials that are wrong have their own reasons."""
    session = aws.options("session")
    wrong = {**aws.options("auditor"), "secret_access_key": "x" * 40}
    assert reasons(aws.ask("media/right", None, **wrong)) == {"wrong_secret": 0}
    assert reasons(aws.ask("media/right", None, **(wrong | {"access_key_id": "AKIANOBODY"}))) == {
        "unknown_access_key": 0
    }
    answer = aws.ask("media/right", None, **session)
    assert (answer["compliant"], answer["docroots"][0]["identity"]) == (True, "options")
    tampered = aws.ask("media/right", None, **(session | {"session_token": "tampered"}))
    assert set(reasons(tampered)) <= {"expired_token", "denied", "unknown_access_key"}
    assert tampered["compliant"] is None


def test_the_default_of_a_bucket_may_explain_what_is_seen(aws: Aws) -> None:
    """It is reported where the identity may read it."""
    docroot = aws.ask("shared/in", keys=["ours"])["docroots"][0]
    assert docroot["bucket_default"] == {"algorithm": "aws:kms", "kms_key_id": aws.key, "bucket_key": False}
    assert docroot["explained_by_bucket_default"] is True
    docroot = aws.ask("shared/in", "reader", keys=["ours"])["docroots"][0]
    assert (docroot["bucket_default"], docroot["bucket_default_reason"]) == (None, "denied")
    assert docroot["explained_by_bucket_default"] is None


def test_a_certificate_that_is_not_trusted_is_named(aws: Aws, tmp_path: Path) -> None:
    """By its issuer: a private authority and somebody who reads along look different then."""
    why = aws.ask("media/right", ca_file=None)["docroots"][0]["unknown"][0]["why"]
    assert '(issued by "Initech Test CA"): no trusted authority issued it' in why
    expired = make_authority(tmp_path, "Old CA", days=-1)
    with serving(tls_server(expired)) as address:
        answer = aws.ask("media/right", endpoint_url=f"https://{address}", ca_file=str(expired.authority))
    assert '(issued by "Old CA"): it is expired' in answer["docroots"][0]["unknown"][0]["why"]
    with serving(tls_server(aws.authority)) as address:
        answer = aws.ask("media/right", endpoint_url=f"https://{address.replace('127.0.0.1', '[::ffff:127.0.0.1]')}")
    assert "it is for another name" in answer["docroots"][0]["unknown"][0]["why"]
    assert answer["compliant"] is None


def test_tls_and_plain_http_are_not_mixed_up(aws: Aws) -> None:
    """No plain HTTP is tried where TLS fails."""
    with serving(Metadata(None)) as address:
        answer = aws.ask("media/right", endpoint_url=f"https://{address}")
        assert "no TLS connection could be made" in answer["docroots"][0]["unknown"][0]["why"]
    answer = aws.ask("media/right", endpoint_url=aws.url.replace("https", "http"))
    assert reasons(answer) == {"no_answer": 0}


def test_proxies_are_used_as_curl_does(aws: Aws) -> None:
    """By the scheme of the URL, with its password, and never for what no_proxy names."""
    proxy = Proxy()
    with serving(proxy) as address:
        assert aws.ask("media/right", env={"https_proxy": f"http://user:pass@{address}"})["compliant"] is True
        assert {asked for asked, _ in proxy.asked} == {f"CONNECT {aws.host}"}
        assert all(lines for _, lines in proxy.asked)
        proxy.asked.clear()
        assert aws.ask("media/right", env={"HTTP_PROXY": address, "http_proxy": address})["compliant"] is True
        environment = {"https_proxy": address, "no_proxy": "10.0.0.0/8,127.0.0.0/8"}
        assert aws.ask("media/right", env=environment)["compliant"] is True
        assert proxy.asked == []
    with serving(Proxy(is_open=False)) as address:
        answer = aws.ask("media/right", env={"https_proxy": address})
        assert "does not let the request through" in answer["docroots"][0]["unknown"][0]["why"]
    answer = aws.ask("media/right", env={"https_proxy": "socks5://127.0.0.1:1"})
    assert "is not http://HOST:PORT" in answer["docroots"][0]["unknown"][0]["why"]
