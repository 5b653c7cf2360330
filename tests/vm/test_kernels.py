"""The modules on other kernels, and on another processor: a change, no change, check mode, an audit, and failures."""

from __future__ import annotations

import json
import platform
from typing import TYPE_CHECKING

import packages
import pytest
from controllers import PROJECT
from guest import Guest
from initramfs import initramfs

if TYPE_CHECKING:
    from pathlib import Path

    from packages import Kernel

#: Each task: the module, its options, and what its answer must hold.
TASKS: list[tuple[str, dict[str, object], dict[str, object]]] = [
    ("aspera_trapd_sse", {"server_side_encryption": "AES256", "_ansible_check_mode": True}, {"changed": True}),
    ("aspera_trapd_sse", {"server_side_encryption": "AES256", "backup": True}, {"changed": True}),
    ("aspera_trapd_sse", {"server_side_encryption": "AES256"}, {"changed": False}),
    ("aspera_docroot_sse", {"all": True, "server_side_encryption": "AES256"}, {"changed": True}),
    ("aspera_docroot_sse", {"all": True, "server_side_encryption": "AES256"}, {"changed": False}),
    ("aspera_sse_info", {"expect": [{"server_side_encryption": "AES256"}]}, {"installed": True}),
    ("aspera_trapd_sse", {"state": "absent"}, {"changed": True}),
    ("aspera_docroot_sse", {"all": True, "state": "absent"}, {"changed": True}),
    ("aspera_trapd_sse", {"server_side_encryption": "aws:kms"}, {"failed": True}),
    ("aspera_docroot_sse", {"user": "nobody-there", "server_side_encryption": "AES256"}, {"failed": True}),
]

#: Runs the tasks, each in a line of the output, between the sums of the files; then one on a read-only disk, and one on
#: a full one.
SCRIPT = """
mkdir -p /opt && mount -t tmpfs -o size=2m none /opt && cp -a /aspera /opt/aspera
chmod 600 /opt/aspera/etc/aspera.conf
sums() { (cd /opt/aspera/etc && find . -type f ! -name '*~' | sort | xargs sha256sum | sha256sum); }
echo "SUM $(sums)"
for number in $(seq 0 %(last)d); do
    module=$(cat /tasks/$number.module)
    echo "ANSWER $(/modules-of-ours/$module /tasks/$number.json | tail -n 1)"
    echo "SUM $(sums)"
done
mount -o remount,ro /opt
echo "ANSWER $(/modules-of-ours/aspera_trapd_sse /tasks/1.json | tail -n 1)"
mount -o remount,rw /opt
dd if=/dev/zero of=/opt/filler bs=4096 2>/dev/null
echo "ANSWER $(/modules-of-ours/aspera_trapd_sse /tasks/1.json | tail -n 1)"
echo "SUM $(sums)"
ls -A /opt/aspera/etc/trapd | sed 's/^/LEFT /'
"""


def run_tasks(kernel: Kernel, programs: Path) -> tuple[list[dict], list[str], str]:
    """Run the tasks in a guest with a kernel; return the answers, the sums of the files around them, and the rest."""
    files: dict[str, bytes | Path] = {}
    for source in (PROJECT / "examples/sandbox").rglob("*"):
        if source.is_file():
            files[f"aspera/{source.relative_to(PROJECT / 'examples/sandbox')}"] = source
    for number, (module, options, _) in enumerate(TASKS):
        files[f"tasks/{number}.module"] = module.encode()
        files[f"tasks/{number}.json"] = json.dumps(options).encode()
        files[f"modules-of-ours/{module}"] = programs / module
    script = SCRIPT % {"last": len(TASKS) - 1}
    with Guest(kernel, initramfs(kernel, script, files=files), append="no_timer_check") as guest:
        output = guest.wait_for_end(240)
    lines = output.splitlines()
    answers = [json.loads(line.removeprefix("ANSWER ")) for line in lines if line.startswith("ANSWER ")]
    return answers, [line for line in lines if line.startswith("SUM ")], output


def check(answers: list[dict], sums: list[str], output: str) -> None:
    """Hold what the tasks answered, and what is in the files, against what they must do."""
    assert len(answers) == len(TASKS) + 2, output
    for (module, options, expected), answer, before, after in zip(TASKS, answers, sums, sums[1:], strict=False):
        said = f"{module} {options}: {answer}"
        assert {key: answer.get(key) for key in expected} == expected, said
        is_written = expected.get("changed", False) and not options.get("_ansible_check_mode")
        assert (before != after) == is_written, said
    audit = answers[5]
    assert {one["effective"]["server_side_encryption"] for one in audit["docroots"] if one["scheme"] == "s3"} == {
        "AES256"
    }
    # There and back.
    assert sums[len(TASKS)] == sums[0]
    read_only, full = answers[-2:]
    for answer, word in ((read_only, "read-only"), (full, "space")):
        assert answer["failed"] is True
        assert word in answer["msg"].lower(), answer
    assert sums[-1] == sums[0]
    left = [line.removeprefix("LEFT ") for line in output.splitlines() if line.startswith("LEFT ")]
    assert [name for name in left if not name.endswith("~")] == ["s3.properties"]


@pytest.mark.parametrize("version", packages.KERNELS)
def test_the_modules_on_a_kernel(version: str) -> None:
    """They do the same on each."""
    kernel = packages.kernel(version)
    assert kernel.version.startswith(version)
    check(*run_tasks(kernel, PROJECT / "target" / f"{platform.machine()}-unknown-linux-musl/release"))


@pytest.mark.parametrize("version", ["6.1", "6.12"])
def test_the_modules_on_aarch64(version: str) -> None:
    """The builds for aarch64, on a kernel of that processor."""
    kernel = packages.kernel(version, "aarch64")
    check(*run_tasks(kernel, PROJECT / "target/aarch64-unknown-linux-musl/release"))
