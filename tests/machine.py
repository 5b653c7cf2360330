"""What a test can need of a machine, and how to get what a machine lacks."""

from __future__ import annotations

import functools
import os
import pwd
import shutil
import subprocess
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]

#: Many programs for administrators are only on the PATH of root.
PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/local/sbin:/usr/sbin:/sbin"

#: CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_SETGID, CAP_SETUID and CAP_SYS_CHROOT (linux/capability.h).
CAPABILITIES_OF_ROOT = (0, 1, 3, 6, 7, 18)

#: A root that can give files to others has at least as many users as POSIX asks for.
USERS_OF_ROOT = 65_536

NAMESPACES = ("unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "--kill-child")

#: A chroot that needs no root: the user is root in a user namespace.
CHROOT_AS_USER = ("unshare", "--user", "--map-root-user", "chroot")


@functools.cache
def lack(need: str) -> str | None:
    """Say how to get something that this machine lacks; return None if it is there.

    A need is one of the names below, or the name of a command.
    """
    special = {"root": _lack_of_root, "namespaces": _lack_of_namespaces, "chroot": _lack_of_chroot}
    special["own login"] = _lack_of_own_login
    if need in special:
        return special[need]()
    if shutil.which(need, path=PATH):
        return None
    return f"install the Debian package {packages_of(need)}, or what your system has for it"


def reason_to_skip(needs: tuple[str, ...]) -> str | None:
    """Name the first thing that a test needs and this machine lacks, and say how to get it."""
    for need in needs:
        if remedy := lack(need):
            return f"needs {need}: {remedy}"
    return None


def packages_of(*commands: str) -> str:
    """Name the Debian packages that bring commands."""
    command = [PROJECT / "scripts/require.sh", "--packages", *commands]
    return subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout.strip()


def chroot() -> tuple[str, ...]:
    """Return the command that changes the root folder, as root or in a user namespace."""
    return ("chroot",) if lack("root") is None else CHROOT_AS_USER


def _lack_of_root() -> str | None:
    if os.geteuid() != 0:
        return "run it as root"
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (effective,) = [int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapEff:")]
    if not all(effective >> capability & 1 for capability in CAPABILITIES_OF_ROOT):
        return "give this root the capabilities that containers have by default"
    users = Path("/proc/self/uid_map").read_text(encoding="ascii").splitlines()
    if sum(int(line.split()[2]) for line in users) < USERS_OF_ROOT:
        return "map all users into the user namespace of this root (subuid)"
    return None


def _lack_of_namespaces() -> str | None:
    if _works(*NAMESPACES, "true"):
        return None
    return "run it as root on a real or virtual machine, or in a privileged container"


def _lack_of_chroot() -> str | None:
    if lack("root") is None or _works(*CHROOT_AS_USER, "/", "true"):
        return None
    return "run it as root, or where users may create user namespaces"


def _lack_of_own_login() -> str | None:
    try:
        shell = pwd.getpwuid(os.geteuid()).pw_shell or "/bin/sh"
    except KeyError:
        return "run it as a user with an account on this machine"
    if _works(shell, "-c", "exit 0") and Path(shell).name not in {"false", "nologin"}:
        return None
    return f"run it as a user whose login shell runs commands, which {shell} does not"


def _works(*command: str) -> bool:
    try:
        finished = subprocess.run(command, check=False, capture_output=True, stdin=subprocess.DEVNULL)
    except OSError:
        return False
    return finished.returncode == 0
