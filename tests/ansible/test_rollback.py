"""The playbook rollback: an earlier file comes back, unless somebody has changed it since."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from aspera_roots import KEY, AsperaRoot, shipped_properties

if TYPE_CHECKING:
    from pathlib import Path

    from controllers import Controller, Screen

KMS = {"server_side_encryption": "AWS_KMS", "kms_key_id": KEY}


class Server:
    """A server whose files the role has changed twice, so that there are two backups of each."""

    def __init__(self, controller: Controller, folder: Path) -> None:
        """Lay it out."""
        self.controller = controller
        self.inventory = folder / "inventory.json"
        self.root = AsperaRoot.lay_out(folder / "aspera", shipped_properties(), "4.3.1.100")
        variables = {
            "ansible_connection": "local",
            "ansible_become": False,
            "ansible_python_interpreter": "/no/python",
            "aspera_sse_root": str(self.root.folder),
        }
        self.inventory.write_text(json.dumps({"aspera": {"hosts": {"one": variables}}}), encoding="utf-8")
        self.files = {"s3.properties": self.root.properties, "aspera.conf": self.root.conf}
        self.contents = [self.now()]
        for setting in ({"server_side_encryption": "AES256"}, KMS):
            for module, options in (("aspera_trapd_sse", {}), ("aspera_docroot_sse", {"user": "acme"})):
                arguments = {"aspera_root": str(self.root.folder), "backup": True, **options, **setting}
                place = ("--inventory", self.inventory, "aspera", "-m", f"aspera_ops.sse.{module}")
                screen = controller.run("ansible", *place, "-a", json.dumps(arguments))
                assert screen.exit_status == 0, screen.text
            # The names of backups of one second do not say which is newer.
            for file in self.files.values():
                for backup in file.parent.glob(f"{file.name}.*@*~"):
                    if backup not in self.backups:
                        time = f"2026-01-0{1 + len(self.backups) // 2}@00:00:00~"
                        self.backups.append(backup.rename(f"{file}.{len(self.backups)}.{time}"))
            self.contents.append(self.now())

    @property
    def backups(self) -> list[Path]:
        """The backups in the order in which they were made."""
        return self.__dict__.setdefault("_backups", [])

    def now(self) -> dict[str, str]:
        """Read both files."""
        return {name: file.read_text(encoding="utf-8") for name, file in self.files.items()}

    def roll_back(self, *arguments: str) -> Screen:
        """Run the playbook."""
        place = ("--inventory", self.inventory, "aspera_ops.sse.rollback")
        return self.controller.run("ansible-playbook", *place, *arguments)


@pytest.mark.parametrize("name", ["s3.properties", "aspera.conf"])
def test_the_newest_backup_comes_back(installed: Controller, folder: Path, name: str) -> None:
    """Check mode shows the diff alone; the second run changes nothing; the other file stays, and so do the backups."""
    server = Server(installed, folder)
    _, before, last = server.contents
    arguments = ("-e", f"file={name}", "-e", "newest=true")
    predicted = server.roll_back("--check", *arguments)
    assert (predicted.exit_status, predicted.recap["one"]["changed"]) == (0, 1), predicted.text
    assert server.now() == last
    file = server.files[name]
    before_run = file.stat().st_mtime_ns
    done = server.roll_back(*arguments)
    assert (done.exit_status, done.recap["one"]["changed"]) == (0, 1), done.text
    assert server.now() == {**last, name: before[name]}
    diffs = [[result.diff for result in screen.results if result.diff] for screen in (predicted, done)]
    assert diffs[0] == diffs[1] != []
    assert "+server-side-encryption=AES256" in done.text or "server-side-encryption=AES256</absolute>" in done.text
    # A service that started before runs with another file, although the backup is older.
    assert file.stat().st_mtime_ns > before_run
    again = server.roll_back(*arguments)
    assert (again.exit_status, again.recap["one"]["changed"]) == (0, 0), again.text
    assert all(backup.exists() for backup in server.backups)
    assert "DUMMY" not in predicted.text + done.text


@pytest.mark.parametrize("name", ["s3.properties", "aspera.conf"])
def test_a_named_backup_comes_back(installed: Controller, folder: Path, name: str) -> None:
    """The oldest one, over the one between."""
    server = Server(installed, folder)
    first, _, last = server.contents
    (oldest,) = [backup for backup in server.backups[:2] if backup.name.startswith(name)]
    done = server.roll_back("-e", f"file={name}", "-e", f"backup_file={oldest}")
    assert (done.exit_status, done.recap["one"]["changed"]) == (0, 1), done.text
    assert server.now() == {**last, name: first[name]}


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("s3.properties", "s3service.https-only=true", "s3service.https-only=false"),
        ("aspera.conf", "/srv/lab", "/srv/laboratory"),
    ],
)
def test_a_file_that_somebody_has_changed_since_stays(
    installed: Controller, folder: Path, name: str, old: str, new: str
) -> None:
    """The message says how that is known, and names no content."""
    server = Server(installed, folder)
    text = server.now()[name]
    assert old in text
    server.files[name].write_text(text.replace(old, new), encoding="utf-8")
    changed = server.now()
    for arguments in (("--check",), ()):
        refused = server.roll_back("-e", f"file={name}", "-e", "newest=true", *arguments)
        assert refused.recap["one"] | {"failed": 1, "changed": 0} == refused.recap["one"], refused.text
        assert "differs from the backup" in refused.as_one_line
        assert "it has been changed since then" in refused.as_one_line
        assert server.now() == changed
        assert "DUMMY" not in refused.text


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "Set file to s3.properties or aspera.conf, and either newest=true or backup_file"),
        (("-e", "file=aspera.conf"), "Set file to s3.properties or aspera.conf"),
        (("-e", "file=docroots", "-e", "newest=true"), "Set file to s3.properties or aspera.conf"),
        (("-e", "file=aspera.conf", "-e", "newest=true", "-e", "backup_file=/b"), "either newest=true or backup_file"),
        (("-e", "file=aspera.conf", "-e", "backup_file=/etc/shadow"), "nor the path of a backup of"),
        (
            ("-e", "file=aspera.conf", "-e", "backup_file=ROOT/etc/aspera.conf.1.2020-01-01@00:00:00~"),
            "aspera.conf.1.2020-01-01@00:00:00~ does not exist",
        ),
    ],
)
def test_what_to_bring_back_must_be_clear(
    installed: Controller, folder: Path, arguments: tuple[str, ...], says: str
) -> None:
    """Nothing is guessed."""
    server = Server(installed, folder)
    before = server.now()
    root = str(server.root.folder)
    screen = server.roll_back(*(argument.replace("ROOT", root) for argument in arguments))
    assert screen.recap["one"] | {"failed": 1, "changed": 0} == screen.recap["one"], screen.text
    assert says in screen.as_one_line
    assert server.now() == before
