"""The scripts of the action plugin on a host: where a build is kept, and what is never run."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from controllers import PROJECT

sys.path.append(str(PROJECT / "target/collection"))
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.compiled_module import Build, script

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.needs("root", "namespaces", "busybox", "setpriv")

ROOT, KEEPER, STRANGER, NOBODY = 0, 64001, 64002, 64009
MODULE = "aspera_sse_info"
KEPT_IN = ".cache/aspera_ops.sse"
HERE = os.uname().machine
BUILDS = Build.all_of(MODULE)
BUILD = next(build for build in BUILDS if build.architecture == HERE)
OTHER_BUILD = next(build for build in BUILDS if build.architecture != HERE)
CONTENT = BUILD.path.read_bytes()
KEPT_AS = f"{MODULE}-{BUILD.sha256}"

# $1 is the folder of the host, $2 a command that goes before; the rest is the command on the host.
WORLD = """\
set -eu
umask 000
mount -t tmpfs -o mode=755 none /run
mkdir /run/homes
mount --bind "$1/homes" /run/homes
mount --bind "$1/var-cache" /var/cache
mount --bind "$1/passwd" /etc/passwd
before=$2
shift 2
eval "$before"
exec "$@"
"""
# Goes before: a root folder for all to write to, with all else in it as it is.
WRITABLE_ROOT = """\
mkdir /run/root
mount -t tmpfs -o mode=777 none /run/root
for one in /*; do
    if [ -L "$one" ]; then cp -P "$one" /run/root/
    elif [ -d "$one" ]; then mkdir "/run/root$one"; mount --rbind "$one" "/run/root$one"; fi
done
set -- chroot /run/root "$@"
"""


class Host:
    """A host with homes of its own; everything else is this machine."""

    def __init__(self, folder: Path, shell: str = "dash") -> None:
        """Lay out the homes."""
        self.folder = folder
        self.shell = shell.split()
        self.setpriv = "setpriv"
        self.before = ":"
        self.folder_to_keep_in = ""
        self.arguments = ""
        self.environment = {"HOME": "/run/homes/stranger", "PATH": os.environ["PATH"]}
        (folder / "homes").mkdir(mode=0o755)
        (folder / "var-cache").mkdir(mode=0o755)
        accounts = ""
        for name, number in (("root", ROOT), ("keeper", KEEPER), ("stranger", STRANGER)):
            home = self.home(name)
            home.mkdir(mode=0o700)
            os.chown(home, number, number)
            accounts += f"{name}:x:{number}:{number}::/run/homes/{name}:/bin/sh\n"
        self.accounts = folder / "passwd"
        self.accounts.write_text(accounts, encoding="ascii")

    def home(self, name: str) -> Path:
        """Return a home as this machine sees it."""
        return self.folder / "homes" / name

    def execute(
        self, name: str, data: bytes, user: int = KEEPER, builds: list[Build] = BUILDS, source: int | None = None
    ) -> str:
        """Run a script of the plugin as a user, in an environment that leads elsewhere, and return what it prints."""
        known = "".join(f"[{build.system} {build.sha256} {build.path.stat().st_size}]" for build in builds)
        head = f"name={MODULE} builds='{known}' folder='{self.folder_to_keep_in}' arguments='{self.arguments}'; "
        head += 'run() { "$@"; }; '
        ids = [self.setpriv, f"--reuid={user}", f"--regid={user}", "--clear-groups"]
        command = ["unshare", "--mount", "sh", "-c", WORLD, "sh", str(self.folder), self.before, *ids]
        process = subprocess.Popen(
            [*command, *self.shell, "-c", head + script(name)],
            stdin=subprocess.PIPE if source is None else source,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=self.environment,
        )
        with process:
            try:
                if process.stdin:
                    # All of it must be read: this raises an error where it is not.
                    process.stdin.write(data)
                    process.stdin.close()
                    process.stdin = None
                output = process.communicate(timeout=60)[0].decode()
            except BaseException:
                process.kill()
                raise
        assert "planted" not in output
        assert not (self.folder / "homes/planted").exists()
        return output

    def look(self, user: int = KEEPER) -> str:
        """Run what is kept; return what the script reports, or `ran`."""
        output = self.execute("run.sh", json.dumps({"aspera_root": "/nonexistent"}).encode(), user)
        if output.startswith("aspera_ops.sse run\n") and output.rstrip().endswith("}"):
            assert json.loads(output.splitlines()[-1])["installed"] is False
            return "ran"
        return output.removeprefix("aspera_ops.sse ").split()[0]

    def keep(self, content: bytes = CONTENT, user: int = KEEPER) -> str:
        """Send a build, and return what the script reports."""
        return self.execute("keep.sh", content, user).removeprefix("aspera_ops.sse ").strip()


def planted(folder: Path, owner: int, name: str = KEPT_AS) -> Path:
    """Put a program where a build could be; it has the right name, size and mode."""
    folder.mkdir(parents=True, exist_ok=True)
    program = b"#!/bin/sh\necho planted; touch /run/homes/planted\nexit\n"
    path = folder / name
    path.write_bytes(program + b"#" * (len(CONTENT) - len(program)))
    path.chmod(0o700)
    for one in (path, folder):
        os.chown(one, owner, owner)
    return path


def own(*paths: Path, mode: int = 0o700) -> None:
    """Give folders to the keeper."""
    for path in paths:
        path.mkdir(exist_ok=True)
        path.chmod(mode)
        os.chown(path, KEEPER, KEEPER)


def its_place(host: Host) -> Path:
    """Make the folder where builds are kept, as it should be."""
    place = host.home("keeper") / KEPT_IN
    own(place.parent, place)
    return place


def a_file_of_another(host: Host) -> None:
    """In a folder that is right."""
    place = its_place(host)
    planted(place, STRANGER)
    own(place)


def a_file_of_root(host: Host) -> None:
    """In a folder that is right: what root has left is not what the keeper keeps."""
    place = its_place(host)
    planted(place, ROOT)
    own(place)


def a_file_that_others_may_write(host: Host) -> None:
    """In a folder that is right."""
    place = its_place(host)
    planted(place, KEEPER).chmod(0o777)


def a_link_to_a_file_of_another(host: Host) -> None:
    """In a folder that is right."""
    its_place(host).joinpath(KEPT_AS).symlink_to(planted_elsewhere(host))


def a_file_in_part(host: Host) -> None:
    """Of the keeper, as a full disk leaves it."""
    path = planted(its_place(host), KEEPER)
    os.truncate(path, len(CONTENT) - 1)


def a_folder_of_another(host: Host) -> None:
    """In the cache of the keeper."""
    own(host.home("keeper") / ".cache")
    planted(host.home("keeper") / KEPT_IN, STRANGER)


def a_folder_that_others_may_write(host: Host) -> None:
    """With a file that is right in all else."""
    planted(its_place(host), KEEPER)
    own(host.home("keeper") / KEPT_IN, mode=0o777)


def a_folder_that_others_but_not_the_group_may_write(host: Host) -> None:
    """With a file that is right in all else."""
    planted(its_place(host), KEEPER)
    own(host.home("keeper") / KEPT_IN, mode=0o707)


def a_folder_that_the_group_may_write(host: Host) -> None:
    """With a file that is right in all else."""
    planted(its_place(host), KEEPER)
    own(host.home("keeper") / KEPT_IN, mode=0o770)


def a_folder_for_all_as_tmp_is(host: Host) -> None:
    """With a file that is right in all else."""
    planted(its_place(host), KEEPER)
    own(host.home("keeper") / KEPT_IN, mode=0o1777)


def a_link_in_the_place_of_the_folder(host: Host) -> None:
    """To a folder of another."""
    own(host.home("keeper") / ".cache")
    (host.home("keeper") / KEPT_IN).symlink_to(planted_elsewhere(host).parent)


def a_link_in_the_place_of_the_cache(host: Host) -> None:
    """To a folder of another."""
    (host.home("keeper") / ".cache").symlink_to(planted_elsewhere(host).parent.parent)


def a_link_to_an_own_folder_below_one_of_another(host: Host) -> None:
    """With a file there that is right in all else."""
    elsewhere = host.home("stranger") / "elsewhere"
    host.home("stranger").chmod(0o755)
    own(elsewhere, elsewhere / "aspera_ops.sse")
    planted(elsewhere / "aspera_ops.sse", KEEPER)
    (host.home("keeper") / ".cache").symlink_to("/run/homes/stranger/elsewhere")


def a_home_that_others_may_write(host: Host) -> None:
    """With all below it of another."""
    host.home("keeper").chmod(0o777)
    a_folder_of_another(host)
    os.chown(host.home("keeper") / ".cache", STRANGER, STRANGER)


def a_home_in_a_folder_of_another(host: Host) -> None:
    """With a file that is right in all else."""
    inner = host.home("stranger") / "keeper"
    host.home("stranger").chmod(0o755)
    own(inner, inner / ".cache", inner / KEPT_IN)
    planted(inner / KEPT_IN, KEEPER)
    host.accounts.write_text(host.accounts.read_text().replace("/run/homes/keeper", "/run/homes/stranger/keeper"))


def planted_elsewhere(host: Host) -> Path:
    """Put a program into the home of another, who lets all read it; HOME leads there, too."""
    path = planted(host.home("stranger") / KEPT_IN, STRANGER)
    host.home("stranger").chmod(0o755)
    for folder in (path.parent, path.parent.parent):
        folder.chmod(0o755)
    path.chmod(0o755)
    return path


#: What a stranger may plant, and whether the keeper can keep a build nevertheless.
PLANTS: dict[Callable[[Host], object], bool] = {
    a_file_of_another: True,
    a_file_of_root: True,
    a_file_that_others_may_write: True,
    a_link_to_a_file_of_another: True,
    a_file_in_part: True,
    planted_elsewhere: True,
    a_folder_of_another: False,
    a_folder_that_others_may_write: False,
    a_folder_that_others_but_not_the_group_may_write: False,
    a_folder_that_the_group_may_write: False,
    a_folder_for_all_as_tmp_is: False,
    a_link_in_the_place_of_the_folder: False,
    a_link_in_the_place_of_the_cache: False,
    a_link_to_an_own_folder_below_one_of_another: False,
    a_home_that_others_may_write: False,
    a_home_in_a_folder_of_another: False,
}

shells = pytest.mark.parametrize("shell", ["dash", "bash", "busybox sh"])


@shells
@pytest.mark.parametrize("plant", PLANTS)
def test_nothing_that_was_planted_is_run(folder: Path, shell: str, plant: Callable[[Host], object]) -> None:
    """Neither before a build is sent, nor after; where a place is not safe, none is kept there."""
    host = Host(folder, shell)
    plant(host)
    assert host.look() == "miss"
    assert (host.keep(), host.look()) == (("kept", "ran") if PLANTS[plant] else ("nowhere", "miss"))


@shells
def test_nothing_that_was_planted_is_run_as_root(folder: Path, shell: str) -> None:
    """In neither of its places, and root's own is still right."""
    host = Host(folder, shell)
    host.home("root").chmod(0o777)
    planted(host.home("root") / KEPT_IN, STRANGER)
    planted(folder / "var-cache/aspera_ops.sse", STRANGER)
    assert (host.look(ROOT), host.keep(user=ROOT), host.look(ROOT)) == ("miss", "nowhere", "miss")
    shutil.rmtree(folder / "var-cache/aspera_ops.sse")
    assert (host.look(ROOT), host.keep(user=ROOT), host.look(ROOT)) == ("miss", "kept", "ran")
    assert (folder / "var-cache/aspera_ops.sse" / KEPT_AS).read_bytes() == CONTENT


@shells
def test_a_home_of_another_in_the_environment_of_root(folder: Path, shell: str) -> None:
    """As sudo leaves it at times. All in it is right for its owner, who is not the one who runs it."""
    host = Host(folder, shell)
    cache = host.home("stranger") / ".cache"
    cache.mkdir(mode=0o700)
    os.chown(cache, STRANGER, STRANGER)
    planted(host.home("stranger") / KEPT_IN, STRANGER)
    (host.home("stranger") / KEPT_IN).chmod(0o700)
    assert (host.look(ROOT), host.keep(user=ROOT), host.look(ROOT)) == ("miss", "kept", "ran")
    assert (host.home("root") / KEPT_IN / KEPT_AS).exists()


@shells
def test_a_run_starts_one_program_beside_the_build(folder: Path, shell: str) -> None:
    """Where the environment names the home of the account. To ask for account and machine takes two more."""
    host = Host(folder, shell)
    assert host.keep() == "kept"
    programs = folder / "homes/programs"
    programs.mkdir(mode=0o755)
    (programs / "ls").symlink_to(shutil.which("ls"))
    if not Path("/proc/sys/kernel/arch").exists():
        (programs / "uname").symlink_to(shutil.which("uname"))
    host.shell[0] = shutil.which(host.shell[0])
    host.before = "PATH=/run/homes/programs HOME=/run/homes/keeper; export HOME PATH"
    host.setpriv = shutil.which("setpriv")
    assert host.look() == "ran"


@shells
def test_arguments_in_the_command(folder: Path, shell: str) -> None:
    """Standard input is left alone then: a connection may keep it open for ever."""
    host = Host(folder, shell)
    host.arguments = '{"aspera_root":"/nonexistent"}'
    source = folder / "source"
    source.write_bytes(b"not arguments")
    with source.open("rb") as opened:
        for expected in ("miss", "run"):
            output = host.execute("run.sh", b"", source=opened.fileno())
            assert output.split()[1] == expected
            assert os.lseek(opened.fileno(), 0, os.SEEK_CUR) == 0
            host.arguments = ""
            assert host.keep() == "kept"
            host.arguments = '{"aspera_root":"/nonexistent"}'
    assert json.loads(output.splitlines()[-1])["installed"] is False


@shells
def test_controllers_of_three_versions_do_not_take_away_what_the_others_keep(folder: Path, shell: str) -> None:
    """A build of a fourth takes the place of the one that came first."""
    host = Host(folder, shell)
    place = its_place(host)
    older = [f"{MODULE}-{hashlib.sha256(bytes([number])).hexdigest()}" for number in range(5)]
    for number, name in enumerate(older):
        (place / name).write_bytes(b"")
        os.utime(place / name, (number, number))
    assert host.keep() == "kept"
    assert {path.name for path in place.iterdir()} == {KEPT_AS, *older[-2:]}
    assert host.look() == "ran"


@shells
def test_what_is_left_beside_a_build(folder: Path, shell: str) -> None:
    """Parts of lost connections go; other architectures, other modules and parts on their way stay."""
    host = Host(folder, shell)
    place = its_place(host)
    other_module = f"aspera_trapd_sse-{hashlib.sha256(b'another module').hexdigest()}"
    left, on_its_way = f".{KEPT_AS}.77", f".{KEPT_AS}.78"
    for name in (f"{MODULE}-{OTHER_BUILD.sha256}", other_module, left, on_its_way):
        (place / name).write_bytes(b"")
    os.utime(place / left, (0, 0))
    assert host.keep() == "kept"
    assert {path.name for path in place.iterdir()} == {
        KEPT_AS,
        on_its_way,
        f"{MODULE}-{OTHER_BUILD.sha256}",
        other_module,
    }
    assert host.look() == "ran"


@shells
@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT[:-1] + b"\0\0", b""])
def test_what_arrives_is_held_against_its_sum(folder: Path, shell: str, content: bytes) -> None:
    """A build that came in part, or is another, is not kept."""
    host = Host(folder, shell)
    assert (host.keep(content), host.look()) == ("nowhere", "miss")
    assert list((host.home("keeper") / KEPT_IN).iterdir()) == []


@shells
def test_no_program_may_run_in_the_home(folder: Path, shell: str) -> None:
    """Root has another place; others have none, unless a folder is named."""
    host = Host(folder, shell)
    host.before = "mount --bind /run/homes /run/homes && mount -o remount,bind,noexec /run/homes"
    assert (host.keep(user=ROOT), host.look(ROOT)) == ("kept", "ran")
    assert [path.name for path in (folder / "var-cache").rglob("aspera_sse*")] == [KEPT_AS]
    assert (host.keep(), host.look()) == ("nowhere", "miss")
    assert list((host.home("keeper") / KEPT_IN).iterdir()) == []
    host.folder_to_keep_in = "/var/cache/of-keeper"
    own(folder / "var-cache/of-keeper")
    assert (host.keep(), host.look()) == ("kept", "ran")
    assert (folder / "var-cache/of-keeper/aspera_ops.sse" / KEPT_AS).read_bytes() == CONTENT


@shells
def test_a_place_that_takes_no_file_leaves_the_build_to_the_next(folder: Path, shell: str) -> None:
    """As where it is read-only: what was sent can be read once."""
    host = Host(folder, shell)
    place = host.home("root") / KEPT_IN
    place.parent.mkdir(mode=0o700)
    place.mkdir(mode=0o700)
    inside = f"/run/homes/root/{KEPT_IN}"
    host.before = f"mount --bind {inside} {inside} && mount -o remount,bind,ro {inside}"
    assert (host.keep(user=ROOT), host.look(ROOT)) == ("kept", "ran")
    assert (folder / "var-cache/aspera_ops.sse" / KEPT_AS).exists()


# Goes before: a host with SELinux, where no program may run from a cache.
UNDER_SELINUX = """\
mount -t tmpfs none /sys/fs
mkdir /sys/fs/selinux
echo 1 >/sys/fs/selinux/enforce
for cache in /run/homes/*/.cache /var/cache; do
    mount --bind "$cache" "$cache"
    mount -o remount,bind,noexec "$cache"
