# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a compiled module with one command on the host.

A build is kept on the host, in the home of the user whom the task becomes. One command finds it there and runs it, with
the arguments on its standard input. Where it is not there yet, it is sent first. Where that way is closed, Ansible's
own way is taken, which sends the build and the arguments for each task.
"""

from __future__ import annotations

import functools
import json
import re
import shlex
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.module_utils.json_utils import _filter_non_json_lines
from ansible.parsing.ajson import AnsibleJSONEncoder
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible import constants

display = Display()

SCRIPTS = Path(__file__).resolve().parent
BINARIES = SCRIPTS.parent / "binaries"

#: Shells that run the scripts for the host.
SHELLS = ("ash", "bash", "dash", "sh")
#: Ways to become another user that keep standard input for themselves. Since ansible-core 2.19 they say so.
BECOME_WITHOUT_INPUT = ("doas", "machinectl", "su")
#: An option of ssh that asks for a terminal, through which no data can be sent as it is.
ASKS_FOR_TERMINAL = re.compile(r"(^|\s)-tt?(\s|$)|RequestTTY[= ]\"?(yes|force)", re.IGNORECASE)
#: What ssh tells of itself, the more so with -v.
SAID_BY_SSH = re.compile(r"debug\d|OpenSSH_|Authenticated to|Shared connection|Transferred|Bytes per second")
#: A line of a script after which no command ends.
CONTINUES = re.compile(r"(\b(do|then|else|in)|[{(|]|&&|;;)$")
#: Where builds are kept instead of in the home, if this variable of the host is set.
FOLDER_VARIABLE = "aspera_sse_cache_folder"


class NoFastPathError(Exception):
    """A kept build cannot be used; the text says why."""


class UnsupportedHostError(Exception):
    """There is no build for a host; the text is what `uname -sm` says there."""


@dataclass(frozen=True)
class Build:
    """A module, built for an architecture as `uname -m` names it."""

    module: str
    architecture: str
    sha256: str

    @property
    def path(self) -> Path:
        """The binary. By this name no other module is found when Ansible goes its own way."""
        return BINARIES / f"{self.module}_{self.architecture}"

    @property
    def system(self) -> str:
        """What `uname -sm` says on a host where it runs."""
        return f"Linux {self.architecture}"

    @classmethod
    def all_of(cls, module: str) -> list[Build]:
        """List the builds of a module."""
        sums = (line.split() for line in (BINARIES / "SHA256SUMS").read_text(encoding="ascii").splitlines())
        prefix = f"{module}_"
        return [cls(module, name[len(prefix) :], sha256) for sha256, name in sums if name.startswith(prefix)]


@dataclass(frozen=True)
class Answer:
    """What a script on the host printed."""

    stdout: str
    stderr: str
    rc: int

    @property
    def told(self) -> tuple[str, str]:
        """The last that it told of itself: a word, and what belongs to it. Nothing if it did not run."""
        lines = re.findall(r"^aspera_ops\.sse (\w+) ?(.*?)\r?$", self.stdout, re.MULTILINE)
        return lines[-1] if lines else ("nothing", "")

    @property
    def complaint(self) -> str:
        """What the shell, or what lies before it, complained about."""
        lines = [line for line in self.stderr.strip().splitlines() if not SAID_BY_SSH.match(line)]
        return f" ({lines[-1]})" if lines else ""


class CompiledModuleAction(ActionBase):
    """The action of a compiled module."""

    MODULE: str

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the module and return its result."""
        # Here, for ActionBase sets them when it is made.
        self._supports_check_mode = True
        self._supports_async = True
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        builds = Build.all_of(self.MODULE)
        try:
            try:
                self._refuse_what_takes_no_input()
                result.update(self._run_kept_build(builds, variables))
            except NoFastPathError as reason:
                display.v(
                    f"{self.MODULE} is sent to the host for this task alone, since {reason}.",
                    host=self._host(variables),
                )
                result.update(self._run_sent_build(builds, variables))
        except UnsupportedHostError as system:
            known = " and ".join(build.system for build in builds)
            result.update(
                failed=True, msg=f"There is no build of {self.MODULE} for {system}. There are builds for {known}."
            )
        return result

    def _refuse_what_takes_no_input(self) -> None:
        """Refuse ways to reach the host that are known not to carry data to a command, before anything is sent."""
        connection = self._connection
        become = connection.become
        become_name = become.name.rpartition(".")[2] if become else ""
        if self._task.async_val:
            raise NoFastPathError("it is asynchronous")
        if constants.DEFAULT_KEEP_REMOTE_FILES:
            raise NoFastPathError("files are to stay on the host (ANSIBLE_KEEP_REMOTE_FILES)")
        if not connection.has_pipelining:
            raise NoFastPathError(f"the connection {connection.transport} carries no data to a command")
        if become and (become_name in BECOME_WITHOUT_INPUT or not getattr(become, "pipelining", True)):
            raise NoFastPathError(f"{become_name} carries no data to a command")
        executable = (self._play_context.executable or "sh").rpartition("/")[2]
        if getattr(connection._shell, "SHELL_FAMILY", "") != "sh" or executable not in SHELLS:
            raise NoFastPathError("the shell is not a common one")
        if connection.transport.rpartition(".")[2] == "ssh":
            options = (connection.get_option(name) for name in ("ssh_args", "ssh_common_args", "ssh_extra_args"))
            if any(ASKS_FOR_TERMINAL.search(option or "") for option in options):
                raise NoFastPathError("ssh is told to ask for a terminal")

    def _run_kept_build(self, builds: list[Build], variables: dict[str, t.Any]) -> dict[str, t.Any]:
        head = self._head(builds, variables)
        arguments = self._arguments()
        self._update_module_args(self._task.action, arguments, variables)
        data = json.dumps(arguments).encode("ascii")
        answer = self._execute(head + script("run.sh"), data)
        if answer.told[0] == "miss":
            build = build_for(answer.told[1], builds)
            display.vvv(f"Sending {build.path.name} to be kept", host=self._host(variables))
            kept = self._execute(head + script("keep.sh"), build.path.read_bytes())
            if kept.told[0] != "kept":
                raise NoFastPathError("no folder on the host is safe to keep it in and lets it run")
            answer = self._execute(head + script("run.sh"), data)
        word, system = answer.told
        if word == "unsupported":
            raise UnsupportedHostError(system)
        if word == "terminal":
            raise NoFastPathError("the connection gives the command a terminal")
        if word != "run":
            raise NoFastPathError(f"the command that runs a kept build did not work there{answer.complaint}")
        return self._result(answer)

    def _head(self, builds: list[Build], variables: dict[str, t.Any]) -> str:
        """Tell a script for the host what it works on."""
        known = "".join(f"[{build.system} {build.sha256} {build.path.stat().st_size}]" for build in builds)
        folder = shlex.quote(self._folder(variables))
        environment = self._compute_environment_string()
        return f"name={self.MODULE} builds='{known}' folder={folder}; run() {{ {environment} \"$@\"; }}; "

    def _folder(self, variables: dict[str, t.Any]) -> str:
        if self._task.delegate_to:
            variables = variables["ansible_delegated_vars"][self._task.delegate_to]
        templar = self._templar.copy_with_new_env(available_variables=variables)
        folder = templar.template(variables.get(FOLDER_VARIABLE, ""))
        if folder and not (isinstance(folder, str) and folder.startswith("/")):
            raise AnsibleActionFail(f"{FOLDER_VARIABLE} must be the absolute path of a folder on the host.")
        return folder or ""

    def _arguments(self) -> dict[str, t.Any]:
        """Give the options of the task as plain values: secrets of a vault as text, dates as strings."""
        arguments: dict[str, t.Any] = json.loads(
            json.dumps(self._task.args, cls=AnsibleJSONEncoder, vault_to_text=True)
        )
        return arguments

    def _execute(self, command: str, data: bytes) -> Answer:
        try:
            answer = self._low_level_execute_command(command, in_data=data)
        except AnsibleError as error:
            # Where sudo ends at once, the connection at times sees no end but an open stderr.
            if "waiting for privilege escalation prompt" not in str(error):
                raise
            raise NoFastPathError("becoming the other user gave no answer") from error
        return Answer(answer["stdout"], answer["stderr"], answer["rc"])

    def _result(self, answer: Answer) -> dict[str, t.Any]:
        try:
            result = json.loads(_filter_non_json_lines(answer.stdout, objects_only=True)[0])
        except ValueError:
            return {
                "failed": True,
                "msg": f"{self.MODULE} ended without an answer, with exit status {answer.rc}.",
                "module_stdout": answer.stdout,
                "module_stderr": answer.stderr,
                "rc": answer.rc,
            }
        return {key: value for key, value in result.items() if not key.startswith("_ansible_")}

    def _run_sent_build(self, builds: list[Build], variables: dict[str, t.Any]) -> dict[str, t.Any]:
        """Go the way that Ansible goes for any module that is not in Python."""
        uname = self._low_level_execute_command("uname -sm")["stdout"].strip().splitlines()
        build = build_for(uname[-1].strip() if uname else "an unknown system", builds)
        self._shared_loader_obj.module_loader.add_directory(str(BINARIES))
        wrap_async = bool(self._task.async_val) and not self._connection.has_native_async
        result: dict[str, t.Any] = self._execute_module(
            module_name=build.path.name, module_args=self._arguments(), task_vars=variables, wrap_async=wrap_async
        )
        if not wrap_async:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return result

    def _host(self, variables: dict[str, t.Any]) -> str | None:
        return variables.get("inventory_hostname")


def build_for(system: str, builds: list[Build]) -> Build:
    """Find the build for a host by what `uname -sm` says there."""
    for build in builds:
        if build.system == system:
            return build
    raise UnsupportedHostError(system)


@functools.cache
def script(name: str) -> str:
    """Read a script for the host, in one line: some shells by which a host is entered take no more in quotes."""
    text = "".join((SCRIPTS / part).read_text(encoding="ascii") for part in ("places.sh", name))
    lines = [line.strip() for line in text.splitlines()]
    lines = [line if CONTINUES.search(line) else f"{line};" for line in lines if line and not line.startswith("#")]
    return " ".join(lines).rstrip(";")
