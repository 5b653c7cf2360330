"""The inventory of the example for fleets, with a stand-in for EC2: which servers, names, groups and keys there are."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from controllers import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from controllers import Controller

EXAMPLE = PROJECT / "examples/fleet"
KEYS = ("AWS_ACCESS_KEY_ID=testing", "AWS_SECRET_ACCESS_KEY=testing", "AWS_EC2_METADATA_DISABLED=true")
#: Makes servers, each given as region, state and tags.
MAKE = """
import boto3, json, sys
for region, state, tags in json.loads(sys.argv[1]):
    ec2 = boto3.client("ec2", region_name=region)
    image = ec2.describe_images()["Images"][0]
    tagged = [{"ResourceType": "instance", "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}]
    made = ec2.run_instances(ImageId=image["ImageId"], MinCount=1, MaxCount=1, TagSpecifications=tagged)
    if state == "stopped":
        ec2.stop_instances(InstanceIds=[made["Instances"][0]["InstanceId"]])
"""
SERVERS = [
    ("us-east-1", "running", {"Name": "us1", "Role": "aspera", "Environment": "prod", "Tenants": "acme globex"}),
    ("eu-central-1", "running", {"Name": "eu1", "Role": "aspera", "Tenants": "globex"}),
    ("eu-central-1", "running", {"Role": "aspera", "Environment": "test"}),
    ("eu-central-1", "stopped", {"Name": "off", "Role": "aspera"}),
    ("us-east-1", "running", {"Name": "database", "Role": "postgres"}),
    ("ap-south-1", "running", {"Name": "elsewhere", "Role": "aspera"}),
]


@contextmanager
def running_ec2(controller: Controller, folder: Path) -> Iterator[str]:
    """Run the stand-in for EC2, and give its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder / "moto.log"
    with log.open("wb") as opened:
        command = (controller.folder / "moto_server", "-H", "127.0.0.1", "-p", str(port))
        process = subprocess.Popen(command, stdout=opened, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < deadline:
            with socket.socket() as connection:
                if connection.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        else:
            pytest.fail(log.read_text(encoding="utf-8"))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def test_the_inventory_of_the_example(under_aws: Controller, folder: Path) -> None:
    """Running servers with the tag, by name or id, in groups by region and environment, with the keys of the region."""
    copy = folder / "fleet"
    shutil.copytree(EXAMPLE, copy)
    with running_ec2(under_aws, folder) as address:
        environment = (*KEYS, f"AWS_ENDPOINT_URL={address}")
        made = subprocess.run(
            (under_aws.folder / "python", "-c", MAKE, json.dumps(SERVERS)),
            env={**os.environ, **dict(variable.split("=", 1) for variable in environment)},
            check=False,
            capture_output=True,
            encoding="utf-8",
        )
        assert made.returncode == 0, made.stderr
        around = ("env", *environment)
        arguments = ("--inventory", copy / "aspera.aws_ec2.yml", "--list", "--output", folder / "list.json")
        screen = under_aws.run("ansible-inventory", *arguments, around=around)
    assert screen.exit_status == 0, screen.text
    listed = json.loads((folder / "list.json").read_text())
    variables = listed["_meta"]["hostvars"]
    (unnamed,) = [host for host in variables if host not in ("us1", "eu1")]
    assert re.fullmatch(r"i-[0-9a-f]{17}", unnamed)
    groups = {name: sorted(group["hosts"]) for name, group in listed.items() if group.get("hosts")}
    # The plugin puts all of them into a group of its own name, too.
    assert groups.pop("aws_ec2") == groups.pop("aspera") == sorted(variables)
    assert groups == {
        "region_us_east_1": ["us1"],
        "region_eu_central_1": sorted(["eu1", unnamed]),
        "environment_prod": ["us1"],
        "environment_unknown": ["eu1"],
        "environment_test": [unnamed],
    }
    assert {"region_us_east_1", "region_eu_central_1"} <= set(listed["aspera"]["children"])
    # Text of tags is marked as that of others.
    tenants = [one["__ansible_unsafe"] for one in variables["us1"]["tenants"]]
    assert (tenants, variables[unnamed]["tenants"]) == (["acme", "globex"], [])
    assert all(host["ansible_host"] == host["private_ip_address"] for host in variables.values())
    keys = {host: variables[host]["aspera_sse_system"]["kms_key_id"] for host in variables}
    assert keys == {"us1": "CHANGE_ME_KEY_ARN", "eu1": "CHANGE_ME_EU_KEY_ARN", unnamed: "CHANGE_ME_EU_KEY_ARN"}