done
"""


@shells
@pytest.mark.parametrize("keeper", ["root", "keeper"])
def test_no_program_may_run_from_a_cache_under_selinux(folder: Path, shell: str, keeper: str) -> None:
    """Each has another place there. That its file systems are noexec is not said to be SELinux."""
    host = Host(folder, shell)
    user = ROOT if keeper == "root" else KEEPER
    for name in ("root", "keeper"):
        (host.home(name) / ".cache").mkdir(mode=0o700)
    shutil.chown(host.home("keeper") / ".cache", KEEPER, KEEPER)
    host.before = UNDER_SELINUX.split("for ")[0] + ":"
    assert (host.keep(user=user), host.look(user)) == ("kept", "ran")
    assert (host.home(keeper) / KEPT_IN / KEPT_AS).exists()
    host.before = UNDER_SELINUX
    assert (host.look(user), host.keep(user=user), host.look(user)) == ("run", "kept", "ran")
    place = host.home(keeper) / ".ansible/aspera_ops.sse"
    assert [path.name for path in place.iterdir()] == [KEPT_AS]
    assert [path.stat().st_mode & 0o777 for path in (place.parent, place)] == [0o700] * 2


def test_only_selinux_in_force_is_said_to_refuse(folder: Path) -> None:
    """The domain, the label and the first place are in the report then, and no reason where it is permissive."""
    host = Host(folder)
    (host.home("root") / ".cache").mkdir(mode=0o700)
    (host.home("keeper") / ".cache").mkdir(mode=0o700)
    programs = folder / "homes/programs"
    programs.mkdir(mode=0o755)
    # Root may run each of its programs: so the build gets a mode of none. The rest is what a system with SELinux says.
    chmod = f"#!/bin/sh\nexec {shutil.which('chmod')} 600 $2\n"
    (programs / "chmod").write_text(chmod, encoding="ascii")
    (programs / "tr").write_text("#!/bin/sh\nprintf root:sysadm_r:sysadm_t:s0\n", encoding="ascii")
    ls = f'#!/bin/sh\n[ $1 != -dZ ] || exec echo root:object_r:xdg_cache_t:s0 $2\nexec {shutil.which("ls")} "$@"\n'
    (programs / "ls").write_text(ls, encoding="ascii")
    for program in programs.iterdir():
        program.chmod(0o755)
    host.environment["PATH"] = f"/run/homes/programs:{host.environment['PATH']}"
    host.before = UNDER_SELINUX.split("for ")[0] + ":"
    context = "root:sysadm_r:sysadm_t:s0 root:object_r:xdg_cache_t:s0"
    assert host.keep(user=ROOT) == f"nowhere {context} /run/homes/root/.cache/aspera_ops.sse"
    host.before = host.before.replace("echo 1", "echo 0")
    assert host.keep(user=ROOT) == "nowhere"


@shells
def test_a_build_that_can_no_longer_run_is_not_there(folder: Path, shell: str) -> None:
    """Where the home has become noexec since."""
    host = Host(folder, shell)
    assert (host.keep(), host.look()) == ("kept", "ran")
    host.before = "mount --bind /run/homes /run/homes && mount -o remount,bind,noexec /run/homes"
    output = host.execute("run.sh", b"{}")
    assert output.splitlines()[-1].startswith("aspera_ops.sse miss ")


@shells
def test_no_part_is_left_where_the_other_place_is_full(folder: Path, shell: str) -> None:
    """Root's home is noexec, so what was received there is copied; the copy fails, and neither stays."""
    host = Host(folder, shell)
    host.before = (
        "mount --bind /run/homes /run/homes && mount -o remount,bind,noexec /run/homes && "
        "mount -t tmpfs -o size=64k,mode=755 none /var/cache"
    )
    assert host.keep(user=ROOT) == "nowhere"
    assert list((host.home("root") / KEPT_IN).iterdir()) == []


