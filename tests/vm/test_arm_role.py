"""The role on a booted arm64 kernel, over SSH: BusyBox is the system there, and dropbear its server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import packages
import pytest
import roots
from booted import FORWARDED, BootedHost, forwarded, wait_for_sshd
from controllers import PROJECT
from guest import Guest
from initramfs import initramfs
from playing import ROLE, SETTINGS, play

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from controllers import Controller

pytestmark = pytest.mark.needs("ssh", "ssh-keygen")

SANDBOX = PROJECT / "examples/sandbox"
LIBRARIES = ("libc.so.6", "libcrypt.so.1", "libtomcrypt.so.1", "libtommath.so.1", "libgmp.so.10", "libz.so.1")

SCRIPT = f"""
ip link set lo up
{FORWARDED}
mkdir -p /dev/pts /etc/dropbear /usr/bin /var/cache && mount -t devpts devpts /dev/pts
chmod 755 /
chmod 700 /root /root/.ssh && chmod 600 /root/.ssh/authorized_keys
chmod 600 /opt/aspera/etc/aspera.conf
/usr/sbin/dropbear -R -F -E
"""

#: There is no init system in this guest, so trapd is not enabled.
WITHOUT_SERVICES = {**SETTINGS, "aspera_sse_skip": ["trapd"]}


def files() -> dict[str, bytes | Path]:
    """Return all that the guest has beside BusyBox: an Aspera root, and a server that lets root in."""
    folder = packages.root("dropbear", ("dropbear-bin",), arch="aarch64")
    libraries = folder / "usr/lib/aarch64-linux-gnu"
    placed: dict[str, bytes | Path] = {
        "usr/sbin/dropbear": packages.program(folder, "dropbear"),
        "lib/ld-linux-aarch64.so.1": libraries / "ld-linux-aarch64.so.1",
        **{f"lib/aarch64-linux-gnu/{name}": libraries / name for name in LIBRARIES},
        "etc/passwd": b"root:x:0:0:root:/root:/bin/sh\n",
        "etc/group": b"root:x:0:\n",
        "etc/shells": b"/bin/sh\n",
        "root/.ssh/authorized_keys": roots.key().with_suffix(".pub"),
    }
    for source in SANDBOX.rglob("*"):
        if source.is_file():
            placed[f"opt/aspera/{source.relative_to(SANDBOX)}"] = source
    return placed


@pytest.fixture(scope="module")
def arm() -> Iterator[BootedHost]:
    """Boot the guest."""
    kernel = packages.kernel(arch="aarch64")
    port, words = forwarded()
    start = initramfs(kernel, SCRIPT, modules=("virtio_net",), files=files())
    with Guest(kernel, start, words=words) as guest:
        wait_for_sshd(guest, port)
        yield BootedHost(guest, port)


def test_the_role(arm: BootedHost, installed: Controller) -> None:
    """The build for arm64 is kept and run; the second run finds nothing to do."""
    assert arm.ask("uname -m") == "aarch64"
    first = play(installed, arm, {"roles": [ROLE]}, **WITHOUT_SERVICES)
    assert (first.exit_status, first.recap["guest"]["changed"]) == (0, 2), first.text
    assert arm.ask("grep -c ^server-side-encryption=AWS_KMS /opt/aspera/etc/trapd/s3.properties") == "1"
    assert arm.ask("ls /root/.cache/aspera_ops.sse | wc -l") == "3"
    second = play(installed, arm, {"roles": [ROLE]}, **WITHOUT_SERVICES)
    assert (second.exit_status, second.recap["guest"]["changed"]) == (0, 0), second.text
