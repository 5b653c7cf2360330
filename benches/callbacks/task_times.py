"""Writes down when each task started, and when the result of each host was there, as lines of JSON in $TASK_TIMES."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: task_times
type: notification
short_description: Writes down the times of tasks
description: For the benchmarks of this project.
"""


class CallbackModule(CallbackBase):
    """A line for each result; times in seconds of a clock that only goes forward."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "task_times"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        """Open the file."""
        super().__init__()
        self.file = Path(os.environ["TASK_TIMES"]).open("w", encoding="utf-8")  # noqa: SIM115 For as long as Ansible runs.
        self.start = 0.0

    def v2_playbook_on_task_start(self, task: object, is_conditional: bool) -> None:
        """Note when it starts. Hosts do each task together, so there is one at a time."""
        self.start = time.perf_counter()

    def v2_runner_on_ok(self, result: object) -> None:
        """Note a result."""
        self.note(result, "ok")

    def v2_runner_on_skipped(self, result: object) -> None:
        """Note that there was nothing to do."""
        self.note(result, "skipped")

    def v2_runner_on_failed(self, result: object, ignore_errors: bool = False) -> None:
        """Note a failure; Ansible ends with it."""
        self.note(result, "failed")

    def note(self, result: object, status: str) -> None:
        """Write a line."""
        line = {
            "task": result._task.get_name(),
            "host": result._host.get_name(),
            "start": self.start,
            "end": time.perf_counter(),
            # The answer itself is not touched: Ansible would copy it once more, which takes long for a large one.
            "status": "changed" if result.is_changed() else status,
        }
        self.file.write(json.dumps(line) + "\n")
        self.file.flush()