@shells
def test_a_damaged_build_is_found_and_removed(folder: Path, shell: str) -> None:
    """By its sum, after it gave no answer. A whole one is named, and stays."""
    host = Host(folder, shell)
    kept = host.home("keeper") / KEPT_IN / KEPT_AS
    shown = f"/run/homes/keeper/{KEPT_IN}/{KEPT_AS}"
    assert host.execute("check.sh", b"\n").startswith("aspera_ops.sse miss ")
    assert host.keep() == "kept"
    assert host.execute("check.sh", b"\n") == f"aspera_ops.sse whole {shown}\n"
    kept.write_bytes(CONTENT[:-1] + b"\1")
    assert host.execute("check.sh", b"\n") == f"aspera_ops.sse damaged {shown}\n"
    assert (kept.exists(), host.look()) == (False, "miss")


@shells
def test_a_user_without_an_account_or_home(folder: Path, shell: str) -> None:
    """Nothing is kept, wherever HOME leads, and nothing goes wrong."""
    host = Host(folder, shell)
    assert (host.look(NOBODY), host.keep(user=NOBODY)) == ("miss", "nowhere")
    accounts = host.accounts.read_text()
    for home in ("", "/run/homes/none", "relative", "/run/homes/keeper; touch x", "/run/homes/$(echo keeper)"):
        host.accounts.write_text(accounts.replace("/run/homes/keeper", home))
        assert (host.look(), host.keep()) == ("miss", "nowhere")
    host.accounts.write_text(accounts.replace("keeper:x", "$(id):x"))
    assert (host.look(), host.keep()) == ("miss", "nowhere")


