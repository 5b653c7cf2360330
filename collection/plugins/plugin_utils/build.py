# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The builds of a module that the collection brings, and which of them runs on a host."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

BINARIES = Path(__file__).resolve().parents[1] / "binaries"


class UnsupportedHostError(Exception):
    """There is no build for a host; the text is what `uname -sm` says there."""


@dataclass(frozen=True)
class Build:
    """A module, built for an architecture as `uname -m` names it."""

    module: str
    architecture: str
    sha256: str
    size: int

    @property
    def path(self) -> Path:
        """The binary. By this name no other module is found when Ansible goes its own way."""
        return BINARIES / f"{self.module}_{self.architecture}"

    @property
    def system(self) -> str:
        """What `uname -sm` says on a host where it runs."""
        return f"Linux {self.architecture}"

    @classmethod
    def all_of(cls, module: str) -> list[Build]:
        """List the builds of a module."""
        sums = (line.split() for line in (BINARIES / "SHA256SUMS").read_text(encoding="ascii").splitlines())
        prefix = f"{module}_"
        return [
            cls(module, name.removeprefix(prefix), sha256, (BINARIES / name).stat().st_size)
            for sha256, name in sums
            if name.startswith(prefix)
        ]


def build_for(system: str, builds: list[Build]) -> Build:
    """Find the build for a host by what `uname -sm` says there."""
    for build in builds:
        if build.system == system:
            return build
    raise UnsupportedHostError(system)
