"""Too little memory, disks that fail, full ones and quotas: an answer in JSON, and the old file or the new one."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from file_systems import FILE_SYSTEMS, FileSystem
from guest import drive
from power_cuts import SANDBOX, seeds
from tasks_in_guests import PROGRAMS, run_script

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT = 600
KILLED = 137
MIB = 1 << 20

#: In milliseconds: from before the task begins to after its end.
DELAYS = range(0, 200, 10)


@dataclass(frozen=True)
class Answer:
    """What a task answered, and what the file was then."""

    case: str
    status: int
    content: str
    left: str
    result: dict[str, object]

    @property
    def message(self) -> str:
        """The sentence of a failure, or none."""
        return str(self.result.get("msg", ""))

    def is_of_old_or_new(self, old: str, new: str) -> bool:
        """Say whether the file is what the answer says, whole."""
        return self.content == (new if self.result["changed"] else old) and self.status == int("failed" in self.result)


def answers(output: str) -> list[Answer]:
    """Read what a script reports."""
    found = []
    for line in re.findall(r"^ANSWER (.*)$", output, re.M):
        case, status, content, left, answer = line.split(" ", 4)
        if int(status) == KILLED:
            # docs/security.md: where Linux kills a process for want of memory, nobody can answer.
            answer = '{"failed": true, "changed": false, "msg": "killed for want of memory"}'
            status = "1"
        assert answer.strip().startswith("{"), f"no answer in JSON: {line}"
        found.append(Answer(case, int(status), content, left, json.loads(answer)))
    assert found, output
    return found


def make(file_system: FileSystem, folder: Path, *more: str | Path) -> Path:
    """Make an image of a file system."""
    image = folder / "disk"
    file_system.create(image, *more)
    return image


def test_the_largest_files_in_a_guest_with_60_mib(tmp_path: Path, count: Callable[[str, int], None]) -> None:
    """An s3.properties of 1 MiB is changed; an aspera.conf that takes more than there is stays as it was.

    Of 96 MiB, the kernel leaves 60; in 64, that of Debian does not start.
    """
    large = tmp_path / "content/large"
    large.mkdir(parents=True)
    properties = seeds()["trapd"]
    (large / "trapd-1").write_bytes(properties + b"#" * (MIB - len(properties) - 1) + b"\n")
    for size in (1, 4, 16, 64):
        (large / f"conf-{size:02}").write_bytes(conf_of(size * MIB))
    ext4 = FILE_SYSTEMS["ext4"].of_size(400 * MIB)
    disk = make(ext4, tmp_path, "-d", large.parent)
    output = run_script(
        "little_memory.sh", {}, [drive(disk)], LIMIT, kernel_modules=ext4.modules, memory=96, programs={}
    )
    found = answers(output)
    assert len(found) == 5, output
    for answer in found:
        assert answer.is_of_old_or_new("old", "new"), answer
        assert answer.left == "0", answer
        assert not answer.message or "memory" in answer.message, answer
    assert [answer.case for answer in found if answer.content == "new"][-1] == "trapd-1"
    count("large files in a guest with 60 MiB", len(found))


@pytest.mark.parametrize("options", ["errors=continue", "errors=remount-ro"])
def test_a_disk_that_fails_in_the_middle(options: str, tmp_path: Path, count: Callable[[str, int], None]) -> None:
    """By errors of the device mapper; after the next start, the file is what the answer said."""
    disk = make(FILE_SYSTEMS["ext4"], tmp_path)
    settings = {"OPTIONS": options, "DELAYS": " ".join(map(str, DELAYS))}
    output = run_script(
        "failing_disk.sh",
        settings,
        [drive(disk)],
        LIMIT,
        kernel_modules=("dm_mod", "dm_flakey", *FILE_SYSTEMS["ext4"].modules),
        programs={**PROGRAMS, "dmsetup": ("dmsetup",)},
        files={"seeds/trapd": seeds()["trapd"]},
    )
    found = {answer.case: answer for answer in answers(output)}
    assert len(found) == 2 + len(DELAYS), output
    assert "NOT MOUNTED" not in output, output
    for answer in found.values():
        # Only the sync of the folder can fail after the file is the new one; then a start may give back the old one.
        if "its folder could not be synced" in answer.message:
            assert answer.content in {"A", "B"}, answer
        else:
            assert answer.is_of_old_or_new("A", "B"), answer
        assert answer.left == "A0", f"the next tasks failed or left something: {answer}"
        assert not answer.message or re.search("I/O error|read-only", answer.message), answer
    assert "Could not read" in found["reads"].message
    assert "Check the disk." in found["reads"].message
    assert found["writes"].message
    count("moments at which a disk fails", len(found))


@pytest.mark.parametrize("name", ["ext4", "xfs", "btrfs"])
def test_a_full_disk(name: str, tmp_path: Path, count: Callable[[str, int], None]) -> None:
    """Also one that writes nothing in place, and so may need space to remove a file."""
    file_system = FILE_SYSTEMS[name]
    # With data and metadata in one, as for small disks: else btrfs gives space back only later.
    disk = make(file_system, tmp_path, *(("--mixed",) if name == "btrfs" else ()))
    settings = {"KIND": file_system.kind, "OPTIONS": "rw", "STEPS": "0 64 128 512 4096"}
    files = {"seeds/trapd": seeds()["trapd"]}
    output = run_script("full_disk.sh", settings, [drive(disk)], LIMIT, kernel_modules=file_system.modules, files=files)
    found = answers(output)
    assert len(found) == 5, output
    for answer in found:
        assert answer.is_of_old_or_new("A", "B"), answer
        assert answer.left == "0", answer
        assert not answer.message or "no space left on device. Free some space there." in answer.message, answer
    assert "FAILED" not in output, f"with space again: {output}"
    count(f"amounts of free space on {name}", len(found))


def test_a_quota(tmp_path: Path, count: Callable[[str, int], None]) -> None:
    """Of the user who runs the task; root has none."""
    ext4 = FILE_SYSTEMS["ext4"]
    disk = make(ext4, tmp_path, "-O", "quota")
    output = run_script(
        "quota.sh",
        {"LIMITS": "16 20 24 28 32 200"},
        [drive(disk)],
        LIMIT,
        kernel_modules=("quota_v2", *ext4.modules),
        programs={**PROGRAMS, "quota": ("setquota",)},
        files={"seeds/trapd": seeds()["trapd"]},
    )
    found = answers(output)
    assert "no quota" not in output, output
    for answer in found:
        assert answer.is_of_old_or_new("A", "B"), answer
        assert answer.left == "0", answer
        assert not answer.message or "quota exceeded. Free some space there." in answer.message, answer
    assert [bool(answer.message) for answer in found][:: len(found) - 1] == [True, False], output
    count("quotas", len(found))


def conf_of(size: int) -> bytes:
    """Return an aspera.conf of just that size, full of users."""
    conf = (SANDBOX / "aspera.conf").read_bytes()
    user = re.search(rb" *<user>\s*<name>acme</name>.*?</user>\n", conf, re.S)[0]
    rest = len(conf) - len(user)
    number = (size - rest) // len(user.replace(b"acme", b"acme0000000"))
    users = b"".join(user.replace(b"acme", b"acme%07d" % one) for one in range(number))
    whole = conf.replace(user, users)
    return whole + b"\n" * (size - len(whole))
