"""A host that somebody has taken over answers whatever it likes: nothing of it steers the controller."""

from __future__ import annotations

import base64
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import temporary
import yaml
from hostile_answers import NO_ANSWER, kinds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controllers import Controller, Screen
    from hostile_answers import Kind

INFO = "aspera_ops.sse.aspera_sse_info"
HONEST = "honest"

#: A program in the place of the kept build. Only its sum shows the plugin that it is not the build.
PROGRAM = """\
#!/bin/sh
cat >/dev/null
cat {folder}/answer
exit
"""
#: A shell of the host. It is none that runs kept builds, so the module is sent by Ansible, and never run.
SHELL = """\
#!/bin/sh
here=${0%/*}
case $2 in
*chmod*) exec /bin/sh "$@" ;;
*async_wrapper.py*) case $0 in *start) cat "$here/answer" ;; *) cat "$here/started" ;; esac ;;
*AnsiballZ_async_status*) cat "$here/job" ;;
*AnsiballZ_aspera_sse_info*) cat "$here/answer" ;;
*) exec /bin/sh "$@" ;;
esac
"""
STARTED = {"started": 1, "finished": 0, "ansible_job_id": "j1.1", "results_file": "/x", "failed": 0}

BY_SHELL = {"ansible_shell_executable": "{{ folder }}/shell"}
#: The ways of a task to the answer of a host.
WAYS: dict[str, dict[str, object]] = {
    "task": {},
    "delegated_loop": {"loop": [1], "delegate_to": "{{ peer }}", "delegate_facts": True},
    "slow": {"vars": BY_SHELL},
    "job": {"vars": BY_SHELL, "async": f"{{{{ 60 if inventory_hostname == '{HONEST}' else 1 }}}}", "poll": 1},
    "start": {"vars": {"ansible_shell_executable": "{{ folder }}/shell-start"}, "async": 1, "poll": 0},
}
#: These take long to read, so they are read in one way only.
LARGE = ["large", "many_values"]
#: Where tasks are left out: nobody waits there for a job that is really started.
LEFT_OUT = {"task": "false", "start": f"inventory_hostname in {[HONEST, *LARGE]}"}


