"""Debian's packages, unpacked into target/vm: QEMU, tools for file systems, kernels, programs for guests.

Nothing is installed, and no root is needed. Each release and architecture has an apt of its own below target/vm/apt,
so that neither the machine's release nor its lists matter. The mirror, keys and proxies are those of the machine's apt.
"""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Where everything goes that the tests in virtual machines unpack, build or keep.
FOLDER = Path(__file__).resolve().parents[2] / "target/vm"

#: Debian's names of architectures, by the kernel's.
DEBIAN = {"x86_64": "amd64", "aarch64": "arm64"}

#: The dynamic linker and the folder of libraries, by the kernel's name of the architecture.
LOADERS = {"x86_64": "lib64/ld-linux-x86-64.so.2", "aarch64": "lib/ld-linux-aarch64.so.1"}

#: Which release has a kernel. Those for clouds are small and have every file system.
KERNELS = {"5.10": "bullseye", "6.1": "bookworm", "6.12": "trixie"}

TOOLS_RELEASE = "bookworm"
TOOLS = ("qemu-system-x86", "e2fsprogs", "xfsprogs", "btrfs-progs")
TOOLS_FOR_ARM = ("qemu-system-arm",)


class NoPackagesError(Exception):
    """Packages that cannot be had here; the text says why."""


@dataclass(frozen=True)
class Kernel:
    """A kernel of Debian: its image, and the folder of its modules."""

    arch: str
    version: str
    image: Path
    modules: Path


def kernel(version: str = "6.1", arch: str = "x86_64") -> Kernel:
    """Unpack the newest kernel of a version."""
    archive = Archive(KERNELS[version], arch)
    folder = FOLDER / f"kernel-{version}-{arch}"
    with _made_once(folder) as is_new:
        if is_new:
            archive.unpack([archive.kernel_package()], folder)
        image = next(folder.glob("boot/vmlinu[xz]-*"))
        release = image.name.split("-", 1)[1]
        if is_new:
            # As the package does when it is installed: which module needs which.
            _run(busybox(platform.machine()), "depmod", "-b", folder, release)
    return Kernel(arch, release, image, folder / "usr/lib/modules" / release)


def busybox(arch: str = "x86_64") -> Path:
    """Unpack a static BusyBox, with which guests start."""
    archive = Archive(TOOLS_RELEASE, arch)
    folder = FOLDER / f"busybox-{arch}"
    with _made_once(folder) as is_new:
        if is_new:
            archive.unpack(["busybox-static"], folder)
    return folder / "bin/busybox"


def root(name: str, packages: tuple[str, ...], release: str = TOOLS_RELEASE, arch: str = "x86_64") -> Path:
    """Unpack packages with all that they depend on into a folder of that name. No script of theirs is run."""
    folder = FOLDER / f"{name}-{arch}"
    with _made_once(folder, " ".join((release, *packages))) as is_new:
        if is_new:
            archive = Archive(release, arch)
            archive.unpack([*packages], folder, with_dependencies=True)
    return folder


def tool(name: str, *arguments: str | Path, packages: tuple[str, ...] = TOOLS) -> list[str]:
    """Return the command line of a program for this machine, such as `mkfs.xfs`, run by its own dynamic linker."""
    folder = root(f"tools-{packages[0]}", packages, arch=platform.machine())
    return [*run_in(folder, name), *map(str, arguments)]


def run_in(folder: Path, name: str) -> list[str]:
    """Return the command line of a program in an unpacked root of this machine's architecture."""
    arch = platform.machine()
    libraries = folder / f"usr/lib/{arch}-linux-gnu"
    paths = (libraries, libraries / "pulseaudio")
    return [str(folder / LOADERS[arch]), "--library-path", ":".join(map(str, paths)), str(program(folder, name))]


def program(folder: Path, name: str) -> Path:
    """Find a program in an unpacked root."""
    return next(path for place in ("usr/bin", "usr/sbin") if (path := folder / place / name).exists())


def files_of(folder: Path, *names: str) -> dict[str, Path]:
    """Return programs of an unpacked root, their libraries and the dynamic linker, by their places in a guest."""
    loader = LOADERS[platform.machine()]
    files = {loader: folder / loader}
    for name in names:
        files[f"bin/{name}"] = program(folder, name)
        *linker, path = run_in(folder, name)
        for line in _run(*linker, "--list", path).splitlines():
            _, _, found = line.partition(" => ")
            if found.startswith("/"):
                library = Path(found.split()[0])
                files[f"lib/{platform.machine()}-linux-gnu/{library.name}"] = library
    return files


