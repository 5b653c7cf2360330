"""The pages of the documentation, and where their links lead."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LINK = re.compile(r"\]\(([^)\s]+)\)")


def pages_of(folder: Path) -> list[Path]:
    """List the pages below a folder of this project, or of the collection."""
    return sorted(page for pattern in ("*.md", "docs/*.md", "roles/*/README.md") for page in folder.glob(pattern))


def broken_links(folder: Path) -> list[str]:
    """List the links that lead to no file and to no heading."""
    return [
        f"{page.relative_to(folder)}: {link}"
        for page in pages_of(folder)
        # Its links are made by antsibull-changelog, to anchors of its own.
        if page.name != "CHANGELOG.md"
        for link in LINK.findall(page.read_text(encoding="utf-8"))
        if not link.startswith("https://") and not leads_somewhere(page, link)
    ]


def leads_somewhere(page: Path, link: str) -> bool:
    """Say whether the target of a relative link exists."""
    path, _, heading = link.partition("#")
    target = page.parent / path if path else page
    return target.exists() and (not heading or heading in headings(target))


def headings(page: Path) -> set[str]:
    """List the anchors that a reader on the web makes of the headings of a page."""
    lines = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in lines}
