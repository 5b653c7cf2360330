# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a compiled module with one command on the host.

A build is kept on the host, in the home of the user whom the task becomes. One command finds it there and runs it, with
the arguments on its standard input, or in the command itself where `command_line.py` allows that. Where it is not there
yet, it is sent first. Where that way is closed, Ansible's own way is taken, which sends the build and the arguments for
each task. Either way, `answer.py` checks what comes back.
"""

from __future__ import annotations

import functools
import json
import re
import shlex
import time
import typing as t
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.parsing.ajson import AnsibleJSONEncoder
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible import constants

from .answer import NoAnswerError, RefusedAnswerError, Rule, Rules, check_answer
from .build import BINARIES, Build, UnsupportedHostError, build_for
from .command_line import for_command
from .host_text import safe_line, safe_output
from .no_template import no_template
from .refusal import Refusal

try:
    from ansible.vars.clean import remove_internal_keys
except ImportError:  # It is gone in 2.21, where such keys of an action's result mean nothing any more.
    remove_internal_keys = None

display = Display()

SCRIPTS = Path(__file__).resolve().parent

#: Shells that run the scripts for the host.
SHELLS = ("ash", "bash", "dash", "sh")
#: Ways to become another user that keep standard input for themselves. Since ansible-core 2.19 they say so.
BECOME_WITHOUT_INPUT = ("doas", "machinectl", "su")
#: An option of ssh that asks for a terminal, through which no data can be sent as it is.
ASKS_FOR_TERMINAL = re.compile(r"(^|\s)-tt?(\s|$)|RequestTTY[= ]\"?(yes|force)", re.IGNORECASE)
#: What ssh says about itself, the more so with -v.
SAID_BY_SSH = re.compile(r"debug\d|OpenSSH_|Authenticated to|Shared connection|Transferred|Bytes per second")
#: What the scripts report: a word, and what belongs to it.
TOLD = re.compile(r"^aspera_ops\.sse (\w+) ?(.*?)\r?$", re.MULTILINE)
#: A line of a script after which no command ends.
CONTINUES = re.compile(r"(\b(do|then|else|in)|[{(|]|&&|;;)$")
#: Where builds are kept instead of in the home, if this variable of the host is set.
FOLDER_VARIABLE = "aspera_sse_cache_folder"
#: Whether options may stand in a command, unless this variable of the host says no.
COMMAND_VARIABLE = "aspera_sse_options_in_command"
#: Whether check mode keeps a build on a host that has none. It does not, unless this variable of the host says yes.
CHECK_MODE_VARIABLE = "aspera_sse_keep_in_check_mode"

#: What is true or false for Ansible itself.
JOB_FLAGS = ("changed", "failed")
#: What Ansible's own programs for background jobs answer. Newer ones say true where older ones say 1.
JOB_VALUES: dict[str, Rule] = {
    **dict.fromkeys((*JOB_FLAGS, "finished", "started"), "flag"),
    **dict.fromkeys(("ansible_job_id", "results_file"), "str"),
}
JOB_IGNORED = frozenset(
    ["_ansible_suppress_tmpdir_delete", "cmd", "erased", "outdata", "stderr", "stderr_lines", "stdout", "stdout_lines"]
)
JOB_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")


class NoFastPathError(Exception):
    """A kept build cannot be used; the text says why."""


@dataclass(frozen=True)
class Command:
    """A command for the host, and what goes by its standard input, if anything does."""

    text: str
    data: bytes | None

    @classmethod
    def of(cls, head: str, name: str, data: bytes | None = None, arguments: str = "") -> Command:
        """Have a script work on what its head says; it gets arguments in the command, or data by standard input."""
        return cls(f"arguments={shlex.quote(arguments)}; {head}{script(name)}", data)


@dataclass(frozen=True)
class Output:
    """What a command on the host printed."""

    stdout: str
    stderr: str
    rc: int

    @property
    def report(self) -> tuple[str, str]:
        """The last report of a script: a word, and what belongs to it. Nothing if it did not run."""
        # A host can print millions of such lines.
        lines = deque(TOLD.finditer(self.stdout), maxlen=1)
        return (lines[0][1], lines[0][2]) if lines else ("nothing", "")

    @property
    def complaint(self) -> str:
        """What the shell, or what lies before it, complained about."""
        lines = [line for line in self.stderr.strip().splitlines() if not SAID_BY_SSH.match(line)]
        return f" ({safe_line(lines[-1])})" if lines else ""


class CompiledModuleAction(ActionBase):
    """The action of a compiled module."""

    MODULE: str
    #: Its builds, and what it may answer.
    builds: t.ClassVar[list[Build]]
    rules: t.ClassVar[Rules]
    #: What the program that runs on the host next may answer.
    _rules: Rules
    #: What it answered.
    _answer: dict[str, t.Any] | None = None
    #: The variables of the task.
    _variables: dict[str, t.Any]

    def __init_subclass__(cls, **arguments: t.Any) -> None:
        """Read what the tasks need. Ansible imports an action before it starts a process for each task and host."""
        super().__init_subclass__(**arguments)
        if "MODULE" not in cls.__dict__:
            # Mitogen makes a class of its own for each task.
            return
        cls.builds = Build.all_of(cls.MODULE)
        cls.rules = Rules.of_module(cls.MODULE)

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the module and return its result."""
        # Here, for ActionBase sets them when it is made.
        self._supports_check_mode = True
        self._supports_async = True
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        self._rules = self.rules
        variables = task_vars or {}
        builds = self.builds
        try:
            values = self._run(builds, variables)
        except UnsupportedHostError as system:
            known = " and ".join(build.system for build in builds)
            msg = f"There is no build of {self.MODULE} for {safe_line(str(system))}. There are builds for {known}."
            values = {"failed": True, "msg": msg}
        except RefusedAnswerError as reason:
            values = {
                "failed": True,
                "msg": f"The answer of {self._answering_host(variables)} to {self.MODULE} was refused, because "
                f"{reason}; the module never gives such an answer, so find out what runs in its place there, and "
                "remove the kept builds with the playbook aspera_ops.sse.remove_kept_builds.",
            }
        if remove_internal_keys:
            remove_internal_keys(values)
        result.update(no_template(values))
        return result

    def _run(self, builds: list[Build], variables: dict[str, t.Any]) -> dict[str, t.Any]:
        try:
            self._refuse_what_takes_no_input()
            return self._run_kept_build(builds, variables)
        except NoFastPathError as reason:
            display.v(
                f"{self.MODULE} is sent to the host for this task alone, since {reason}.",
                host=self._host(variables),
            )
            return self._run_sent_build(builds, variables)

    def _refuse_what_takes_no_input(self) -> None:
        """Refuse ways to reach the host that are known not to carry data to a command, before anything is sent."""
        connection = self._connection
        become = connection.become
        become_name = become.name.rpartition(".")[2] if become else ""
        if self._task.async_val:
            raise NoFastPathError("it is asynchronous")
        if constants.DEFAULT_KEEP_REMOTE_FILES:
            raise NoFastPathError("files are to stay on the host (ANSIBLE_KEEP_REMOTE_FILES)")
        executable = (self._play_context.executable or "sh").rpartition("/")[2]
        if getattr(connection._shell, "SHELL_FAMILY", "") != "sh" or executable not in SHELLS:
            raise NoFastPathError("the shell is not a common one")
        if self._is_mitogen:
            # It runs each command as the other user already, and carries data to it, which it does not say.
            return
        if not connection.has_pipelining:
            raise NoFastPathError(f"the connection {connection.transport} carries no data to a command")
        if become and (become_name in BECOME_WITHOUT_INPUT or not getattr(become, "pipelining", True)):
            raise NoFastPathError(f"{become_name} carries no data to a command")
        if self._is_ssh:
            options = (connection.get_option(name) for name in ("ssh_args", "ssh_common_args", "ssh_extra_args"))
            if any(ASKS_FOR_TERMINAL.search(option or "") for option in options):
                raise NoFastPathError("ssh is set to ask for a terminal")

    def _run_kept_build(self, builds: list[Build], variables: dict[str, t.Any]) -> dict[str, t.Any]:
        head = self._head(builds, variables)
        run = self._run_command(head, variables)
        output = self._execute_kept_build(head, run, builds, variables)
        try:
            return self._checked(output, variables)
        except NoAnswerError:
            # The file has the right size, which is all that is checked before each run. Its sum is checked only now,
            # and a damaged file is removed.
            state, path = self._execute(Command.of(head, "check.sh", b"\n")).report
        if state == "damaged":
            display.warning(f"{self._answering_host(variables)}: {safe_line(path)} was damaged, and is sent again.")
            output = self._execute_kept_build(head, run, builds, variables)
            try:
                return self._checked(output, variables)
            except NoAnswerError:
                pass
        return self._no_answer(output, f" It was run from {safe_line(path)} on the host." if state == "whole" else "")

    def _run_command(self, head: str, variables: dict[str, t.Any]) -> Command:
        """Give the command that runs the kept build with the arguments of the task."""
        arguments = self._arguments()
        self._update_module_args(self._task.action, arguments, variables)
        if self._gains_by_options_in_command(variables) and (text := for_command(arguments)):
            return Command.of(head, "run.sh", arguments=text)
        return Command.of(head, "run.sh", json.dumps(arguments).encode("ascii"))

    def _gains_by_options_in_command(self, variables: dict[str, t.Any]) -> bool:
        """Say whether it saves a round trip, which it does with OpenSSH alone, and whether it is allowed."""
        return self._is_ssh and boolean(self._variable(COMMAND_VARIABLE, variables, default=True))

    def _execute_kept_build(self, head: str, run: Command, builds: list[Build], variables: dict[str, t.Any]) -> Output:
        """Run the kept build, and send it before that if it is not there."""
        output = self._execute(run)
        if output.report[0] == "miss":
            if self._task.check_mode and not boolean(self._variable(CHECK_MODE_VARIABLE, variables, default=False)):
                raise NoFastPathError(f"it is not kept there yet, and check mode keeps nothing ({CHECK_MODE_VARIABLE})")
            build = build_for(output.report[1], builds)
            display.vvv(f"Sending {build.path.name} to be kept", host=self._host(variables))
            self._keep(Command.of(head, "keep.sh", build.path.read_bytes()), variables)
            output = self._execute(run)
        word, system = output.report
        if word == "unsupported":
            raise UnsupportedHostError(system)
        if word == "terminal":
            raise NoFastPathError("the connection gives the command a terminal")
        if word != "run":
            raise NoFastPathError(f"the command that runs a kept build did not work there{output.complaint}")
        return output

    def _keep(self, command: Command, variables: dict[str, t.Any]) -> None:
        """Send a build to be kept, and say so where SELinux stands in the way."""
        word, rest = self._execute(command).report
        refusal = Refusal.read(rest)
        if word == "kept":
            if refusal:
                display.v(f"{self.MODULE} is kept in another place, since {refusal}.", host=self._host(variables))
            return
        if refusal:
            display.warning(
                f"{self._answering_host(variables)}: {refusal}. So it is sent for each task, which takes longer. "
                f"{refusal.remedy}"
            )
        raise NoFastPathError("no folder on the host is both safe to keep it in and lets programs run")

    def _head(self, builds: list[Build], variables: dict[str, t.Any]) -> str:
        """Tell a script for the host what it works on."""
        known = "".join(f"[{build.system} {build.sha256} {build.size}]" for build in builds)
        folder = shlex.quote(self._folder(variables))
        environment = self._compute_environment_string()
        return f"name={self.MODULE} builds='{known}' folder={folder}; run() {{ {environment} \"$@\"; }}; "

    def _folder(self, variables: dict[str, t.Any]) -> str:
        folder = self._variable(FOLDER_VARIABLE, variables, default="")
        if folder and not (isinstance(folder, str) and folder.startswith("/")):
            raise AnsibleActionFail(f"{FOLDER_VARIABLE} must be the absolute path of a folder on the host.")
        return folder or ""

    def _variable(self, name: str, variables: dict[str, t.Any], default: object) -> t.Any:
        """Give a variable of the host on which the task runs."""
        if self._task.delegate_to:
            variables = variables["ansible_delegated_vars"][self._task.delegate_to]
        if name not in variables:
            return default
        return self._templar.copy_with_new_env(available_variables=variables).template(variables[name])

    def _arguments(self) -> dict[str, t.Any]:
        """Give the options of the task as plain values: secrets of a vault as text, dates as strings."""
        arguments: dict[str, t.Any] = json.loads(
            json.dumps(self._task.args, cls=AnsibleJSONEncoder, vault_to_text=True)
        )
        return arguments

    def _execute(self, command: Command) -> Output:
        try:
            with self._without_terminal():
                output = self._low_level_execute_command(command.text, in_data=command.data)
        except AnsibleError as error:
            # Where sudo ends at once, the connection at times sees no end but an open stderr.
            if "waiting for privilege escalation prompt" not in str(error):
                raise
            raise NoFastPathError("privilege escalation did not answer") from error
        return Output(output["stdout"], output["stderr"], output["rc"])

    @contextmanager
    def _without_terminal(self) -> t.Iterator[None]:
        """Ask for no terminal: Ansible has ssh do so for a command that takes no data, and output would be changed."""
        if not self._is_ssh:
            yield
            return
        use_tty = self._connection.get_option("use_tty")
        self._connection.set_option("use_tty", False)
        try:
            yield
        finally:
            self._connection.set_option("use_tty", use_tty)

    def _checked(self, output: Output, variables: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return what the host may answer, and warn of the rest."""
        answer = check_answer(output.stdout, self._rules)
        if answer.dropped:
            display.warning(
                f"The answer of {self._answering_host(variables)} to {self.MODULE} had keys that the module does not "
                f"document. They were dropped: {answer.dropped_keys}"
            )
        return {key: bool(value) if key in JOB_FLAGS else value for key, value in answer.values.items()}

    def _no_answer(self, output: Output, where: str = "") -> dict[str, t.Any]:
        msg = f"{self.MODULE} ended without an answer, with exit status {output.rc}.{where}"
        if output.rc in (126, 127):
            msg += (
                " It could not be started. The folder for Ansible's temporary files must be where programs may run: "
                "name one with ansible_remote_tmp."
            )
            if refusal := self._refusal_of_temporary_folder():
                msg += f" {refusal.of_temporary_folder}"
        return {
            "failed": True,
            "msg": f"{msg} What it printed is in module_stdout and module_stderr.",
            "module_stdout": safe_output(output.stdout),
            "module_stderr": safe_output(output.stderr),
            "rc": output.rc,
        }

    def _refusal_of_temporary_folder(self) -> Refusal | None:
        """Ask the host whether SELinux may be why nothing starts in the folder for temporary files."""
        folder = self._connection._shell.tmpdir
        if not isinstance(folder, str):
            return None
        # That of this task is in the one that was named, and gets the label of that.
        answer = self._low_level_execute_command(Refusal.question(folder.rstrip("/").rpartition("/")[0]))
        word, rest = Output(answer["stdout"], answer["stderr"], answer["rc"]).report
        return Refusal.read(rest) if word == "refused" else None

    def _run_sent_build(self, builds: list[Build], variables: dict[str, t.Any]) -> dict[str, t.Any]:
        """Go the way that Ansible goes for any module that is not in Python."""
        uname = self._low_level_execute_command("uname -sm")["stdout"].strip().splitlines()
        build = build_for(uname[-1].strip() if uname else "an unknown system", builds)
        self._shared_loader_obj.module_loader.add_directory(str(BINARIES))
        if self._task.async_val:
            return self._run_in_background(build, variables)
        try:
            return self._execute_as_ansible_does(build.path.name, self._arguments(), variables)
        finally:
            self._remove_tmp_path(self._connection._shell.tmpdir)

    def _run_in_background(self, build: Build, variables: dict[str, t.Any]) -> dict[str, t.Any]:
        """Start a job, and wait for it here where the task waits.

        Ansible would wait itself, and take the host's word for all that the job answered. It does not wait when the
        task is not asynchronous any more, as its own action `gather_facts` makes use of. With `until`, the next attempt
        is not a job then.
        """
        self._rules = self._rules.with_values(JOB_VALUES, JOB_IGNORED)
        limit, left, poll = self._task.async_val, self._task.async_val, self._task.poll
        started = self._execute_as_ansible_does(build.path.name, self._arguments(), variables, wrap_async=True)
        if started.get("failed"):
            return started
        if poll <= 0:
            return {**started, "changed": True}
        self._task.async_val = 0
        job = started.get("ansible_job_id") or ""
        if not JOB_ID.fullmatch(job):
            return {
                "failed": True,
                "msg": f"The host reported no job id after {self.MODULE} was started in the background.",
            }
        while left > 0:
            time.sleep(poll)
            left -= poll
            try:
                answer = self._ask_for_job(job, "status", variables)
            except AnsibleConnectionFailure:
                if left <= 0:
                    raise
                self._connection.reset()
                continue
            # While the job is written, there may be no whole answer.
            if "module_stdout" not in answer and (answer.get("finished") or answer.get("failed")):
                self._ask_for_job(job, "cleanup", variables)
                return answer
        msg = f"{self.MODULE} did not end within {limit} seconds, the time that async allows. It may still run."
        return {"failed": True, "msg": msg, "ansible_job_id": job}

    def _ask_for_job(self, job: str, mode: str, variables: dict[str, t.Any]) -> dict[str, t.Any]:
        """Do what Ansible's action `async_status` does."""
        folder = self._remote_expand_user(self.get_shell_option("async_dir", default="~/.ansible_async"))
        arguments = {"jid": job, "mode": mode, "_async_dir": folder}
        return self._execute_as_ansible_does("async_status", arguments, variables)

    def _execute_as_ansible_does(
        self, program: str, arguments: dict[str, t.Any], variables: dict[str, t.Any], *, wrap_async: bool = False
    ) -> dict[str, t.Any]:
        """Send a program and its arguments, run it, and return what it may answer."""
        self._answer = None
        self._variables = variables
        # With the prefix, Ansible searches the folders of its loader, to which ours was added. A name without it is
        # searched in collections alone where the task has some: in a role of a collection, and below `collections:`.
        self._execute_module(
            module_name=f"ansible.legacy.{program}", module_args=arguments, task_vars=variables, wrap_async=wrap_async
        )
        if self._answer is None:
            raise AnsibleActionFail(
                f"This version of ansible-core bypasses the check of the answer to {self.MODULE}. Use another version."
            )
        return self._answer

    def _parse_returned_data(self, res: dict[str, t.Any], *arguments: t.Any, **keywords: t.Any) -> t.Any:
        """Check an answer before Ansible reads it, and let it read what is left.

        `_execute_module` calls this. What that returns holds more than the answer, and is not used.
        """
        output = Output(res.get("stdout", ""), res.get("stderr", ""), res.get("rc", 0))
        try:
            self._answer = self._checked(output, self._variables)
        except NoAnswerError:
            self._answer = self._no_answer(output)
        return super()._parse_returned_data({**res, "stdout": json.dumps(self._answer)}, *arguments, **keywords)

    @property
    def _is_mitogen(self) -> bool:
        """Say whether the connection is one of mitogen, which takes the names of Ansible's own."""
        return any(base.__module__.startswith("ansible_mitogen.") for base in type(self._connection).__mro__)

    @property
    def _is_ssh(self) -> bool:
        """Say whether the connection is that of Ansible to OpenSSH."""
        return self._connection.transport.rpartition(".")[2] == "ssh" and not self._is_mitogen

    def _host(self, variables: dict[str, t.Any]) -> str | None:
        return variables.get("inventory_hostname")

    def _answering_host(self, variables: dict[str, t.Any]) -> str | None:
        return self._task.delegate_to or self._host(variables)


@functools.cache
def script(name: str) -> str:
    """Read a script for the host, in one line: some shells by which a host is entered take no more in quotes."""
    text = "".join((SCRIPTS / part).read_text(encoding="ascii") for part in ("places.sh", name))
    lines = [line.strip() for line in text.splitlines()]
    lines = [line if CONTINUES.search(line) else f"{line};" for line in lines if line and not line.startswith("#")]
    return " ".join(lines).rstrip(";")


# As with the builds, before the processes of the tasks start.
for name in ("run.sh", "keep.sh", "check.sh"):
    script(name)
