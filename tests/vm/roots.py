"""Images of Debian systems that boot, with stand-ins for Aspera, and a key to log in with.

Unlike what `packages` unpacks, the scripts of the packages have run (mmdebstrap, as root). An image is made once, in
target/vm, and made anew when what goes into it has changed. Guests start from it and write to a copy that ends with
them.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import packages

PROJECT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent

#: What stand-ins for an Aspera server are made of.
STAND_INS = ("molecule/hosts/stand_ins.sh", "molecule/hosts/files", "examples/sandbox")

LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*")

#: How guests are reached.
SSH = "openssh-server,iproute2,procps"


@dataclass(frozen=True)
class Recipe:
    """A system: its packages and release, and the script below systems/ that prepares its root folder."""

    name: str
    packages: str
    release: str = "bookworm"
    prepared_by: str = ""


SYSTEMD = Recipe("systemd", f"systemd-sysv,dbus,{SSH}")
SYSVINIT = Recipe("sysvinit", f"sysvinit-core,{SSH}", prepared_by="sysvinit.sh")
SELINUX = Recipe(
    "selinux",
    f"systemd-sysv,dbus,{SSH},sudo,acl,selinux-policy-default,selinux-utils,policycoreutils,policycoreutils-python-utils",
    prepared_by="selinux.sh",
)


def key() -> Path:
    """Return the key with which guests let root in; it is this machine's, and lives in target/vm."""
    path = packages.FOLDER / "key"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "tests/vm", "-f", path]
            subprocess.run(command, check=True)
    return path


def image(recipe: Recipe) -> Path:
    """Return the image of a system, an ext4 in a file."""
    path = packages.FOLDER / f"{recipe.name}.ext4"
    stamp = path.with_suffix(".made-of")
    packages.FOLDER.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = _made_of(recipe)
        if not path.exists() or not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
            stamp.unlink(missing_ok=True)
            _make(recipe, path)
            stamp.write_text(wanted, encoding="utf-8")
    return path


def _make(recipe: Recipe, path: Path) -> None:
    pristine = _pristine(recipe)
    root = packages.FOLDER / f"{recipe.name}.new"
    shutil.rmtree(root, ignore_errors=True)
    try:
        _run("cp", "-a", pristine, root)
        _run(PROJECT / "molecule/hosts/stand_ins.sh", root)
        (root / "root/.ssh").mkdir(mode=0o700, exist_ok=True)
        shutil.copy(key().with_suffix(".pub"), root / "root/.ssh/authorized_keys")
        (root / "etc/hostname").write_text("guest\n", encoding="ascii")
        (root / "etc/hosts").write_text("127.0.0.1 localhost guest\n", encoding="ascii")
        if recipe.prepared_by:
            _run("unshare", "--mount", "sh", HERE / "systems" / recipe.prepared_by, root, HERE / "systems")
        path.unlink(missing_ok=True)
        _run(*packages.tool("mke2fs", "-q", "-F", "-t", "ext4", "-d", root, path, "700M"))
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _pristine(recipe: Recipe) -> Path:
    """Return the root folder as the packages leave it."""
    hashed = hashlib.sha256(f"{recipe.packages} {recipe.release}".encode()).hexdigest()[:12]
    root = packages.FOLDER / f"root-{recipe.name}-{hashed}"
    if not root.exists():
        unfinished = root.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        options = ["--variant=minbase", *(f"--dpkgopt=path-exclude={path}" for path in LEFT_OUT)]
        _run("mmdebstrap", *options, f"--include={recipe.packages}", recipe.release, unfinished)
        # Each guest is a system of its own.
        (unfinished / "etc/machine-id").write_text("", encoding="ascii")
        unfinished.rename(root)
    return root


def _made_of(recipe: Recipe) -> str:
    """Describe all that goes into an image."""
    scripts = sorted((HERE / "systems").glob("*")) if recipe.prepared_by else []
    sources = [path for name in STAND_INS for path in sorted([PROJECT / name, *(PROJECT / name).rglob("*")])]
    content = b"".join(path.read_bytes() for path in [Path(__file__), key(), *sources, *scripts] if path.is_file())
    return f"{recipe} {hashlib.sha256(content).hexdigest()}"


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, check=False, capture_output=True, encoding="utf-8", stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"{command[0]} failed: {(done.stdout + done.stderr)[-2000:]}"
