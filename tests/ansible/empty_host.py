"""A host where there is nothing but a module, its arguments and an Aspera root, with a log that is listened to."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from typing import TYPE_CHECKING

import machine
import pytest
from aspera_roots import AsperaRoot, shipped_properties
from controllers import PROJECT

if TYPE_CHECKING:
    from pathlib import Path


class EmptyHost:
    """A folder that is the whole file system to the modules in it."""

    def __init__(self, folder: Path) -> None:
        """Lay the folder out."""
        if reason := machine.reason_to_skip(("chroot",)):
            pytest.skip(reason)
        self.folder = folder
        self.aspera = AsperaRoot.lay_out(folder / "opt/aspera", shipped_properties())
        # The stand-ins for programs of Aspera are scripts, and there is no shell here.
        for name in ("ascp", "asuserdata"):
            (self.aspera.folder / "bin" / name).unlink()
        for module in [path for path in PROJECT.glob("library/aspera_*") if not path.suffix]:
            shutil.copy(module, folder)

    def run(self, module: str = "aspera_trapd_sse", as_user: str | None = None, **arguments: object) -> dict:
        """Run a module with nothing but its arguments, as root or another user, and return its answer."""
        (self.folder / "arguments").write_text(json.dumps(arguments), encoding="utf-8")
        # To find a user, chroot reads the accounts of the folder, which may be no files.
        identity = [f"--userspec={as_user}:{as_user}"] if as_user else []
        finished = subprocess.run(
            [*machine.chroot(), *identity, self.folder, f"/{module}", "/arguments"],
            check=False,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            encoding="ascii",
            timeout=30,
        )
        assert finished.stderr == ""
        blank, line = finished.stdout.rstrip("\n").split("\n")
        assert blank == ""
        return json.loads(line)

    def open_log(self) -> socket.socket:
        """Open the log of the host; `received` returns what is written to it."""
        (self.folder / "dev").mkdir()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        listener.bind(str(self.folder / "dev/log"))
        listener.setblocking(False)
        return listener


def received(log: socket.socket) -> list[str]:
    """Return the lines that were logged."""
    lines = []
    while True:
        try:
            lines.append(log.recv(65536).decode("utf-8"))
        except BlockingIOError:
            return lines
