"""A module on a file of its own, run whole, under strace, or in a mount namespace."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
OWNER = (12, 34)
MODE = 0o640
ACL_ATTRIBUTE = "system.posix_acl_access"


@dataclass(frozen=True)
class Edit:
    """One edit of a module: what it is given, and the file before and after."""

    module: str
    file: str
    options: dict[str, object]
    before: bytes
    after: bytes

    @property
    def program(self) -> Path:
        """Give the static binary that `make build` has made."""
        return REPOSITORY / "library" / self.module


TRAPD_BEFORE = b"s3service.https-only=true\n# server-side-encryption=NONE\nother=DUMMY-SECRET\n"
TRAPD = Edit(
    module="aspera_trapd_sse",
    file="etc/trapd/s3.properties",
    options={"server_side_encryption": "AES256"},
    before=TRAPD_BEFORE,
    after=TRAPD_BEFORE.replace(b"# server-side-encryption=NONE", b"server-side-encryption=AES256"),
)
DOCROOT_BEFORE = (
    b"<CONF><aaa><realms><realm><users><user><name>xfer</name><file_system><access><paths><path>"
    b"<absolute>s3://KEY:DUMMY-SECRET@s3.amazonaws.com/b</absolute>"
    b"</path></paths></access></file_system></user></users></realm></realms></aaa></CONF>\n"
)
DOCROOT = Edit(
    module="aspera_docroot_sse",
    file="etc/aspera.conf",
    options={"user": "xfer", "server_side_encryption": "AES256"},
    before=DOCROOT_BEFORE,
    after=DOCROOT_BEFORE.replace(b"/b<", b"/b?server-side-encryption=AES256<"),
)


@dataclass
class Sandbox:
    """An Aspera root with the file of an edit in it."""

    edit: Edit
    options: dict[str, object] = field(default_factory=dict)
    root: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="aspera-sse-faults-")))

    def __post_init__(self) -> None:
        """Lay out the root and the arguments."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.write_arguments(**self.options)

    @property
    def file(self) -> Path:
        """Give the edited file."""
        return self.root / self.edit.file

    @property
    def arguments(self) -> Path:
        """Give the file with the arguments."""
        return self.root / "arguments.json"

    def write_arguments(self, **options: object) -> None:
        """Write the arguments of the edit, with some more."""
        common = {"aspera_root": str(self.root), "_ansible_no_log": True, "_ansible_inject_invocation": False}
        self.arguments.write_text(json.dumps({**common, **self.edit.options, **options}))

    def reset(self) -> None:
        """Put the old file back, with an owner, a mode, an ACL and an attribute that must be kept."""
        for path in self.file.parent.iterdir():
            if path.is_file():
                path.unlink()
        self.file.write_bytes(self.edit.before)
        os.chown(self.file, *OWNER)
        self.file.chmod(MODE)
        subprocess.run(["setfacl", "--modify", "user:56:r", self.file], check=True)
        os.setxattr(self.file, "user.origin", b"test")

    def metadata(self, path: Path | None = None) -> tuple[object, ...]:
        """Give all that must stay as it is when the file is replaced; of another file, to be compared with it."""
        path = path or self.file
        status = path.stat()
        attributes = {name: os.getxattr(path, name) for name in sorted(os.listxattr(path))}
        return status.st_uid, status.st_gid, status.st_mode, attributes

    def run(self, *wrapper: str | Path) -> subprocess.CompletedProcess[bytes]:
        """Run the module, in the hands of another program if one is given."""
        command = [*wrapper, self.edit.program, self.arguments]
        return subprocess.run(command, capture_output=True, timeout=60, check=False)

    def temporary_files(self) -> list[Path]:
        """List what a run may have left beside the file."""
        return [path for path in self.file.parent.iterdir() if ".aspera-sse-" in path.name]

    def backups(self) -> list[Path]:
        """List the backups."""
        return [path for path in self.file.parent.iterdir() if path.name.endswith("~")]


#: Puts a command into a process table of its own: how many processes a machine has is no matter of the module.
ALONE = ("unshare", "--pid", "--fork", "--mount-proc")


def result_of(run: subprocess.CompletedProcess[bytes]) -> dict[str, object]:
    """Give the result, which must be the one line that a module prints."""
    assert run.stdout.startswith(b"\n{"), run
    assert run.stdout.endswith(b"}\n"), run
    assert run.stdout.isascii(), run
    assert run.returncode in {0, 1}, run
    assert b"DUMMY-SECRET" not in run.stdout, run
    return json.loads(run.stdout)
