"""A folder for each test, which takes along what the test leaves in it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def folder_for_sandboxes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let all sandboxes of a test be made in one folder, and remove it."""
    with tempfile.TemporaryDirectory(prefix="aspera-sse-faults-") as folder:
        Path(folder).chmod(0o755)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield
        monkeypatch.undo()
