"""The pages of the documentation lead somewhere, stay short, and quote messages that exist."""

from __future__ import annotations

import re

from controllers import PROJECT
from pages import broken_links, pages_of

#: What the main page, and every other one, may have in bytes.
BYTES_AT_MOST = {
    "README.md": 6_000,
    "CONTRIBUTING.md": 15_000,
    # Tables of what was measured.
    "docs/benchmarks.md": 22_000,
}
BYTES_OF_A_PAGE = 12_500
#: Where the messages of the table are written.
SOURCES = ("src/**/*.rs", "roles/**/*.yml", "roles/**/*.py", "collection/plugins/**/*.py")


def test_links_lead_somewhere() -> None:
    """Files and headings."""
    assert broken_links(PROJECT) == []


def test_pages_are_short() -> None:
    """Nobody reads a long one at night."""
    sizes = {page.relative_to(PROJECT).as_posix(): page.stat().st_size for page in pages_of(PROJECT)}
    del sizes["CHANGELOG.md"]
    assert {name: size for name, size in sizes.items() if size > BYTES_AT_MOST.get(name, BYTES_OF_A_PAGE)} == {}


def test_the_readme_names_each_module_and_playbook() -> None:
    """So does the page of the collection."""
    names = {path.stem for path in (PROJECT / "src/bin").glob("*.rs")}
    names |= {path.stem for path in (PROJECT / "playbooks").glob("*.yml")}
    for page in ("README.md", "collection/README.md"):
        text = (PROJECT / page).read_text(encoding="utf-8")
        assert {name for name in names if f"`{name}`" not in text} == set(), page


def test_troubleshooting_quotes_messages() -> None:
    """Each quoted part of a message is in the source that prints it, perhaps broken into lines."""
    page = (PROJECT / "docs/troubleshooting.md").read_text(encoding="utf-8")
    quotes = [line.split(" | ")[0].removeprefix("| ") for line in page.splitlines() if line.startswith("| ")]
    parts = [
        part.strip(" :,")
        for quote in quotes
        if quote not in ("message", "---") and not quote.startswith("`")
        for part in quote.split("...")
    ]
    assert parts
    texts = [path.read_text(encoding="utf-8") for pattern in SOURCES for path in sorted(PROJECT.glob(pattern))]
    source = re.sub(r"\s*\\\n\s*|\s+", " ", "\n".join(texts))
    assert [part for part in parts if part and part not in source] == []


def test_security_names_tests_that_exist() -> None:
    """Each sentence there has one."""
    page = (PROJECT / "docs/security.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:tests|src)/[^`]+)`", page)
    assert named
    assert [name for name in named if not (PROJECT / name).exists()] == []
