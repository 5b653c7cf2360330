# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which version of this collection runs."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VERSION = re.compile(r'^\s*"?version"?:\s*"?([^",\s]+)', re.MULTILINE)


def collection_version() -> str | None:
    """Return the version, of the collection as it is installed or as it lies in a work tree."""
    for name in ("MANIFEST.json", "galaxy.yml"):
        try:
            text = (ROOT / name).read_text(encoding="utf-8")
        except OSError:
            continue
        if found := VERSION.search(text):
            return found[1]
    return None
