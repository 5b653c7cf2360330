"""The matrix of ways to run our modules: where a task stands, what the host is like, and which ansible-core runs it.

Two of them are tried together at least once, by default; with the variable MATRIX=whole, all three.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from aspera_roots import KEY
from ssh_server import ASKED, BOUND, IN_CSH, PASSWORD, RESTRICTED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONTROLLERS = ("newest", "2.19", "2.18", "oldest")

TRAPD, ROLE = "aspera_ops.sse.aspera_trapd_sse", "aspera_ops.sse.aspera_sse"
SETTING = {"server_side_encryption": "AWS_KMS", "kms_key_id": KEY}
ROOT = {"aspera_root": "{{ aspera_sse_root }}"}
#: A task is delegated from a host of this name, and the name of the other.
TWIN = "for-"

Play = dict[str, object]


def play(*tasks: dict[str, object], **keywords: object) -> Play:
    """Return a play on all hosts."""
    return {"hosts": "aspera", "gather_facts": False, **keywords, "tasks": [{"name": "Try", **task} for task in tasks]}


#: Where a task stands: a play that sets the encryption of all uploads. An ad hoc command has none.
PLACES: dict[str, Play | None] = {
    "task": play({TRAPD: {**ROOT, **SETTING}}),
    "role": play(roles=[ROLE]),
    "role in a block": play({"block": [{"ansible.builtin.import_role": {"name": ROLE}}]}),
    "include_role": play({"ansible.builtin.include_role": {"name": ROLE}}),
    "ad hoc": None,
    # Its names are searched in its own collection.
    "import from another collection": play(roles=["example.site.server"]),
    "module_defaults": play(
        {"aspera_trapd_sse": SETTING},
        collections=["aspera_ops.sse"],
        module_defaults={"group/aspera_ops.sse.sse": ROOT},
    ),
    "delegate_to": play(
        {
            TRAPD: {"aspera_root": "{{ hostvars[its_name].aspera_sse_root }}", **SETTING},
            "delegate_to": "{{ its_name }}",
            "vars": {"its_name": f"{{{{ inventory_hostname | replace('{TWIN}', '') }}}}"},
        },
        hosts="twins",
    ),
    "async": play({TRAPD: {**ROOT, **SETTING}, "async": 120, "poll": 1}),
}


class HostKind(NamedTuple):
    """What a host is like."""

    #: What Ansible knows of it.
    variables: dict[str, object]
    #: A part of the reason why no kept build is used, or None if one is.
    closed: str | None = None
    #: What is done to the host before: it happens where root's home and /var/cache are nobody else's.
    script: str = ""


BY_SUDO = {"ansible_become": True}
BY_PASSWORD = {**BY_SUDO, "ansible_become_password": PASSWORD}
NO_PLACE = "no folder on the host is both safe to keep it in and lets programs run"
#: Root keeps builds in its home or here.
NO_CACHE = "mount -t tmpfs -o ro none /var/cache; "

HOSTS: dict[str, HostKind] = {
    "fast": HostKind(BY_SUDO),
    "no home": HostKind(BY_SUDO, NO_PLACE, f"{NO_CACHE}umount /run/homes/root; rmdir /run/homes/root"),
    "noexec home": HostKind(BY_SUDO, NO_PLACE, f"{NO_CACHE}mount -o bind,remount,noexec /run/homes/root"),
    "full home": HostKind(
        BY_SUDO,
        NO_PLACE,
        f"{NO_CACHE}cd /run/homes; mount -t tmpfs -o size=16k,mode=700 x root; ! cat /dev/zero 2>/dev/null >root/full",
    ),
    "requiretty": HostKind(
        {**BY_SUDO, "ansible_user": BOUND},
        # Ansible's connection may miss any part of the output of sudo.
        "the command that runs a kept build did not work there|privilege escalation did not answer",
    ),
    "sudo with a password": HostKind({**BY_PASSWORD, "ansible_user": ASKED}),
    "su": HostKind({**BY_PASSWORD, "ansible_become_method": "su"}, "su carries no data to a command"),
    "doas": HostKind(
        {**BY_SUDO, "ansible_become_method": "community.general.doas"},
        "doas carries no data to a command",
        'mkdir "$1/etc"; echo permit nopass operator >"$1/etc/doas.conf"; '
        'mount -t overlay -o lowerdir="$1/etc:/etc" none /etc',
    ),
    "csh": HostKind({**BY_SUDO, "ansible_user": IN_CSH}, "the command that runs a kept build did not work there"),
    # It runs no program by its path, so Ansible must not name the shell by one.
    "restricted shell": HostKind({**BY_SUDO, "ansible_user": RESTRICTED, "ansible_shell_executable": "sh"}),
}


class Cell(NamedTuple):
    """One way."""

    controller: str
    place: str
    host: str


def whole() -> Iterator[Cell]:
    """Give all cells."""
    return (Cell(controller, place, host) for place in PLACES for host in HOSTS for controller in CONTROLLERS)


def pairwise() -> Iterator[Cell]:
    """Give cells in which any two values of different axes meet: all hosts in all places, the controllers in turn."""
    for row, place in enumerate(PLACES):
        for column, host in enumerate(HOSTS):
            yield Cell(CONTROLLERS[(row + column) % len(CONTROLLERS)], place, host)


def chosen() -> set[Cell]:
    """Give the cells that are tried."""
    ways: dict[str, Callable[[], Iterator[Cell]]] = {"pairwise": pairwise, "whole": whole}
    return set(ways[os.environ.get("MATRIX", "pairwise")]())
