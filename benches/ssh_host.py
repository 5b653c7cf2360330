"""A host behind a real sshd on loopback, whose login owns Aspera roots and may use the Python of these benchmarks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from measure import descendants

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests/ansible"))

from aspera_roots import ENCRYPTION_TEMPLATE, KEY_TEMPLATE, AsperaRoot, shipped_properties
from ssh_server import LOGIN, USER_IDS, SshServer, running_ssh_server

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Where the server, and nobody else, sees this Python: the user's own folder may be closed to others.
PYTHON = Path("/run/python")
SHOW_PYTHON = 'mkdir -m 755 "$1" && mount --bind "$2" "$1"'


@dataclass(frozen=True)
class SshHost:
    """The host, and where its Python is."""

    server: SshServer
    folder: Path

    def inventory(self, port: int) -> dict:
        """Tell Ansible how to log in by a port."""
        variables = {
            **self.server.inventory_variables,
            "ansible_port": port,
            # The way may lead over another port; the key is that of the server.
            "ansible_ssh_common_args": (
                f"-o UserKnownHostsFile={self.server.folder}/known_hosts -o StrictHostKeyChecking=yes "
                f"-o HostKeyAlias=[127.0.0.1]:{self.server.port}"
            ),
            "ansible_python_interpreter": str(self.folder / "python/bin/python"),
        }
        return {"all": {"hosts": {"server": variables}}}

    def aspera_root(self, name: str, key: str) -> AsperaRoot:
        """Lay out a root in which the key is set, in s3.properties and in the docroot of the user acme."""
        settings = {
            ENCRYPTION_TEMPLATE: "server-side-encryption=AWS_KMS\n",
            KEY_TEMPLATE: f"server-side-encryption-aws-kms-key-id={key}\n",
        }
        properties = shipped_properties()
        for template, setting in settings.items():
            properties = properties.replace(template, setting)
        root = AsperaRoot.lay_out(self.folder / name, properties)
        conf = root.conf.read_text(encoding="utf-8")
        root.write_conf(conf.replace(f"{DOCROOT}<", docroot(key).replace("&", "&amp;") + "<").encode())
        for entry in [root.folder, *root.folder.rglob("*")]:
            shutil.chown(entry, USER_IDS[LOGIN], USER_IDS[LOGIN])
        return root


DOCROOT = "s3://DUMMYKEY:DUMMYSECRET@s3.amazonaws.com/acme-media/incoming"


def docroot(key: str) -> str:
    """Give the docroot of the user acme with a key."""
    return f"{DOCROOT}?server-side-encryption=AWS_KMS&server-side-encryption-aws-kms-key-id={key}"


@contextmanager
def ssh_host(folder: Path) -> Iterator[SshHost]:
    """Start the host below a folder that everybody may enter; it ends with the block."""
    own = folder / "h"
    (own / "sshd").mkdir(mode=0o755, parents=True)
    with running_ssh_server(own / "sshd") as server:
        # The first is the one that listens; one for each connection follows.
        sshd = next(one for one in descendants(os.getpid()) if Path(f"/proc/{one}/comm").read_text() == "sshd\n")
        enter = ["nsenter", "--target", str(sshd), "--mount", "sh", "-c", SHOW_PYTHON, "sh", PYTHON, sys.base_prefix]
        subprocess.run(enter, check=True)
        lay_out_python(own / "python")
        yield SshHost(server, own)


def lay_out_python(folder: Path) -> None:
    """Make a folder as `venv` makes it, with the packages of this Python."""
    program = PYTHON / f"bin/python{sysconfig.get_python_version()}"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin/python").symlink_to(program)
    (folder / "pyvenv.cfg").write_text(f"home = {program.parent}\ninclude-system-site-packages = false\n")
    (folder / "lib").symlink_to(Path(sys.prefix) / "lib")
