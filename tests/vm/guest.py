"""A virtual machine: a kernel of Debian under QEMU, with an archive to start from, drives, and a serial line.

    files = {"m/aspera_trapd_sse": PROJECT / "library/aspera_trapd_sse"}
    start = initramfs(kernel, "mount -t ext4 /dev/vda /mnt; ...", modules=["ext4"], files=files)
    with Guest(kernel, start, drives=[drive(disk)]) as guest:
        guest.wait_for(r"ready", limit=30)
        print(guest.wait_for_end(limit=60))

QEMU emulates the processor (TCG), unless this machine shows by a boot that KVM works. `VM_ACCELERATOR=tcg|kvm`
overrules that.
"""

from __future__ import annotations

import functools
import os
import platform
import re
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import packages
from initramfs import END, initramfs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packages import Kernel

PROBE_LIMIT = 15

#: The kind of machine, the processor that TCG emulates, and the serial line.
MACHINES = {"x86_64": ("pc", "max", "ttyS0"), "aarch64": ("virt", "cortex-a57", "ttyAMA0")}
PACKAGES = {"x86_64": packages.TOOLS, "aarch64": packages.TOOLS_FOR_ARM}


class GuestError(AssertionError):
    """A guest that did not do what was waited for; the text has the end of its output."""


class Guest:
    """A running virtual machine, from `with` to its end. It never outlives the block."""

    def __init__(
        self,
        kernel: Kernel,
        start: bytes,
        *,
        drives: Sequence[Sequence[str]] = (),
        memory: int = 512,
        append: str = "",
        words: Sequence[str] = (),
        accelerated_by: str | None = None,
    ) -> None:
        """Describe it.

        `start` comes from `initramfs()`, `memory` is in MiB, `append` is for the kernel, `words` are more for QEMU.
        """
        self.kernel = kernel
        self.start = start
        self.drives = drives
        self.memory = memory
        self.append = append
        self.words = words
        self.accelerated_by = accelerated_by or accelerator(kernel.arch)

    def __enter__(self) -> Guest:
        """Switch it on."""
        self.folder = tempfile.TemporaryDirectory(prefix="aspera-sse-vm-")
        folder = Path(self.folder.name)
        (folder / "initramfs").write_bytes(self.start)
        self.log = folder / "serial"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                self.command(folder / "initramfs"),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "QEMU_MODULE_DIR": str(_modules_of_qemu(self.kernel.arch))},
            )
        return self

    def __exit__(self, *_: object) -> None:
        """Switch it off."""
        self.process.kill()
        self.process.wait()
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        self.folder.cleanup()

    @property
    def output(self) -> str:
        """What the guest has written to its serial line so far."""
        return self.log.read_text(encoding="utf-8", errors="replace").replace("\r\n", "\n")

    def send(self, line: str) -> None:
        """Write a line to the serial line of the guest."""
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def wait_for(self, pattern: str, limit: float) -> re.Match[str]:
        """Wait until the output has a match; `limit` is in seconds."""
        until = time.monotonic() + limit
        while True:
            has_ended = self.process.poll() is not None
            if found := re.search(pattern, self.output, re.MULTILINE):
                return found
            if has_ended:
                raise GuestError(f"The guest ended before {pattern!r}:\n{self.output[-3000:]}")
            if time.monotonic() > until:
                raise GuestError(f"The guest did not come to {pattern!r} in {limit} s:\n{self.output[-3000:]}")
            time.sleep(0.05)

    def wait_for_end(self, limit: float) -> str:
        """Wait until the script has ended and the machine is off; return the whole output."""
        self.wait_for(f"^{END}", limit)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired as error:
            raise GuestError(f"The guest did not switch itself off:\n{self.output[-3000:]}") from error
        return self.output

    def command(self, start: Path) -> list[str]:
        """Return the command line of QEMU."""
        arch = self.kernel.arch
        machine, processor, line = MACHINES[arch]
        is_native = self.accelerated_by == "kvm"
        quiet = f"console={line} panic=-1 quiet loglevel=4 mitigations=off"
        tools = packages.root(f"tools-{PACKAGES[arch][0]}", PACKAGES[arch], arch=platform.machine())
        return [
            *packages.tool(f"qemu-system-{arch}", packages=PACKAGES[arch]),
            *(word for name in ("qemu", "seabios") for word in ("-L", str(tools / "usr/share" / name))),
            *("-M", f"{machine},accel={self.accelerated_by}", "-cpu", "host" if is_native else processor),
            *("-m", str(self.memory), "-smp", "1", "-nodefaults", "-no-user-config", "-display", "none"),
            *("-serial", "stdio", "-no-reboot", "-kernel", str(self.kernel.image), "-initrd", str(start)),
            *("-append", f"{quiet} {self.append}"),
            *(word for drive in self.drives for word in drive),
            *self.words,
        ]


def drive(path: Path, name: str = "drive") -> list[str]:
    """Return the words for a drive of a raw image; what a guest writes is in it when QEMU has ended."""
    image = f"file={path},format=raw,if=none,id={name},cache=unsafe,discard=unmap"
    return ["-drive", image, "-device", f"virtio-blk-pci,drive={name}"]


def logged_drive(path: Path, log: Path) -> list[str]:
    """Return the words for a drive of which QEMU writes down each write and each flush, as dm-log-writes does."""
    return [
        *("-blockdev", f"driver=file,filename={path},node-name=disk"),
        *("-blockdev", f"driver=file,filename={log},node-name=log"),
        *("-blockdev", "driver=blklogwrites,node-name=logged,file=disk,log=log,log-sector-size=512"),
        *("-device", "virtio-blk-pci,drive=logged,num-queues=1,write-cache=on"),
    ]


@functools.cache
def accelerator(arch: str) -> str:
    """Return `kvm` where a guest boots with it, else `tcg`.

    A /dev/kvm that opens is not enough: in some clouds no kernel gets to its first line.
    """
    if chosen := os.environ.get("VM_ACCELERATOR"):
        return chosen
    by_hardware = any(Path("/sys/module", name).exists() for name in ("kvm_intel", "kvm_amd")) or arch == "aarch64"
    if arch != platform.machine() or not by_hardware or not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    kernel = packages.kernel(arch=arch)
    with Guest(kernel, initramfs(kernel, ""), accelerated_by="kvm") as probe:
        try:
            probe.wait_for_end(PROBE_LIMIT)
        except GuestError:
            return "tcg"
    return "kvm"


def _modules_of_qemu(arch: str) -> Path:
    host = platform.machine()
    folder = packages.root(f"tools-{PACKAGES[arch][0]}", PACKAGES[arch], arch=host)
    return folder / f"usr/lib/{host}-linux-gnu/qemu"
