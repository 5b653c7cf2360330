"""Hosts that really boot, where nothing gets out of (molecule/hosts), for a program that runs beside them."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HOSTS = Path(__file__).resolve().parents[1] / "molecule/hosts"
#: With Python.
RECIPE = "systemd-252"
#: So many boot at once.
BATCH = 4
GROUPS = Path("/sys/fs/cgroup")
KEY = "/run/aspera-sse-hosts/key"
# The hosts are new each time, and in no other network.
OPTIONS = "-o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -o LogLevel=ERROR"
LOGIN = {
    "ansible_connection": "ssh",
    "ansible_user": "root",
    "ansible_ssh_private_key_file": KEY,
    "ansible_ssh_common_args": OPTIONS,
    "ansible_python_interpreter": "/usr/bin/python3",
}
# Timers would run programs in the middle of a measurement. The others hold inotify instances, of which the kernel
# gives all hosts together 128 (fs.inotify.max_user_instances), too few for twenty; systemctl asks systemd itself.
QUIET = "systemctl stop '*.timer' systemd-logind dbus.socket dbus"


def enclosed(command: Sequence[str | Path]) -> str:
    """Run a program where hosts can be booted, and give what it printed. With it, or with this process, hosts end."""
    # What is fetched for their root file system, they themselves could not reach.
    subprocess.run([HOSTS / "root.sh", RECIPE], check=True, stdout=subprocess.DEVNULL)
    prefix = f"aspera-sse-{os.getpid()}"
    try:
        return subprocess.run(
            ["setpriv", "--pdeathsig", "KILL", HOSTS / "enclosed.sh", *command],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env={**os.environ, "ASPERA_SSE_HOSTS": prefix},
            encoding="utf-8",
        ).stdout
    finally:
        # The processes are gone; what may be left are their empty control groups.
        for group in sorted(GROUPS.glob(f"**/{prefix}-*/**/"), reverse=True):
            with suppress(OSError):
                group.rmdir()


@contextmanager
def booted_hosts(count: int) -> Iterator[dict]:
    """Boot hosts, and give an inventory of them."""
    addresses = {f"bench{number:02}": f"10.77.0.{100 + number}" for number in range(1, count + 1)}

    def boot(name: str) -> None:
        subprocess.run([HOSTS / "up.sh", name, RECIPE, addresses[name]], check=True, stdout=subprocess.DEVNULL)
        quiet = ["ssh", "-i", KEY, *OPTIONS.split(), f"root@{addresses[name]}", QUIET]
        subprocess.run(quiet, check=True, stdin=subprocess.DEVNULL, capture_output=True)

    try:
        with ThreadPoolExecutor(BATCH) as batch:
            list(batch.map(boot, addresses))
        hosts = {name: {"ansible_host": address} for name, address in addresses.items()}
        yield {"all": {"hosts": hosts, "vars": LOGIN}}
    finally:
        for name in addresses:
            subprocess.run([HOSTS / "down.sh", name], check=False)
