"""What a newcomer sees first."""

from __future__ import annotations

import subprocess

from aspera_roots import KEY
from controllers import PROJECT, Screen


def test_the_demo_foretells_does_and_finds_done() -> None:
    """Three runs of one playbook: the same diff twice, then none."""
    finished = subprocess.run(
        [PROJECT / "scripts/demo.sh"],
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    screen = Screen.read(finished.stdout, finished.returncode)
    assert screen.exit_status == 0, screen.text
    assert [result.status for result in screen.results] == ["changed", "changed", "ok"]
    foretold, done, done_again = (result.diff for result in screen.results)
    assert f"+server-side-encryption-aws-kms-key-id={KEY}" in foretold
    assert foretold == done
    assert done_again == []
    assert screen.text.index("changed=1") < screen.text.rindex("changed=1") < screen.text.index("changed=0")
    assert "[WARNING]" not in screen.text
    assert screen.text.rstrip().endswith(f"server-side-encryption-aws-kms-key-id={KEY}")
