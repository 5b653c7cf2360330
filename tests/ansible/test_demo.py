"""The first screen that a newcomer sees."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from aspera_roots import KEY
from controllers import PROJECT, Screen

if TYPE_CHECKING:
    from pathlib import Path

TENANT_KEYS = [KEY.replace("1234abcd", eight) for eight in ("aaaaaaaa", "bbbbbbbb")]


def test_the_demo_predicts_does_and_finds_done(folder: Path) -> None:
    """The playbook runs twice with the same diffs, then once without any. An audit follows. No secret is shown."""
    finished = subprocess.run(
        [PROJECT / "scripts/demo.sh"],
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        # Ansible uses the home folder in the account of a local user, regardless of HOME.
        env={**os.environ, "ANSIBLE_HOME": str(folder), "ANSIBLE_REMOTE_TMP": str(folder / "remote-tmp")},
    )
    screen = Screen.read(finished.stdout, finished.returncode)
    assert screen.exit_status == 0, screen.text
    assert [result.status for result in screen.results[:6]] == ["changed"] * 4 + ["ok"] * 2
    # The end is a table of five docroots, without a violation.
    assert {result.status for result in screen.results[6:]} == {"ok"}
    assert "Judged S3 docroots and users: 4. Violations: 0, unknown: 4, incomplete: 0." in screen.text
    assert "user lab        not S3" in screen.text
    predicted, done, done_again = (screen.results[run : run + 2] for run in (0, 2, 4))
    trapd, docroots = (result.edits for result in predicted)
    assert f"+server-side-encryption-aws-kms-key-id={KEY}" in trapd
    assert len(docroots) == len("-+") * len(TENANT_KEYS)
    for edit, key in zip(docroots[1::2], TENANT_KEYS, strict=True):
        assert "s3://****:****@" in edit
        assert edit.endswith(f"&amp;server-side-encryption-aws-kms-key-id={key}</absolute>")
    assert [result.diff for result in predicted] == [result.diff for result in done]
    assert [result.diff for result in done_again] == [[], []]
    assert screen.text.index("changed=2") < screen.text.rindex("changed=2") < screen.text.index("changed=0")
    # The user who runs this may have containers with services of the same names.
    warnings = [line for line in screen.text.splitlines() if "[WARNING]" in line]
    assert not [warning for warning in warnings if "Processes that are named like" not in warning]
    assert "DUMMY" not in screen.text
    before, after = screen.text.split("== 1.")[0], screen.text.split("loads when")[1].split("== 4.")[0]
    for key in (KEY, *TENANT_KEYS):
        assert key not in before
        assert after.count(key) == 1
