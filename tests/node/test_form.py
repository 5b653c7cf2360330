"""The stand-in for a node answers in the form of "IBM Aspera Node API" 4.4.6, by which the module reads a real one.

The schema says what that description says of `/info` and `/access_keys`: which fields there are, and of which types.
It is in our own words; the description itself is the vendor's.
"""

from __future__ import annotations

import base64
import http.client
import json
from typing import Any

import jsonschema
import pytest
from nodes import PASSWORD, USER, keys, node, storage


def strings(*names: str) -> dict[str, Any]:
    """Return fields that are texts."""
    return {name: {"type": "string"} for name in names}


def exactly(**fields: Any) -> dict[str, Any]:
    """Return the schema of an object without any other field."""
    return {"type": "object", "properties": fields, "additionalProperties": False}


STORAGE = {
    **exactly(
        **strings("type", "bucket", "endpoint", "container", "path", "storage_endpoint", "storage_class", "api"),
        **strings("server_side_encryption", "server_side_encryption_aws_kms_key_id"),
        max_segments_per_compose={"type": "integer"},
    ),
    "required": ["type"],
}
ACCESS_KEY = exactly(
    **strings("id", "root_file_id", "token_verification_key"),
    license=exactly(**strings("customer_id", "entitlement_id")),
    storage=STORAGE,
    configuration=exactly(transfer={"type": "object"}, server={"type": "object"}),
)
PAIRS = {"type": "array", "items": exactly(**strings("name", "value"))}
INFO = exactly(
    **strings("application", "version", "current_time", "license_expiration_date", "license_max_rate", "os"),
    **strings("aej_status", "async_reporting", "transfer_activity_reporting", "transfer_user", "docroot"),
    **strings("node_id", "cluster_id"),
    acls={"type": "array", "items": {"type": "string"}},
    access_key_configuration_capabilities={"type": "object"},
    capabilities=PAIRS,
    settings=PAIRS,
)
ERROR = exactly(error=exactly(code={"type": "integer"}, **strings("reason", "user_message")))


def get(url: str, path: str, password: str = PASSWORD) -> tuple[int, Any]:
    """Ask as the vendor describes it."""
    login = base64.b64encode(f"{USER}:{password}".encode()).decode()
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)
    connection.request("GET", path, headers={"Authorization": f"Basic {login}"})
    answer = connection.getresponse()
    found = json.load(answer)
    connection.close()
    return answer.status, found


@pytest.mark.parametrize("version", ["3.7.4.9", "4.4.6.1646"])
def test_answers_have_the_described_form(version: str) -> None:
    """And hold no secret."""
    local = {"id": "local", "storage": {"type": "local", "path": "/data"}}
    plain = {"id": "plain", "storage": storage(None, None, storage_class="STANDARD")}
    with node(keys=[*keys(2), local, plain], version=version) as url:
        assert get(url, "/info", "wrong")[0] == 401
        jsonschema.validate(get(url, "/info", "wrong")[1], ERROR)
        jsonschema.validate(get(url, "/info")[1], INFO)
        for query in ("", "?embed[]=storage"):
            status, listed = get(url, f"/access_keys{query}")
            assert status == 200
            jsonschema.validate(listed, {"type": "array", "items": ACCESS_KEY})
            assert "DUMMY" not in json.dumps(listed)
            has_storages = query or version > "3.8"
            assert all(("storage" in key) == bool(has_storages) for key in listed)