class Fleet:
    """Hosts that are this machine; each answers in a way of its own, and one is honest."""

    def __init__(self, controller: Controller, folder: Path) -> None:
        """Lay out a folder for each."""
        self.controller = controller
        self.folder = folder
        self.canary = folder / "canary"
        self.canary.mkdir()
        self.kinds = kinds(self.canary)
        self.build = self._build()
        hosts = {}
        for name, kind in self.kinds.items():
            hosts[name] = {"peer": self.peer(name), **self._lay_out(name, kind)}
        hosts[HONEST] = {"peer": HONEST, "folder": str(folder), "aspera_sse_cache_folder": str(folder)}
        known = {"ansible_connection": "local", "ansible_python_interpreter": "/usr/bin/python3"}
        known["ansible_async_dir"] = str(folder / "jobs")
        self.inventory = folder / "inventory.json"
        self.inventory.write_text(json.dumps({"all": {"hosts": hosts, "vars": known}}), encoding="utf-8")
        (folder / "shell").symlink_to("/bin/sh")
        (folder / "shell-start").symlink_to("/bin/sh")

    def _build(self) -> tuple[str, int]:
        """Name the file of the kept build, and its size."""
        (sums,) = self.controller.home.glob("collections/ansible_collections/*/*/plugins/binaries/SHA256SUMS")
        build = f"aspera_sse_info_{os.uname().machine}"
        sha256 = dict(reversed(line.split()) for line in sums.read_text().splitlines())[build]
        return f"aspera_sse_info-{sha256}", sums.with_name(build).stat().st_size

    def _lay_out(self, name: str, kind: Kind) -> dict[str, str]:
        place = self.folder / name
        kept = place / "aspera_ops.sse"
        kept.mkdir(mode=0o700, parents=True)
        (place / "answer").write_bytes(kind.answer)
        (place / "job").write_bytes(kind.answer.replace(b"{", b'{"finished": 1, ', 1))
        (place / "started").write_text(json.dumps(STARTED))
        file_name, size = self.build
        program = kept / file_name
        program.write_text(PROGRAM.format(folder=place).ljust(size, "#"), encoding="ascii")
        program.chmod(0o700)
        for shell in ("shell", "shell-start"):
            (place / shell).write_text(SHELL, encoding="ascii")
            (place / shell).chmod(0o755)
        return {"folder": str(place), "aspera_sse_cache_folder": str(place)}

    def peer(self, host: str) -> str:
        """Name the host to which this one delegates."""
        names = list(self.kinds)
        return HONEST if host == HONEST else names[(names.index(host) + 1) % len(names)]

    def run(self) -> Screen:
        """Have every host answer in every way; then use all that came of it."""
        tasks: list[dict[str, object]] = []
        for way, keywords in WAYS.items():
            left_out = LEFT_OUT.get(way, f"inventory_hostname in {LARGE} or peer in {LARGE}")
            task = {"name": way, INFO: {}, "register": way, "ignore_errors": True, "when": f"not ({left_out})"}
            tasks.append({**task, **keywords})
        handler = {"name": "Canary", "ansible.builtin.raw": f"touch {self.canary}/handler"}
        state = {"name": "State", "ansible.builtin.debug": {"msg": report("state", STATE)}}
        used = "[" + ", ".join(f"hostvars[host].{way}" for way in WAYS) + "]"
        results = {"name": "Results", "ansible.builtin.debug": {"msg": report("results", used)}}
        plays = [
            {"hosts": HONEST, "gather_facts": False, "tasks": [state]},
            {"hosts": "all", "gather_facts": False, "tasks": tasks, "handlers": [handler]},
            {"hosts": "all", "gather_facts": False, "tasks": [{"name": "Use", "ansible.builtin.raw": "true"}]},
            {"hosts": HONEST, "gather_facts": False, "tasks": [results, state]},
        ]
        playbook = self.folder / "playbook.yml"
        playbook.write_text(yaml.safe_dump(plays, sort_keys=False), encoding="utf-8")
        return self.controller.run("ansible-playbook", "--inventory", self.inventory, playbook)


#: What is known of a host, and of all.
STATE = (
    "{'names': hostvars[host].keys() | list, 'facts': hostvars[host].ansible_facts | default({}), "
    "'groups': groups.keys() | list, 'hosts': groups.all | length, 'connection': hostvars[host].ansible_connection, "
    "'interpreter': hostvars[host].ansible_python_interpreter}"
)


def report(word: str, expression: str) -> str:
    """Show a value of each host so that it can be found on the screen."""
    value = f"{{{{ ({expression}) | to_json | b64encode }}}}"
    return f"{{% for host in groups.all %}}{word} {{{{ host }}}} {value} end {{% endfor %}}"


def reports(word: str, text: str) -> list[tuple[str, dict]]:
    """Find such values: a host and its value."""
    found = re.findall(rf"{word} (\w+) ([A-Za-z0-9+/=]+) end ", text)
    return [(host, json.loads(base64.b64decode(value))) for host, value in found]


@pytest.fixture
def fleet(installed: Controller) -> Iterator[Fleet]:
    """Give hosts with kept builds, for which no folder may be one that others may write to, as /tmp is."""
    with temporary.folder(place="/var/lib") as folder:
        yield Fleet(installed, folder)


