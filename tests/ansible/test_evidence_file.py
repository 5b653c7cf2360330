"""The names of files with evidence, and the keys of the sums in it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from controllers import PROJECT

sys.path.append(str(PROJECT / "target/collection"))
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.evidence_folder import file_name
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.evidence_key import EvidenceKey

if TYPE_CHECKING:
    from pathlib import Path


def test_names_of_files_are_as_different_as_the_hosts() -> None:
    """No two hosts share a file."""
    hosts = [
        "a",
        "a.json",
        "%61",
        "a/b",
        "a%2Fb",
        ".a",
        "%2Ea",
        "a" * 300,
        "a" * 301,
        "ä",
        "%C3%A4",
        "\ud800",
        "a~",
        "~",
    ]
    names = [file_name(host) for host in hosts]
    assert len(set(names)) == len(hosts)
    assert all(len(name) < 255 and "/" not in name and not name.startswith(".") for name in names)


def test_a_key_for_a_host_tells_nothing_of_others(folder: Path) -> None:
    """All differ, from the key itself and from its name too, and are the same each night."""
    key = EvidenceKey.of_file(folder / "a/key")
    secret = (folder / "a/key").read_text(encoding="ascii").strip()
    made = [secret, key.name, *(key.for_host(host) for host in ("", "a", "b", "name"))]
    assert len({text[:16] for text in made}) == len(made)
    again = EvidenceKey.of_file(folder / "a/key")
    assert (again.name, again.for_host("a")) == (key.name, key.for_host("a"))
    assert secret not in repr(key)
