"""A real sshd on loopback, with logins of its own, that leaves no trace on the machine.

sshd runs in its own mount and process namespaces. There, and only there, /etc/passwd and its companions hold logins,
sudo lets them become root, and root has another home. When the server ends, however it ends, the namespaces and all in
them are gone.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: May become anybody through sudo, and owns nothing.
LOGIN = "operator"
#: Owns an Aspera root of its own; nobody logs in as it. It has a password, for su.
OWNER = "aspera-owner"
#: Is asked by sudo for its password.
ASKED = "asked-operator"
#: Must have a terminal for sudo.
BOUND = "bound-operator"
#: Is greeted by a shell of another family.
IN_CSH = "csh-operator"
#: Lets others write into its home.
OPEN = "open-operator"
USER_IDS = {LOGIN: 64001, OWNER: 64002, ASKED: 64003, BOUND: 64004, IN_CSH: 64005, OPEN: 64006}
SHELLS = {ASKED: "/bin/bash", IN_CSH: "/bin/tcsh"}
PASSWORD = "DUMMY-PASSWORD"  # noqa: S105 A dummy.

#: Where the homes are on the server: nobody but root may write on the way there.
HOMES = Path("/run/homes")

CONFIGURATION = """\
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/login_key.pub
AllowUsers {logins}
AuthenticationMethods publickey
UsePAM no
# The folder of the keys lies below one that everybody may write to.
StrictModes no
PidFile none
Subsystem sftp internal-sftp
# Each session gets a line in the log.
LogLevel VERBOSE
# All hosts of a playbook are this one server.
MaxSessions 100
MaxStartups 100
"""

# $1 is the folder of the server, $2 sshd (which wants to be called by its full path).
START = """\
set -eu
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=755 tmpfs /var/cache
mkdir -m 755 /run/sshd /run/homes
ln -s /bin/bash /run/ksh
for home in "$1"/homes/*; do
    mkdir "/run/homes/${home##*/}"
    mount --bind "$home" "/run/homes/${home##*/}"
done
for file in passwd shadow group sudoers; do
    mount --bind "$1/$file" "/etc/$file"
done
exec "$2" -D -e -f "$1/sshd_config"
"""

SUDOERS = f"""\
Defaults secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
root ALL=(ALL:ALL) ALL
{LOGIN} ALL=(ALL:ALL) NOPASSWD: ALL
{ASKED} ALL=(ALL:ALL) ALL
{BOUND} ALL=(ALL:ALL) NOPASSWD: ALL
Defaults:{BOUND} requiretty
"""


@dataclass(frozen=True)
class SshServer:
    """A running server and what a client needs to log in."""

    folder: Path
    port: int

    @property
    def log(self) -> Path:
        """What the server tells of its sessions."""
        return self.folder / "sshd.log"

    @property
    def sessions(self) -> int:
        """How many sessions there were."""
        return self.log.read_text(encoding="utf-8", errors="replace").count("Starting session: ")

    def home(self, user: str) -> Path:
        """Return the home of a user as this machine sees it."""
        return self.folder / "homes" / user

    @property
    def inventory_variables(self) -> dict[str, object]:
        """What Ansible needs to know to log in."""
        return {
            "ansible_connection": "ssh",
            "ansible_host": "127.0.0.1",
            "ansible_port": self.port,
            "ansible_user": LOGIN,
            "ansible_ssh_private_key_file": str(self.folder / "login_key"),
            "ansible_ssh_common_args": f"-o UserKnownHostsFile={self.folder}/known_hosts -o StrictHostKeyChecking=yes",
            # Below the home of the login, as Ansible has it unless it is told otherwise.
            "ansible_remote_tmp": "~/.ansible/tmp",
            # That of root, whom the login becomes, would be on this machine.
            "ansible_async_dir": str(self.folder / "async"),
            # Only async needs a Python; named, so that no search for one is on the screen.
            "ansible_python_interpreter": "/usr/bin/python3",
        }


def _write_accounts(folder: Path) -> None:
    passwd = Path("/etc/passwd").read_text(encoding="utf-8")
    shadow = Path("/etc/shadow").read_text(encoding="utf-8")
    group = Path("/etc/group").read_text(encoding="utf-8")
    (folder / "homes").mkdir(mode=0o755)
    (folder / "homes/root").mkdir(mode=0o700)
    passwd = re.sub(r"^(root:.*?):[^:]*:[^:]*$", rf"\1:{HOMES}/root:/bin/sh", passwd, flags=re.MULTILINE)
    command = ["openssl", "passwd", "-6", "-stdin"]
    hashed = subprocess.run(command, input=PASSWORD, check=True, capture_output=True, encoding="ascii").stdout.strip()
    for name, number in USER_IDS.items():
        home = folder / "homes" / name
        home.mkdir()
        home.chmod(0o777 if name == OPEN else 0o700)
        shutil.chown(home, number, number)
        passwd += f"{name}:x:{number}:{number}::{HOMES}/{name}:{SHELLS.get(name, '/bin/sh')}\n"
        # With "*" no password is right; a locked account ("!") could not even use its key.
        shadow += f"{name}:{hashed if name in {OWNER, ASKED} else '*'}:19000:0:99999:7:::\n"
        group += f"{name}:x:{number}:\n"
    for name, text, mode in (
        ("passwd", passwd, 0o644),
        ("shadow", shadow, 0o600),
        ("group", group, 0o644),
        ("sudoers", SUDOERS, 0o440),
    ):
        file = folder / name
        file.touch(mode=0o600)
        file.write_text(text, encoding="utf-8")
        file.chmod(mode)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_it_answers(server: subprocess.Popen, port: int, log: Path) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                if connection.recv(4) == b"SSH-":
                    return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"sshd does not answer; its log says:\n{log.read_text(encoding='utf-8')}")


@contextmanager
def running_ssh_server(folder: Path) -> Iterator[SshServer]:
    """Start the server; it ends with the block, and also when this process is killed."""
    port = _free_port()
    for key in ("host_key", "login_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", folder / key], check=True)
    host_key = (folder / "host_key.pub").read_text(encoding="utf-8")
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key}", encoding="utf-8")
    _write_accounts(folder)
    configuration = CONFIGURATION.format(port=port, folder=folder, logins=" ".join((LOGIN, ASKED, BOUND, IN_CSH, OPEN)))
    (folder / "sshd_config").write_text(configuration, encoding="utf-8")

    sshd = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin")
    assert sshd, "sshd is missing: run `make test`, which installs it"
    running = SshServer(folder, port)
    command = ["setpriv", "--pdeathsig", "KILL"]
    command += ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    command += ["sh", "-c", START, "sh", str(folder), sshd]
    with running.log.open("wb") as log_file:
        server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log_file, stderr=log_file, start_new_session=True
        )
    try:
        _wait_until_it_answers(server, port, running.log)
        yield running
    finally:
        server.kill()
        server.wait()