@shells
def test_a_home_behind_a_link_of_root(folder: Path, shell: str) -> None:
    """As where /home is a link to another disk."""
    host = Host(folder, shell)
    (folder / "homes/link").symlink_to("keeper")
    host.accounts.write_text(host.accounts.read_text().replace("/run/homes/keeper", "/run/homes/link"))
    assert (host.keep(), host.look()) == ("kept", "ran")


def test_another_system(folder: Path) -> None:
    """It is reported, and all that was sent is read."""
    host = Host(folder)
    output = host.execute("run.sh", b"{}" * 100_000, builds=[OTHER_BUILD])
    assert output == f"aspera_ops.sse unsupported Linux {HERE}\n"


@shells
def test_a_terminal_is_reported(folder: Path, shell: str) -> None:
    """A terminal changes the data that goes through it, so the scripts read nothing from one."""
    host = Host(folder, shell)
    controller, terminal = os.openpty()
    try:
        # A script that reads nevertheless finds the end of its input, and does not wait for it.
        os.write(controller, b"\4" * 10)
        for name in ("run.sh", "keep.sh"):
            assert host.execute(name, b"", source=terminal) == "aspera_ops.sse terminal\n"
    finally:
        os.close(controller)
        os.close(terminal)


@shells
def test_what_is_kept_is_for_the_keeper_alone(folder: Path, shell: str) -> None:
    """Whatever the umask of the account is."""
    host = Host(folder, shell)
    assert host.keep() == "kept"
    place = host.home("keeper") / KEPT_IN
    assert [path.stat().st_mode & 0o777 for path in (place.parent, place, place / KEPT_AS)] == [0o700] * 3


