"""A running S3 for the tests of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aws import Aws, running_aws

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    """Give a running server."""
    with running_aws() as server:
        yield server
