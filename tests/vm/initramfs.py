"""The first file system of a guest, in memory: BusyBox, modules of the kernel, and what the test brings."""

from __future__ import annotations

import lzma
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import packages

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from packages import Kernel

#: What a guest needs to see its drives.
DRIVES = ("virtio_pci", "virtio_mmio", "virtio_blk")

#: The last line of a guest that ran its script.
END = "END OF THE SCRIPT"

INIT = f"""#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
for module in $(cat /modules/order); do insmod /modules/$module || echo "Could not load the module $module"; done
. /script.sh
echo "{END}"
reboot -f
"""

#: A script for a guest with a root image on its first drive: the init system in it takes over.
SWITCH_ROOT = """
mount -t ext4 /dev/vda /mnt || mount /dev/vda /mnt
for folder in proc sys dev; do mount --move /$folder /mnt/$folder; done
exec switch_root /mnt /sbin/init
"""


def initramfs(
    kernel: Kernel, script: str, *, modules: Iterable[str] = (), files: Mapping[str, bytes | Path] | None = None
) -> bytes:
    """Return the archive for a guest that runs a shell script and ends; `files` are executable, by their places."""
    archive = Archive()
    for folder in ("dev", "etc", "mnt", "proc", "root", "sys", "tmp"):
        archive.add(folder, b"", stat.S_IFDIR | 0o755)
    archive.add("dev/console", b"", stat.S_IFCHR | 0o600)
    archive.add("bin/busybox", packages.busybox(kernel.arch).read_bytes())
    archive.add("init", INIT.encode())
    archive.add("script.sh", script.encode())
    order = []
    for path in with_needs(kernel, [*DRIVES, *modules]):
        content = path.read_bytes()
        name = path.name
        if path.suffix == ".xz":
            content, name = lzma.decompress(content), path.stem
        archive.add(f"modules/{name}", content)
        order.append(name)
    archive.add("modules/order", "\n".join(order).encode())
    for place, content in (files or {}).items():
        archive.add(place, content.read_bytes() if isinstance(content, Path) else content)
    return archive.whole()


def with_needs(kernel: Kernel, names: Iterable[str]) -> list[Path]:
    """Return the files of modules in the order in which they can be loaded; what is built into the kernel has none."""
    listed = (kernel.modules / "modules.dep").read_text(encoding="ascii").splitlines()
    needs = {path: rest.split() for path, _, rest in (line.partition(":") for line in listed)}
    by_name = {Path(path).name.split(".ko")[0].replace("-", "_"): path for path in needs}
    order: list[str] = []

    def add(path: str) -> None:
        for need in needs[path]:
            add(need)
        if path not in order:
            order.append(path)

    for name in names:
        if path := by_name.get(name.replace("-", "_")):
            add(path)
    return [kernel.modules / path for path in order]


class Archive:
    """An archive in the form "newc" of cpio (the kernel's early-userspace/buffer-format.rst)."""

    def __init__(self) -> None:
        """Begin an empty one."""
        self.content = bytearray()
        self.names: set[str] = set()

    def add(self, name: str, content: bytes, mode: int = stat.S_IFREG | 0o755) -> None:
        """Add a file, after the folders above it."""
        for parent in [*Path(name).parents][-2::-1]:
            if str(parent) not in self.names:
                self.add(str(parent), b"", stat.S_IFDIR | 0o755)
        self.names.add(name)
        # /dev/console is the only device here.
        major, minor = (5, 1) if stat.S_ISCHR(mode) else (0, 0)
        raw = name.encode() + b"\0"
        numbers = (len(self.names), mode, 0, 0, 1, 0, len(content), 0, 0, major, minor, len(raw), 0)
        self.content += b"070701" + b"".join(b"%08X" % number for number in numbers) + raw
        self._pad()
        self.content += content
        self._pad()

    def whole(self) -> bytes:
        """Return the archive with its end."""
        self.add("TRAILER!!!", b"", 0)
        return bytes(self.content)

    def _pad(self) -> None:
        self.content += bytes(-len(self.content) % 4)