@shells
def test_nothing_is_made_where_nothing_can_be_kept(folder: Path, shell: str) -> None:
    """Not even a folder in a home that others may write."""
    host = Host(folder, shell)
    host.home("keeper").chmod(0o777)
    assert host.keep() == "nowhere"
    assert list(host.home("keeper").iterdir()) == []


@shells
def test_a_root_folder_that_others_may_write(folder: Path, shell: str) -> None:
    """There, everything can be replaced by anyone."""
    host = Host(folder, shell)
    assert (host.keep(), host.look()) == ("kept", "ran")
    host.before = WRITABLE_ROOT
    assert (host.look(), host.keep()) == ("miss", "nowhere")
    host.before = WRITABLE_ROOT.replace("mode=777", "mode=755")
    assert (host.look(), host.keep()) == ("ran", "kept")


@shells
@pytest.mark.parametrize("name", ["of keeper", "of\nkeeper", "of*keeper", "of;keeper", "of\tkeeper"])
def test_a_folder_of_a_name_that_could_be_taken_for_something_else(folder: Path, shell: str, name: str) -> None:
    """It is left alone."""
    host = Host(folder, shell)
    own(folder / "var-cache" / name)
    host.folder_to_keep_in = f"/var/cache/{name}"
    assert (host.look(), host.keep()) == ("miss", "nowhere")
    assert list((folder / "var-cache" / name).iterdir()) == []


