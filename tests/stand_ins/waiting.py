"""A test that waits until its process is ended: for tests/test_temporary.py, which names this file to pytest."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path


def test_that_waits() -> None:
    """Make a folder, say where it is, and wait."""
    folder = tempfile.mkdtemp()
    note = Path(os.environ["NOTE"])
    note.with_suffix(".new").write_text(folder, encoding="utf-8")
    note.with_suffix(".new").rename(note)
    while True:
        # Not pause: it does not end if the signal comes just before it.
        time.sleep(0.1)
