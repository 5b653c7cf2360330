"""What access keys say joins what the audit and the role know of a server, so that a cloud node can be compliant."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest
from aspera_roots import KEY
from controllers import PROJECT
from fleet import Fleet
from role_hosts import Hosts

sys.path.append(str(PROJECT / "tests/node"))
from nodes import CONF, PASSWORD, USER, node, storage

if TYPE_CHECKING:
    from pathlib import Path

    from controllers import Controller, Screen

#: The KMS key of these tests is in the region of that endpoint.
RIGHT = {"id": "ak_right", "storage": storage("AWS_KMS", KEY, endpoint="s3.us-east-1.amazonaws.com")}
WRONG = {"id": "ak_wrong", "storage": storage("AES256", None)}
LOCAL = {"id": "ak_local", "storage": {"type": "local", "path": "/data"}}
OF_USER = {"id": "ak_of_user"}
LOGIN = {"username": USER, "password": PASSWORD}
#: A user with a docroot of its own beside the one with access keys.
BOTH_KINDS = CONF.replace(
    "<users>",
    "<users><user><name>acme</name><file_system><access><paths><path><absolute>s3://s3.us-east-1.amazonaws.com/acme"
    f"?server-side-encryption=AWS_KMS&amp;server-side-encryption-aws-kms-key-id={KEY}</absolute></path></paths></access>"
    "</file_system></user>",
)
EXPECT = [{"server_side_encryption": "AWS_KMS", "kms_key_ids": [KEY]}]


@pytest.mark.parametrize(
    ("keys", "expect", "is_green", "says"),
    [
        ([RIGHT], EXPECT, True, "Compliant. Access keys: 1."),
        ([RIGHT, LOCAL], EXPECT, True, "Compliant. Access keys: 2."),
        ([RIGHT, WRONG], EXPECT, False, "access_key ak_wrong has AES256, not AWS_KMS with"),
        ([RIGHT, OF_USER], EXPECT, False, "access_key ak_of_user is not known to be as expected"),
        ([], EXPECT, False, "user xfer is not known to be as expected"),
        (
            [RIGHT, WRONG],
            [*EXPECT[:0], {"server_side_encryption": "AES256", "scopes": ["access_key ak_wrong"]}, *EXPECT],
            False,
            "user xfer is not known to be as expected",
        ),
    ],
)
def test_an_audit_of_a_cloud_node(
    installed: Controller, folder: Path, keys: list, expect: list, is_green: bool, says: str
) -> None:
    """The audit, its evidence and the report of it agree."""
    fleet = Fleet(installed, folder)
    with node(keys=keys) as url:
        root = fleet.add("cloud", aspera_sse_node_api={"url": url, **LOGIN}, aspera_sse_expect=expect)
        root.write_conf(BOTH_KINDS.encode())
        root.properties.write_text("s3service.https-only=true\n", encoding="utf-8")
        screen = fleet.audit("--extra-vars", '{"strict": true}')
    assert (screen.exit_status == 0) is is_green, screen.text
    assert says in screen.as_one_line
    assert PASSWORD not in screen.text
    found = fleet.found()["cloud"]
    assert PASSWORD not in json.dumps(found)
    assert set(found["answers"]) == {"aspera_sse_info", "aspera_access_keys_info"}
    assert found["answers"]["aspera_sse_info"]["values"]["compliant"] is None
    report = fleet.folder / "report"
    screen = fleet.play("aspera_ops.sse.report", "--extra-vars", json.dumps({"report_dir": str(report)}))
    (host,) = json.loads((report / "report.json").read_text(encoding="utf-8"))["hosts"]
    assert (host["state"] == "met") is is_green, host


def run_role(controller: Controller, folder: Path, keys: list[dict[str, Any]], **variables: Any) -> Screen:
    """Run the role on a cloud node with both kinds of users."""
    hosts = Hosts(folder, "cloud", version="4.3.1.100")
    hosts.roots["cloud"].write_conf(BOTH_KINDS.encode())
    hosts.roots["cloud"].properties.write_text("s3service.https-only=true\n", encoding="utf-8")
    docroots = [{"user": "acme", "server_side_encryption": "AWS_KMS", "kms_key_id": KEY}]
    with node(keys=keys) as url:
        api = {"url": url, **LOGIN, "server_side_encryption": "AWS_KMS", "kms_key_ids": [KEY]}
        return hosts.run(
            controller, "role.yml", aspera_sse_node_api=api, **{"aspera_sse_docroots": docroots, **variables}
        )


def test_the_role_fails_for_access_keys_that_differ(controller: Controller, folder: Path) -> None:
    """Once it has set what it sets."""
    screen = run_role(controller, folder, [RIGHT, WRONG])
    assert screen.recap["cloud"]["failed"] == 1, screen.text
    assert f"access_key ak_wrong has AES256, not AWS_KMS with {KEY}" in screen.as_one_line
    assert "ak_right" not in screen.as_one_line
    assert PASSWORD not in screen.text


def test_the_role_is_content_with_access_keys_that_are_as_expected(controller: Controller, folder: Path) -> None:
    """And asks for them each time, also where nothing changes."""
    screen = run_role(controller, folder, [RIGHT])
    assert screen.exit_status == 0, screen.text
    assert screen.recap["cloud"]["changed"] == 0
    assert re.search(r"TASK \[aspera_sse : Look at the access keys\]", screen.text)
    assert "ak_right" not in screen.as_one_line


def test_what_the_whole_server_has_is_expected_of_access_keys(controller: Controller, folder: Path) -> None:
    """If nothing else is. A storage that differs may be overruled by it, so that is reported, and is no failure."""
    system = {"server_side_encryption": "AWS_KMS", "kms_key_id": KEY}
    hosts = Hosts(folder, "cloud", version="4.3.1.100")
    hosts.roots["cloud"].write_conf(CONF.encode())
    hosts.roots["cloud"].properties.write_text("s3service.https-only=true\n", encoding="utf-8")
    with node(keys=[RIGHT, WRONG]) as url:
        api = {"url": url, **LOGIN}
        screen = hosts.run(controller, "role.yml", aspera_sse_system=system, aspera_sse_node_api=api)
    assert screen.exit_status == 0, screen.text
    said = "access_key ak_wrong is not known to be as expected: the storage of the access key and s3.properties have "
    assert f"{said}different settings" in screen.as_one_line


def test_a_node_that_does_not_answer_fails_the_role(controller: Controller, folder: Path) -> None:
    """What should have been read was not."""
    hosts = Hosts(folder, "cloud")
    api = {"url": "http://127.0.0.1:1", **LOGIN}
    system = {"server_side_encryption": "AES256"}
    screen = hosts.run(controller, "role.yml", aspera_sse_system=system, aspera_sse_node_api=api)
    assert screen.recap["cloud"]["failed"] == 1
    assert "http://127.0.0.1:1: The server refuses connections." in screen.as_one_line
