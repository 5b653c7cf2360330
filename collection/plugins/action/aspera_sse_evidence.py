# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at a host with info modules, and writes what came of it to a file on the controller.

It does not fail because a host cannot be reached or a module fails: that is what the evidence then says. So a play goes
on for all hosts until the folder of evidence is complete, and fails after that.
"""

from __future__ import annotations

import json
import re
import typing as t
from datetime import datetime, timezone
from pathlib import Path

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.release import __version__ as ansible_version
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.answer import Rules
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.collection_version import collection_version
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.compiled_module import SAID_BY_SSH
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.evidence_file import Answer, Evidence, Sums, utc_text
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.evidence_folder import EvidenceFolder, FolderError
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.evidence_key import (
    EvidenceKey,
    UnusableKeyError,
    default_path,
)
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.host_text import safe_text
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.no_template import no_template

COLLECTION = "aspera_ops.sse"
#: Modules that change nothing have such names.
INFO_MODULE = re.compile(r"aspera_[a-z0-9_]+_info")
#: The option of a module that takes a key, and the sums under it.
KEY_OPTION = "sums_key"
#: Characters of a message that are kept.
MESSAGE_LIMIT = 2000
#: What is in every result and says nothing about the host.
NO_ANSWER = ("changed", "deprecations", "diff", "failed", "invocation", "msg", "rc", "sums", "warnings")
#: From the best to the worst.
STATES = ("answered", "skipped", "failed", "unreachable")

#: The name of a module, and its options.
Look: t.TypeAlias = "tuple[str, dict[str, t.Any]]"


class ActionModule(ActionBase):
    """Looks at a host, and writes evidence of it."""

    _VALID_ARGS = frozenset(("evidence_dir", "key_file", "looks", "problems"))

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return what the modules answered, and where the evidence is."""
        self._supports_check_mode = True
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        options: dict[str, t.Any] = json.loads(json.dumps(self._task.args, default=str))
        looks = _looks(options, variables.get("omit"))
        problems = [str(problem) for problem in options.get("problems") or []]
        folder = _folder(options)
        # Before anything is sent: without it, there is no evidence.
        key = self._key(options) if folder else None

        self._warnings: list[str] = []
        started_at = datetime.now(timezone.utc)
        sums: dict[str, t.Any] | None = None
        answers: dict[str, Answer] = {}
        is_reachable = True
        for module, arguments in looks if not problems else ():
            if not is_reachable:
                answers[module] = Answer("skipped", "The server was no longer reachable.")
                continue
            answers[module], found = self._look(module, arguments, key, variables)
            sums = sums or found
            is_reachable = answers[module].state != "unreachable"

        state = max((answer.state for answer in answers.values()), key=STATES.index, default="failed")
        messages = problems or [answer.message or "" for answer in answers.values() if answer.state == state]
        evidence = Evidence(
            host=variables["inventory_hostname"],
            groups=sorted(variables.get("group_names") or []),
            state="looked" if state == "answered" else state,
            message=None if state == "answered" else " ".join(filter(None, messages)),
            started_at=started_at,
            ended_at=datetime.now(timezone.utc),
            versions={
                "collection": collection_version(),
                "ansible_core": ansible_version,
                "aspera": _aspera_version(answers),
            },
            expectation=_expectation(looks, answers),
            sums=Sums(key=key.name, **sums) if key and sums else None,
            answers=answers,
        )
        path = None
        # Check mode writes no evidence.
        if folder and not self._task.check_mode:
            try:
                path = str(folder.write(evidence))
            except FolderError as error:
                raise AnsibleActionFail(str(error)) from error
        result.update(
            changed=False,
            state=evidence.state,
            message=evidence.message,
            started_at=utc_text(started_at),
            path=path,
            warnings=no_template(self._warnings),
            answers=no_template({module: answer.values for module, answer in answers.items() if answer.values}),
        )
        return result

    def _key(self, options: dict[str, t.Any]) -> EvidenceKey:
        path = options.get("key_file")
        try:
            return EvidenceKey.of_file(Path(path).expanduser() if path else default_path())
        except UnusableKeyError as error:
            raise AnsibleActionFail(str(error)) from error

    def _look(
        self, module: str, arguments: dict[str, t.Any], key: EvidenceKey | None, variables: dict[str, t.Any]
    ) -> tuple[Answer, dict[str, t.Any] | None]:
        """Run a module. Return what came of it, and the sums of files if it made them."""
        if key and KEY_OPTION in Rules.of_module(module).options:
            arguments = {**arguments, KEY_OPTION: key.for_host(variables["inventory_hostname"])}
        task = self._task.copy()
        task.args = arguments
        task.action = f"{COLLECTION}.{module}"
        action = self._shared_loader_obj.action_loader.get(
            task.action,
            task=task,
            connection=self._connection,
            play_context=self._play_context,
            loader=self._loader,
            templar=self._templar,
            shared_loader_obj=self._shared_loader_obj,
        )
        try:
            result = action.run(task_vars=variables)
        except AnsibleConnectionFailure as error:
            return Answer("unreachable", _sentence(error)), None
        except AnsibleError as error:
            return Answer("failed", _sentence(error)), None
        self._warnings.extend(result.get("warnings") or [])
        for state in ("unreachable", "failed", "skipped"):
            if result.get(state):
                return Answer(state, _sentence(result.get("msg") or f"The module was {state}.")), None
        values = json.loads(json.dumps({name: result[name] for name in result if name not in NO_ANSWER}))
        found = result.get("sums")
        return Answer("answered", None, values), json.loads(json.dumps(found)) if found else None


def _sentence(message: t.Any) -> str:
    """Return what a person needs of a message: with -vvv, that of a connection has all that ssh says of itself."""
    lines = (line.strip() for line in str(message).splitlines())
    text = safe_text(" ".join(line for line in lines if line and not SAID_BY_SSH.match(line)))
    return text if len(text) <= MESSAGE_LIMIT else text[: MESSAGE_LIMIT - 3] + "..."


def _looks(options: dict[str, t.Any], omitted: t.Any) -> list[Look]:
    """Read which modules are to look, and how."""
    looks: list[Look] = []
    for look in options.get("looks") or []:
        module = str(look.get("module", "")).removeprefix(f"{COLLECTION}.")
        if not INFO_MODULE.fullmatch(module):
            raise AnsibleActionFail("looks may only name info modules of this collection, such as aspera_sse_info.")
        # Before ansible-core 2.19, what is omitted below the first level is still there.
        arguments = look.get("options") or {}
        looks.append((module, {name: value for name, value in arguments.items() if value != omitted}))
    if not looks:
        raise AnsibleActionFail("looks is empty. Name the info modules to run.")
    return looks


def _folder(options: dict[str, t.Any]) -> EvidenceFolder | None:
    path = options.get("evidence_dir")
    if path is None:
        return None
    if not isinstance(path, str) or not path.strip():
        raise AnsibleActionFail("evidence_dir must be the path of a folder on the controller.")
    return EvidenceFolder(Path(path).expanduser().absolute())


def _expectation(looks: list[Look], answers: dict[str, Answer]) -> list[dict[str, t.Any]] | None:
    """Return what was expected, if a module took it: what it refuses may be a secret in the wrong place."""
    for module, arguments in looks:
        expected = arguments.get("expect")
        if expected and module in answers and answers[module].state == "answered":
            return list(expected)
    return None


def _aspera_version(answers: dict[str, Answer]) -> str | None:
    for answer in answers.values():
        version = (answer.values or {}).get("version")
        if isinstance(version, str):
            return version
    return None
