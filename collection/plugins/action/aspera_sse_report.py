# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the report of a fleet from the evidence of its audits, on the controller alone."""

from __future__ import annotations

import json
import re
import typing as t
from datetime import datetime, timedelta, timezone
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.collection_version import collection_version
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.evidence_folder import FOLDER_MODE, replacing
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.evidence_source import read_source
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.host_text import safe_text
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.no_template import no_template
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.report_csv import csv_of
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.report_difference import (
    Previous,
    UnusablePreviousError,
    read_previous,
)
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.report_fleet import FAIL_ON, Report, report_of
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.report_host import Judging
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.report_page import page_of

AGE = re.compile(r"(?P<number>[0-9]{1,6})(?P<unit>[mhd])", re.ASCII)
UNITS = {"m": "minutes", "h": "hours", "d": "days"}
#: A night, and what a long run takes more.
DEFAULT_AGE = "26h"
DEFAULT_FAIL_ON = ["violated", "incomplete"]


class ActionModule(ActionBase):
    """Makes a report."""

    _requires_connection = False
    _VALID_ARGS = frozenset(
        ("allowed_signers", "evidence_dir", "fail_on", "inventory", "max_age", "previous", "report_dir")
    )

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return what the report says. A red report is no failure here: another task fails, after it was written."""
        self._supports_check_mode = True
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        options: dict[str, t.Any] = json.loads(json.dumps(self._task.args, default=str))
        folders = [_path(path, "evidence_dir") for path in _list(options.get("evidence_dir"), "evidence_dir")]
        if not folders:
            raise AnsibleActionFail(
                "evidence_dir names no folder. Name the folder that the audit wrote to, or a list of them."
            )
        report_dir = _path(options.get("report_dir"), "report_dir")
        fail_on = _fail_on(options.get("fail_on"))
        max_age = _age(options.get("max_age"))
        signers = _path(options["allowed_signers"], "allowed_signers") if options.get("allowed_signers") else None
        if signers and not signers.is_file():
            raise AnsibleActionFail(
                f"allowed_signers: {signers} is not a file. See ALLOWED SIGNERS in the manual of ssh-keygen."
            )
        inventory = options.get("inventory")

        previous, note = _previous(options, report_dir)
        # One folder may be named in two ways.
        sources = [read_source(folder, signers) for folder in {folder.resolve(): folder for folder in folders}.values()]
        judging = Judging(datetime.now(timezone.utc), max_age)
        report = report_of(sources, judging, _hosts(inventory), previous)
        if note:
            report.notes.insert(0, note)
        if not self._task.check_mode:
            _write(report, report_dir)
        result.update(
            changed=False,
            report=str(report_dir / "report.html"),
            proven=report.is_proven,
            summary=no_template(safe_text(report.summary)),
            counts=report.counts,
            failures=no_template([safe_text(failure) for failure in report.failures(fail_on)]),
            warnings=no_template([note] if note else []),
        )
        return result


def _previous(options: dict[str, t.Any], report_dir: Path) -> tuple[Previous | None, str | None]:
    """Read the report to compare with: by default the one that this run replaces. Also return why it was not read."""
    path = _path(options["previous"], "previous") if options.get("previous") else report_dir / "report.json"
    if not options.get("previous") and not path.exists():
        return None, None
    try:
        return read_previous(path), None
    except UnusablePreviousError as error:
        return None, str(error)


def _write(report: Report, folder: Path) -> None:
    """Write the three files, each whole: page, rows and all of it."""
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        files = {
            "report.html": page_of(report, collection_version()),
            "report.csv": csv_of(report),
            # Last, for the next report is compared with it.
            "report.json": (json.dumps(report.as_json(), separators=(",", ":")) + "\n").encode("ascii"),
        }
        for name, content in files.items():
            with replacing(folder / name, content):
                pass
    except OSError as error:
        raise AnsibleActionFail(f"The report cannot be written to {folder}: {error.strerror}.") from error


def _fail_on(value: t.Any) -> str:
    """Return the word that stands for most."""
    words = DEFAULT_FAIL_ON if value is None else _list(value, "fail_on")
    unknown = [word for word in words if word not in FAIL_ON]
    if unknown or not words:
        raise AnsibleActionFail(
            f"fail_on accepts only {', '.join(FAIL_ON)}. Without it, it is {', '.join(DEFAULT_FAIL_ON)}."
        )
    if "never" in words and len(set(words)) > 1:
        raise AnsibleActionFail("fail_on has never and another word. Keep only one of them.")
    return max(words, key=list(FAIL_ON).index)


def _age(value: t.Any) -> timedelta:
    found = AGE.fullmatch(str(DEFAULT_AGE if value is None else value).strip())
    if not found or not int(found["number"]):
        raise AnsibleActionFail(
            f"max_age must be a number of minutes, hours or days, such as 90m, {DEFAULT_AGE} or 7d."
        )
    return timedelta(**{UNITS[found["unit"]]: int(found["number"])})


def _hosts(value: t.Any) -> list[str] | None:
    """Without any host, there was no inventory."""
    hosts = _list(value, "inventory") if value is not None else []
    return hosts or None


def _list(value: t.Any, name: str) -> list[str]:
    """Read a list, or text with commas."""
    if value is None:
        return []
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",")] if name != "inventory" else [value]
        value = [part for part in value if part]
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        raise AnsibleActionFail(f"{name} must be text or a list of texts.")
    return value


def _path(value: t.Any, name: str) -> Path:
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise AnsibleActionFail(f"{name} must be a path on the controller.")
    return Path(value).expanduser().absolute()