class Archive:
    """An apt of its own, for one release and architecture of Debian."""

    def __init__(self, release: str, arch: str) -> None:
        """Prepare it; what it knows of the archive is fetched when it is asked the first time."""
        self.release = release
        self.arch = arch
        self.folder = FOLDER / f"apt/{release}-{arch}"

    def kernel_package(self) -> str:
        """Name the newest kernel of the release."""
        self._update()
        depends = self._run("apt-cache", "depends", f"linux-image-cloud-{DEBIAN[self.arch]}")
        names = [line.split()[-1] for line in depends.splitlines() if "Depends: linux-image-" in line]
        return names[0]

    def unpack(self, packages: list[str], folder: Path, *, with_dependencies: bool = False) -> None:
        """Fetch packages and unpack them into a folder."""
        self._update()
        fetched = folder / "packages"
        (fetched / "partial").mkdir(parents=True)
        if with_dependencies:
            words = ("install", "--download-only", "--yes", "--no-install-recommends")
            self._run("apt-get", *words, *packages, more=("-o", f"Dir::Cache::archives={fetched}"))
        else:
            self._run("apt-get", "download", *packages, cwd=fetched)
        # All of /bin, /lib and /sbin is below /usr, whatever a package says.
        for name in ("bin", "lib", "lib64", "sbin"):
            (folder / "usr" / name).mkdir(parents=True)
            (folder / name).symlink_to(f"usr/{name}")
        for package in sorted(fetched.glob("*.deb")):
            content = fetched / "content.tar"
            with content.open("wb") as file:
                subprocess.run(["dpkg-deb", "--fsys-tarfile", package], check=True, stdout=file)
            _run("tar", "--extract", "--keep-directory-symlink", "--file", content, "--directory", folder)
        shutil.rmtree(fetched)

    def _update(self) -> None:
        with _made_once(self.folder) as is_new:
            if not is_new:
                return
            main, security = _mirrors()
            sources = [f"deb {main} {self.release} main", f"deb {security} {self.release}-security main"]
            for place in ("lists/partial", "cache/archives/partial"):
                (self.folder / place).mkdir(parents=True)
            (self.folder / "sources.list").write_text("\n".join([*sources, ""]), encoding="utf-8")
            (self.folder / "status").touch()
            self._run("apt-get", "update")

    def _run(self, command: str, *words: str, cwd: Path | None = None, more: tuple[str, ...] = ()) -> str:
        settings = {
            "APT::Architecture": DEBIAN[self.arch],
            "APT::Architectures::": DEBIAN[self.arch],
            "APT::Get::List-Cleanup": "false",
            "APT::Sandbox::User": _own_name(),
            "Acquire::Languages": "none",
            "Debug::NoLocking": "true",
            "Dir::Cache": str(self.folder / "cache"),
            "Dir::Etc::SourceList": str(self.folder / "sources.list"),
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::State::Lists": str(self.folder / "lists"),
            "Dir::State::Status": str(self.folder / "status"),
        }
        options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
        return _run(command, "--quiet", *options, *more, *words, cwd=cwd)


def _mirrors() -> tuple[str, str]:
    """Return where the machine's apt has Debian from, and its security updates."""
    form = "$(REPO_URI) $(RELEASE)"
    lines = _run("apt-get", "indextargets", "--format", form, "Created-By: Packages").split("\n")
    found: dict[str, str] = {}
    for address, release in (line.split() for line in lines if line.strip()):
        path = urlsplit(address).path.strip("/")
        if path.endswith("debian-security"):
            found.setdefault("security", address)
        elif path.endswith("debian") and not release.endswith("-security"):
            found.setdefault("main", address)
    if "main" not in found:
        raise NoPackagesError("apt has no mirror of Debian: run this on Debian, or add one to the sources of apt")
    return found["main"], found.get("security", found["main"].rstrip("/") + "-security/")


def _own_name() -> str:
    """Return the user that fetches: apt's own may not write below somebody's home."""
    return "root" if os.geteuid() == 0 else ""


def _run(*command: str | Path, cwd: Path | None = None) -> str:
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd=cwd)
    except FileNotFoundError as error:
        raise NoPackagesError(f"{command[0]} is missing: run this on Debian") from error
    if done.returncode != 0:
        raise NoPackagesError(f"{command[0]} failed: {(done.stderr or done.stdout).strip()[-600:]}")
    return done.stdout


@contextmanager
def _made_once(folder: Path, wanted: str = "") -> Iterator[bool]:
    """Say whether a folder is to be made; it counts as made when the block ends well. Processes wait for each other."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    stamp = folder / ".complete"
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
            yield False
            return
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        yield True
        stamp.write_text(wanted, encoding="utf-8")
