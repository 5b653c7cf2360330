"""Measure the question for access keys beside the same request by a module of Ansible, which judges nothing."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ansible_modules import packed
from measure import median_cpu_seconds, peak_bytes
from objects import certificates
from tables import megabytes, milliseconds, table, times

PROJECT = Path(__file__).resolve().parents[1]
sys.path.append(str(PROJECT / "tests/node"))

from nodes import EXPECT, PASSWORD, USER, keys, lay_out, node  # noqa: E402

RUNS = 9
NUMBERS = (1_000, 10_000)
HEAD = ["access keys", "ours: CPU", "`uri`: CPU", "ours: peak", "`uri`: peak"]


def run(folder: Path) -> str:
    """Measure and return the report."""
    authority = certificates(folder)
    root = lay_out(folder)
    return table(HEAD, [row(folder, authority, root, number) for number in NUMBERS])


def row(folder: Path, authority: Path, root: Path, number: int) -> list[str]:
    """Measure both with a node that has so many access keys."""
    tls = {"certificate": str(folder / "server.pem"), "key": str(folder / "server.key")}
    with node(keys=keys(number), max_response_entries=2 * number, **tls) as url:
        commands = [ours(authority, root, url, number), uri(folder, authority, url)]
        our_cpu, its_cpu = (median_cpu_seconds(command, RUNS) for command in commands)
        peaks = [megabytes(peak_bytes(command)) for command in commands]
    compared = f"{milliseconds(its_cpu)} ({times(its_cpu / our_cpu)})"
    return [f"{number:,}", milliseconds(our_cpu), compared, *peaks]


def ours(authority: Path, root: Path, url: str, number: int) -> list[str | Path]:
    """Give the command that asks for all access keys and judges them."""
    options = {
        "aspera_root": str(root),
        "url": url,
        "username": USER,
        "password": PASSWORD,
        "ca_file": str(authority),
        "max_response_entries": 2 * number,
        "expect": EXPECT,
    }
    return [PROJECT / "library/aspera_access_keys_info", json.dumps(options)]


def uri(folder: Path, authority: Path, url: str) -> list[str | Path]:
    """Give the command that asks for them alone, as Ansible sends it to a host."""
    options = {
        "url": f"{url}/access_keys",
        "url_username": USER,
        "url_password": PASSWORD,
        "force_basic_auth": True,
        "ca_path": str(authority),
        "return_content": True,
    }
    return [sys.executable, packed("ansible.builtin.uri", options, folder)]
