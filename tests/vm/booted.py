"""A Debian system that has booted in a virtual machine, and is reached over its own sshd.

    with booted(SYSTEMD) as host:
        host.run("systemctl is-active asperatrapd")

The network is QEMU's own: a port of loopback leads to the guest's sshd, and nothing leads out of the guest.
"""

from __future__ import annotations

import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import packages
import roots
from guest import Guest, GuestError
from initramfs import initramfs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packages import Kernel
    from roots import Recipe

MODULES = ("virtio_net", "ext4", "crc32c_generic")

#: Brings up the network to which a port of this machine leads.
FORWARDED = "ip address add 10.0.2.15/24 dev eth0 && ip link set eth0 up"

#: The kernel has all that the system needs when that takes over: modules, the network, the root folder.
TAKE_OVER = f"""
ip link set lo up
{FORWARDED}
mount -t ext4 /dev/vda /mnt
mount --move /proc /mnt/proc
mount --move /sys /mnt/sys
mount --move /dev /mnt/dev
exec switch_root /mnt /sbin/init
"""

SECONDS_TO_BOOT = 240

#: On a busy machine an emulated timer may be too late for the test of the kernel, which panics then.
APPEND = {"x86_64": "no_timer_check tsc=reliable", "aarch64": ""}

CLIENT_OPTIONS = (
    "-F none -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "
    "-o ServerAliveInterval=30 -o ServerAliveCountMax=10 -o ConnectTimeout=60"
)


@dataclass(frozen=True)
class Done:
    """What a command on the host printed, and how it ended."""

    status: int
    output: str


@dataclass(frozen=True)
class BootedHost:
    """A system that answers to SSH."""

    guest: Guest
    port: int

    def run(self, command: str, user: str = "root", *, data: bytes = b"", limit: float = 300) -> Done:
        """Run a command of a shell on the host with data as its input, and return what it printed."""
        ssh = ["ssh", *CLIENT_OPTIONS.split(), "-i", roots.key(), "-p", str(self.port), f"{user}@127.0.0.1", command]
        done = subprocess.run(
            ssh,
            check=False,
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=limit,
        )
        return Done(done.returncode, done.stdout.decode(errors="replace"))

    def ask(self, command: str, user: str = "root", *, limit: float = 300) -> str:
        """Run a command that must succeed, and return what it printed, without the end of the last line."""
        done = self.run(command, user, limit=limit)
        assert done.status == 0, f"{command!r} ended with {done.status}: {done.output}"
        return done.output.rstrip("\n")

    def put(self, path: str, content: bytes, mode: str = "755") -> None:
        """Write a file on the host."""
        done = self.run(f"cat >{path} && chmod {mode} {path}", data=content)
        assert done.status == 0, f"{path} could not be written: {done.output}"

    def wait_for(self, command: str, *, limit: float = 60) -> None:
        """Wait until a command succeeds."""
        until = time.monotonic() + limit
        while (done := self.run(command)).status != 0:
            assert time.monotonic() < until, f"{command!r} did not succeed in {limit} s: {done.output}"
            time.sleep(0.2)

    @property
    def inventory_variables(self) -> dict[str, object]:
        """What Ansible needs to know to log in."""
        return {
            "ansible_connection": "ssh",
            "ansible_host": "127.0.0.1",
            "ansible_port": self.port,
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(roots.key()),
            "ansible_ssh_common_args": CLIENT_OPTIONS,
            # As Ansible has it by default; the tests have set another.
            "ansible_remote_tmp": "~/.ansible/tmp",
            # Nothing on the host may be in Python.
            "ansible_python_interpreter": "/nonexistent",
        }


@contextmanager
def booted(
    recipe: Recipe, *, kernel: Kernel | None = None, append: str = "", memory: int = 1024
) -> Iterator[BootedHost]:
    """Boot a system; it ends with the block, and what it has written is gone."""
    kernel = kernel or packages.kernel()
    image = roots.image(recipe)
    port, words = forwarded()
    start = initramfs(kernel, TAKE_OVER, modules=MODULES)
    drive = ["-drive", f"file={image},format=raw,if=none,id=root,snapshot=on,cache=unsafe"]
    drive += ["-device", "virtio-blk-pci,drive=root"]
    with Guest(
        kernel, start, drives=[drive], memory=memory, append=f"{APPEND[kernel.arch]} {append}", words=words
    ) as guest:
        wait_for_sshd(guest, port)
        yield BootedHost(guest, port)


def forwarded() -> tuple[int, list[str]]:
    """Return a port of loopback that leads to the sshd of a guest, and the words for its network."""
    port = _free_port()
    network = f"user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:22"
    return port, ["-netdev", network, "-device", "virtio-net-pci,netdev=net,romfile="]


def wait_for_sshd(guest: Guest, port: int) -> None:
    """Wait until a guest answers to SSH."""
    until = time.monotonic() + SECONDS_TO_BOOT
    while guest.process.poll() is None and time.monotonic() < until:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                if connection.recv(4) == b"SSH-":
                    return
        except OSError:
            pass
        time.sleep(0.2)
    raise GuestError(f"The guest does not answer to SSH:\n{guest.output[-3000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
