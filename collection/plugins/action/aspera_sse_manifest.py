# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ends a run that wrote evidence: what was not looked at gets a file that says so, and all sums are written."""

from __future__ import annotations

import json
import typing as t
from datetime import datetime, timezone
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.release import __version__ as ansible_version
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.collection_version import collection_version
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.evidence_file import Evidence
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.evidence_folder import EvidenceFolder, FolderError
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.signature import SignatureError, SigningKey

NOT_LOOKED_AT = "The run ended for this server before the audit looked at it. The output of the run says why."


class ActionModule(ActionBase):
    """Ends a run that wrote evidence."""

    _requires_connection = False
    _VALID_ARGS = frozenset(("evidence_dir", "signing_key", "skipped"))

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return how many files the folder has."""
        self._supports_check_mode = True
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        options: dict[str, t.Any] = json.loads(json.dumps(self._task.args, default=str))
        folder = EvidenceFolder(_path(options, "evidence_dir"))
        signing_key = SigningKey(_path(options, "signing_key")) if options.get("signing_key") else None
        result.update(changed=False, files=0)
        # In check mode, no evidence was written.
        if self._task.check_mode:
            return result
        try:
            for host in options.get("skipped") or []:
                if not folder.has_written(host):
                    folder.write(_skipped(host, (task_vars or {}).get("hostvars", {})))
            result["files"] = folder.finish(signing_key)
        except FolderError as error:
            raise AnsibleActionFail(str(error)) from error
        except SignatureError as error:
            raise AnsibleActionFail(f"{error}.") from error
        return result


def _skipped(host: str, hostvars: t.Any) -> Evidence:
    now = datetime.now(timezone.utc)
    known = host in hostvars
    return Evidence(
        host=host,
        groups=sorted(hostvars[host].get("group_names") or []) if known else [],
        state="skipped",
        message=NOT_LOOKED_AT,
        started_at=now,
        ended_at=now,
        versions={"collection": collection_version(), "ansible_core": ansible_version, "aspera": None},
        expectation=None,
    )


def _path(options: dict[str, t.Any], name: str) -> Path:
    path = options.get(name)
    if not isinstance(path, str) or not path.strip():
        raise AnsibleActionFail(f"{name} must be a path on the controller.")
    return Path(path).expanduser().absolute()