def test_nothing_of_it_steers_the_controller(fleet: Fleet) -> None:
    """Nothing runs, no variable, host, group or fact appears, and each host gets its own result."""
    screen = fleet.run()
    assert screen.exit_status == 0, screen.text[-4000:]
    assert list(fleet.canary.iterdir()) == []
    assert set(screen.recap) == {*fleet.kinds, HONEST}
    assert {counts["unreachable"] + counts["failed"] for counts in screen.recap.values()} == {0}

    states: dict[str, list[dict[str, list[str]]]] = {}
    for host, state in reports("state", screen.text):
        state["names"] = sorted(set(state["names"]) - {*WAYS})
        states.setdefault(host, []).append(state)
    assert set(states) == set(screen.recap)
    for host, (before, after) in states.items():
        assert before == after, host

    results = dict(reports("results", screen.text))
    assert set(results) == set(screen.recap)
    for host, ways in results.items():
        for way, result in zip(WAYS, ways, strict=True):
            if not result.get("skip_reason"):
                check(fleet, way, host, result)
    shown = screen.as_one_line
    for name, kind in fleet.kinds.items():
        if kind.dropped:
            assert f"The answer of {name} to aspera_sse_info had keys that the module does not document." in shown
            assert f"They were dropped: {kind.dropped}" in shown, name
    assert "\x1b]0;canary" not in screen.text


def check(fleet: Fleet, way: str, host: str, result: dict) -> None:
    """Hold the result of one task against what the kind of answer should come to."""
    if way == "delegated_loop":
        (result,) = result["results"]
        if result.get("skip_reason"):
            return
    name = fleet.peer(host) if way == "delegated_loop" else host
    seen = (way, name, result)
    failure = None if name == HONEST else fleet.kinds[name].failure
    if failure == NO_ANSWER:
        # In the place of a kept build, it is no build. The right one is sent, and gives the answer.
        failure = {"slow": NO_ANSWER, "start": NO_ANSWER, "job": "did not end within 1 seconds"}.get(way)
    if name == "changed_number" and way in ("start", "job"):
        # Ansible's own programs on the host say so.
        failure = None
    assert result["failed"] is (failure is not None), seen
    assert failure is None or failure in result["msg"], seen
    assert "canary" not in json.dumps(sorted(result)), seen


@pytest.mark.parametrize("damage", ["all of it", "half of it"])
def test_a_damaged_build_is_sent_again(fleet: Fleet, damage: str) -> None:
    """Once, with a warning; the answer is that of the whole build. BusyBox runs zeros as an empty script."""
    name, size = fleet.build
    (fleet.folder / "ash").symlink_to("/bin/busybox")
    kept = fleet.folder / "aspera_ops.sse" / name
    shell = ("-e", f"ansible_shell_executable={fleet.folder}/ash")
    command = ("ansible", HONEST, "--inventory", fleet.inventory, *shell, "-m", INFO)
    assert fleet.controller.run(*command).exit_status == 0
    whole = kept.read_bytes()
    kept.write_bytes((b"" if damage == "all of it" else whole[: size // 2]).ljust(size, b"\0"))
    screen = fleet.controller.run(*command)
    assert screen.exit_status == 0, screen.text
    # Older releases wrap a warning, and cut a word that is longer than a line wherever the line ends.
    said = f"{HONEST}: {kept} was damaged, and is sent again."
    assert "".join(said.split()) in "".join(screen.text.split())
    assert kept.read_bytes() == whole


def test_a_whole_build_that_gives_no_answer_is_named(fleet: Fleet) -> None:
    """It is not sent again: that would change nothing."""
    host = fleet.folder / "nothing"
    name, _ = fleet.build
    lying = host / "sha256sum"
    lying.write_text(f"#!/bin/sh\ncat >/dev/null\necho '{name.rpartition('-')[2]}  -'\n", encoding="ascii")
    lying.chmod(0o755)
    shell = host / "sh"
    shell.write_text(f'#!/bin/sh\nPATH={host}:$PATH exec /bin/sh "$@"\n', encoding="ascii")
    shell.chmod(0o755)
    command = ("ansible", "nothing", "--inventory", fleet.inventory, "-e", f"ansible_shell_executable={shell}")
    screen = fleet.controller.run(*command, "-m", INFO)
    assert screen.exit_status != 0, screen.text
    said = f"ended without an answer, with exit status 0. It was run from {host}/aspera_ops.sse/{name} on the host."
    assert said in screen.as_one_line, screen.text
