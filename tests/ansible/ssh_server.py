"""A real sshd on loopback that leaves no trace on the machine.

`running_ssh_server` needs root. Its sshd runs in its own mount and process namespaces. There, and only there,
/etc/passwd and its companions hold logins, sudo lets them become root, and root has another home. When the server ends,
however it ends, the namespaces and all in them are gone.

`running_own_ssh_server` needs no root: everybody may run an sshd on a high port that lets in nobody but oneself.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
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
#: Has a shell that runs no program by its path.
RESTRICTED = "restricted-operator"
USER_IDS = {LOGIN: 64001, OWNER: 64002, ASKED: 64003, BOUND: 64004, IN_CSH: 64005, OPEN: 64006, RESTRICTED: 64007}
SHELLS = {ASKED: "/bin/bash", IN_CSH: "/bin/tcsh", RESTRICTED: "/bin/rbash"}
PASSWORD = "DUMMY-PASSWORD"  # noqa: S105 A dummy.

#: What takes longer than this hangs.
SECONDS_AT_MOST = 600

#: Where the homes are on the server: nobody but root may write on the way there.
HOMES = Path("/run/homes")

#: The folder of sshd itself, where it confines the process that speaks with a client before the login.
PRIVILEGE_SEPARATION = Path("/run/sshd")

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
MaxSessions 400
MaxStartups 200:30:400
# On a busy machine a login may take its time.
LoginGraceTime 0
"""

#: Where a login finds its home, instead of that of the person who runs the tests.
OWN_HOME = "SetEnv HOME={folder}/home\n"

#: Nothing of the person's own ssh is used, and a server that is slow to answer is not given up.
CLIENT_OPTIONS = (
    "-F none -o UserKnownHostsFile={folder}/known_hosts -o StrictHostKeyChecking=yes "
    "-o ConnectionAttempts=10 -o ServerAliveInterval=30 -o ServerAliveCountMax=20"
)

# $1 is the folder of the server, $2 sshd (which wants to be called by its full path), $3 what else is done to the host.
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
eval "$3"
for file in passwd shadow group sudoers; do
    mount --bind "$1/$file" "/etc/$file"
done
exec "$2" -D -e -f "$1/sshd_config"
"""

SUDOERS = f"""\
Defaults secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
root ALL=(ALL:ALL) ALL
{LOGIN} ALL=(ALL:ALL) NOPASSWD: ALL
{IN_CSH} ALL=(ALL:ALL) NOPASSWD: ALL
{RESTRICTED} ALL=(ALL:ALL) NOPASSWD: ALL
{ASKED} ALL=(ALL:ALL) ALL
{BOUND} ALL=(ALL:ALL) NOPASSWD: ALL
Defaults:{BOUND} requiretty
"""


@dataclass(frozen=True)
class SshServer:
    """A running server and what a client needs to log in."""

    folder: Path
    port: int
    login: str = LOGIN

    @property
    def log(self) -> Path:
        """What the server logs about its sessions."""
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
            "ansible_user": self.login,
            "ansible_ssh_private_key_file": str(self.folder / "login_key"),
            "ansible_ssh_common_args": CLIENT_OPTIONS.format(folder=self.folder),
            # Below the home of the login, as Ansible has it by default.
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
    # Whoever knows it becomes root with su.
    shadow = re.sub(r"^root:[^:]*", lambda _: f"root:{hashed}", shadow, flags=re.MULTILINE)
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


def _answers(server: subprocess.Popen, port: int) -> bool:
    """Wait until a server answers; it does not if it ends before, as where another has taken its port."""
    while server.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=SECONDS_AT_MOST) as connection:
                if connection.recv(4) == b"SSH-":
                    return server.poll() is None
        except OSError:
            time.sleep(0.05)
    return False


def _start(folder: Path, login: str, configuration: str, command: list[str]) -> tuple[SshServer, subprocess.Popen]:
    """Start sshd by a command on a port that is free; whoever takes the port in between is given another try."""
    for key in ("host_key", "login_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", folder / key], check=True)
    host_key = (folder / "host_key.pub").read_text(encoding="utf-8")
    for _ in range(10):
        port = _free_port()
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key}", encoding="utf-8")
        (folder / "sshd_config").write_text(configuration.format(port=port, folder=folder), encoding="utf-8")
        running = SshServer(folder, port, login)
        with running.log.open("wb") as log_file:
            server = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log_file, stderr=log_file, start_new_session=True
            )
        if _answers(server, port):
            return running, server
        server.wait()
    raise AssertionError(f"sshd does not answer; its log says:\n{running.log.read_text(encoding='utf-8')}")


def _sshd() -> str:
    sshd = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin")
    assert sshd, "sshd is missing: run `make test-hosts`, which installs it"
    return sshd


@contextmanager
def running_ssh_server(folder: Path, script: str = "") -> Iterator[SshServer]:
    """Start the server; it ends with the block, and also when this process is killed.

    The script runs on the host first; its folders /run, /var/cache and those below it are nobody else's.
    """
    _write_accounts(folder)
    command = ["setpriv", "--pdeathsig", "KILL"]
    command += ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    command += ["sh", "-c", START, "sh", str(folder), _sshd(), script]
    logins = " ".join(user for user in USER_IDS if user != OWNER)
    running, server = _start(folder, LOGIN, CONFIGURATION.replace("{logins}", logins), command)
    try:
        yield running
    finally:
        server.kill()
        server.wait()


@contextmanager
def running_own_ssh_server(folder: Path) -> Iterator[SshServer]:
    """Start a server for the user who runs this; it ends with the block, and its sessions with it."""
    (folder / "home").mkdir(mode=0o700)
    (folder / "async").mkdir()
    login = pwd.getpwuid(os.geteuid()).pw_name
    configuration = CONFIGURATION.replace("{logins}", login) + OWN_HOME
    with _privilege_separation():
        command = ["setpriv", "--pdeathsig", "KILL", _sshd(), "-D", "-e", "-f", str(folder / "sshd_config")]
        running, server = _start(folder, login, configuration, command)
        try:
            yield running
        finally:
            sessions = _children(server.pid)
            for process in (server.pid, *sessions):
                os.kill(process, signal.SIGKILL)
            server.wait()


@contextmanager
def _privilege_separation() -> Iterator[None]:
    """As root, sshd wants a folder that packages make when the machine starts."""
    is_missing = os.geteuid() == 0 and not PRIVILEGE_SEPARATION.exists()
    if is_missing:
        PRIVILEGE_SEPARATION.mkdir(mode=0o755)
    try:
        yield
    finally:
        if is_missing:
            PRIVILEGE_SEPARATION.rmdir()


def _children(parent: int) -> list[int]:
    """List the processes that another has started. Those that end meanwhile are left out."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name of the program, in brackets, may hold anything.
            fields = status.read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent and fields[0] != "Z":
            found.append(int(status.parent.name))
    return found
