"""Many docroots by one task: our module against a script with lxml, and against community.general.xml for each user."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ansible_modules import packed
from measure import median_seconds, peak_bytes
from tables import megabytes, milliseconds, table, times

HERE = Path(__file__).parent
MODULE = HERE.parent / "library/aspera_docroot_sse"
RUNS = 11
RUNS_OF_XML = 20
#: One of so many users is changed.
SHARE = 10
USER = """          <user>
            <name>user{0:05}</name>
            <authorization>
              <transfer>
                <in><value>token</value></in>
                <out><value>token</value></out>
              </transfer>
              <token><encryption_key>DUMMY-SECRET-{0:05}</encryption_key></token>
            </authorization>
            <file_system>
              <access>
                <paths>
                  <path>
                    <absolute>s3://DUMMYKEY:DUMMY%2FSECRET@s3.amazonaws.com/bucket-{0:05}/$(name)?storage-class=STANDARD</absolute>
                    <read_allowed>true</read_allowed>
                    <write_allowed>true</write_allowed>
                    <dir_allowed>true</dir_allowed>
                  </path>
                </paths>
              </access>
            </file_system>
          </user>
"""
ABOVE = """<?xml version='1.0' encoding='UTF-8'?>
<CONF version="2">
  <aaa>
    <realms>
      <realm>
        <users>
"""
BELOW = """        </users>
      </realm>
    </realms>
  </aaa>
</CONF>
"""


def run(folder: Path) -> str:
    """Measure and give the report."""
    file = folder / "aspera.conf"
    rows = []
    ours = 0.0
    for users in (100, 1_000, 10_000):
        before = ABOVE + "".join(USER.format(number) for number in range(users)) + BELOW
        ours, rows_of_size = rows_of(file, users, before, folder)
        rows.extend(rows_of_size)
    head = ["users (changed)", "ours", "lxml", "ours/lxml", "peak/file", "lxml's peak/file", "ours/lxml"]
    return f"{table(head, rows)}\n\n{against_xml(file, folder, ours)}\n\n{of_info(folder)}"


def rows_of(file: Path, users: int, before: str, folder: Path) -> tuple[float, list[list[str]]]:
    """Measure one size: without a diff, with one, and unchanged. Return the first time, and the rows."""

    def prepare() -> None:
        file.write_text(before)

    changed = [f"user{number:05}" for number in range(0, users, SHARE)]
    names = folder / "names.json"
    names.write_text(json.dumps(changed))
    script = [sys.executable, HERE / "set_docroots_with_lxml.py", file, names]
    lxml = (median_seconds(script, RUNS, prepare), peak_bytes(script, prepare))
    rows, seconds = [], []
    for what, wants_diff, prepare_it in (
        ("", False, prepare),
        (" with --diff", True, prepare),
        (" unchanged", False, lambda: None),
    ):
        ours = [MODULE, arguments(folder, file, changed, wants_diff=wants_diff)]
        measured = (median_seconds(ours, RUNS, prepare_it), peak_bytes(ours, prepare_it))
        size = len(before)
        seconds.append(measured[0])
        rows.append(
            [
                f"{users:,} ({len(changed):,}){what}",
                milliseconds(measured[0]),
                milliseconds(lxml[0]),
                f"{measured[0] / lxml[0]:.2f}",
                f"{measured[1] / size:.1f}",
                f"{lxml[1] / size:.1f}",
                f"{measured[1] / lxml[1]:.2f}",
            ]
        )
    return seconds[0], rows


def arguments(folder: Path, file: Path, users: list[str], *, wants_diff: bool) -> Path:
    """Write the arguments of a task that changes some users."""
    path = folder / "arguments.json"
    task = {
        "path": str(file),
        "server_side_encryption": "AES256",
        "docroots": [{"user": user} for user in users],
        "_ansible_diff": wants_diff,
        "_ansible_no_log": True,
    }
    path.write_text(json.dumps(task))
    return path


def against_xml(file: Path, folder: Path, ours: float) -> str:
    """Measure community.general.xml, which changes one user a task, and what all of them would take beside ours."""
    users = [f"user{number:05}" for number in range(0, 10_000, SHARE)]
    before = file.read_text().replace("&amp;server-side-encryption=AES256", "")

    def prepare() -> None:
        file.write_text(before)

    prepare()
    options = {
        "path": str(file),
        "xpath": f"/CONF/aaa/realms/realm/users/user[name='{users[0]}']/file_system/access/paths/path/absolute",
        "value": "s3://DUMMYKEY:DUMMY%2FSECRET@s3.amazonaws.com/bucket?server-side-encryption=AES256",
    }
    theirs = [sys.executable, packed("community.general.xml", options, folder)]
    one = median_seconds(theirs, RUNS_OF_XML, prepare)
    return (
        f"`community.general.xml` changes one user a task: {milliseconds(one)} on the host for one of 10,000 users "
        f"(median of {RUNS_OF_XML}), its peak {megabytes(peak_bytes(theirs, prepare))}. "
        f"For {len(users):,} users that makes {one * len(users):.0f} s, {times(one * len(users) / ours)} what our one "
        f"task takes ({milliseconds(ours)}), without the way over the network for each."
    )


def of_info(folder: Path) -> str:
    """Measure how long the module that only looks takes for a megabyte of docroots."""
    root = folder / "aspera"
    (root / "etc").mkdir(parents=True)
    users = 1_000_000 // len(USER)
    (root / "etc/aspera.conf").write_text(ABOVE + "".join(USER.format(number) for number in range(users)) + BELOW)
    path = folder / "info.json"
    path.write_text(json.dumps({"aspera_root": str(root), "_ansible_no_log": True}))
    command = [MODULE.with_name("aspera_sse_info"), path]
    time, peak = median_seconds(command, 51), peak_bytes(command)
    return (
        f"`aspera_sse_info` reports {users:,} docroots (1 MB) in {milliseconds(time)}, "
        f"with a peak of {megabytes(peak)}, where neither `ascp` nor `systemctl` has to be waited for."
    )