@shells
def test_a_home_behind_a_link_and_back(folder: Path, shell: str) -> None:
    """It is where the kernel finds it, not where the words of its path lead."""
    host = Host(folder, shell)
    (folder / "homes/other/inner").mkdir(parents=True)
    own(folder / "homes/other/keeper")
    (folder / "homes/link").symlink_to("other/inner")
    host.accounts.write_text(host.accounts.read_text().replace("/run/homes/keeper", "/run/homes/link/../keeper"))
    assert (host.keep(), host.look()) == ("kept", "ran")
    assert (folder / "homes/other/keeper" / KEPT_IN / KEPT_AS).exists()
    assert list(host.home("keeper").iterdir()) == []


@shells
def test_a_run_that_fails_is_a_run(folder: Path, shell: str) -> None:
    """Its answer is the last line, and no other place is looked at."""
    host = Host(folder, shell)
    assert host.keep(user=ROOT) == "kept"
    other_place = folder / "var-cache/aspera_ops.sse"
    shutil.copytree(host.home("root") / KEPT_IN, other_place)
    other_place.chmod(0o700)
    output = host.execute("run.sh", b'{"no_such_option": 1}', ROOT)
    assert output.count("aspera_ops.sse") == 1
    assert json.loads(output.splitlines()[-1])["failed"] is True
