# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to say where SELinux may be why a build does not run from a place on the host."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

#: What the host reports: the domain of the task, the label of the build or of its folder, and the place.
REPORTED = re.compile(r"([A-Za-z0-9_:.,-]{1,200}) ([A-Za-z0-9_:.,?-]{1,200}) (/[A-Za-z0-9/._@+-]{1,400})")

#: Has the host report so of a folder, where a policy is in force. The label is "?" where the domain may not see it.
QUESTION = """\
[ "$(cat /sys/fs/selinux/enforce 2>/dev/null)" != 1 ] || { \
label=$(LC_ALL=C ls -dZ %(folder)s 2>/dev/null) || label='?'; \
echo "aspera_ops.sse refused $(tr -d '\\0' </proc/self/attr/current) ${label%%%% *}" %(folder)s; }"""


@dataclass(frozen=True)
class Refusal:
    """A build that the policy lets a domain not run where it is kept."""

    domain: str
    label: str
    place: str

    @classmethod
    def read(cls, reported: str) -> Refusal | None:
        """Read a report. The host may be anybody's: anything of another form is none."""
        found = REPORTED.fullmatch(reported)
        return cls(*found.groups()) if found else None

    def __str__(self) -> str:
        """Say what is not allowed."""
        return f"SELinux does not let {self.domain} run a build in {self.place}, which gets the label {self.label}"

    @classmethod
    def question(cls, folder: str) -> str:
        """Give the command that asks about a folder."""
        return QUESTION % {"folder": shlex.quote(folder)}

    @property
    def remedy(self) -> str:
        """Say what an administrator can set."""
        return (
            f"Give the folder a type that {_type_of(self.domain)} may run, such as bin_t: semanage fcontext -a "
            f"-t bin_t '{self.place}(/.*)?' && restorecon -RF {self.place}; or name a folder that has one with "
            "aspera_sse_cache_folder."
        )

    @property
    def of_temporary_folder(self) -> str:
        """Say what stands in the way where even a build that was sent for one task does not start."""
        label = "a label that it may not see" if self.label == "?" else f"the label {self.label}"
        return (
            f"SELinux is in force on the host: the task runs in the domain {self.domain}, and {self.place} has "
            f"{label}. So name a folder with a label that this domain may run, or let the task become a role that may "
            "run it: with sudo, by ansible_become_flags, such as '-H -S -n -r sysadm_r -t sysadm_t'."
        )


def _type_of(context: str) -> str:
    """Return the type of a context, which is USER:ROLE:TYPE and perhaps a level."""
    parts = context.split(":")
    return parts[2] if len(parts) > 2 else context
