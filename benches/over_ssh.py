"""Tasks over SSH, near and far: from the start of a task to its result, ours and those of other people."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from controller import Controller, controller
from relay import longer_way
from ssh_host import SshHost, docroot, ssh_host
from tables import table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: Milliseconds there and back.
ROUND_TRIPS = (0, 20, 50, 100)
WARM_UP = 2
RUNS = 20
KEYS = [f"arn:aws:kms:us-east-1:111122223333:key/{letter * 8}-12ab-34cd-56ef-1234567890ab" for letter in "ab"]
KEY_OPTION = "server-side-encryption-aws-kms-key-id"
XPATH = "/CONF/aaa/realms/realm/users/user[name='acme']/file_system/access/paths/path/absolute"
PIPELINED = ", pipelined"
#: What the first task on a host does not find.
KEPT = "~/.cache/aspera_ops.sse/aspera_trapd_sse-*"


def trapd(root: str, key: str) -> dict[str, object]:
    """Give the options of aspera_trapd_sse that set a key."""
    return {"aspera_root": root, "server_side_encryption": "AWS_KMS", "kms_key_id": key}


def docroots(root: str, key: str) -> dict[str, object]:
    """Give the options of aspera_docroot_sse that set a key."""
    return {**trapd(root, key), "user": "acme"}


def line(root: str, key: str) -> dict[str, object]:
    """Give the options of lineinfile that set a key."""
    return {
        "path": f"{root}/etc/trapd/s3.properties",
        "regexp": f"^#? *{KEY_OPTION} *(=|$)",
        "line": f"{KEY_OPTION}={key}",
    }


def ini(root: str, key: str) -> dict[str, object]:
    """Give the options of ini_file that set a key."""
    options = {"path": f"{root}/etc/trapd/s3.properties", "option": KEY_OPTION, "value": key}
    return {**options, "no_extra_spaces": True}


def xml(root: str, key: str) -> dict[str, object]:
    """Give the options of xml that set a key."""
    return {"path": f"{root}/etc/aspera.conf", "xpath": XPATH, "value": docroot(key)}


Way = tuple[str, "Callable[[str, str], dict[str, object]]", bool]

#: What edits each file, in the order of the runs: the module, its options, and whether it is pipelined.
PROPERTIES: dict[str, Way] = {
    "ours, first task on a host": ("aspera_ops.sse.aspera_trapd_sse", trapd, False),
    "ours": ("aspera_ops.sse.aspera_trapd_sse", trapd, False),
    "ours without the collection": ("aspera_trapd_sse", trapd, False),
    "`lineinfile`": ("ansible.builtin.lineinfile", line, False),
    f"`lineinfile`{PIPELINED}": ("ansible.builtin.lineinfile", line, True),
    "`ini_file`": ("community.general.ini_file", ini, False),
    f"`ini_file`{PIPELINED}": ("community.general.ini_file", ini, True),
}
CONF: dict[str, Way] = {
    "ours": ("aspera_ops.sse.aspera_docroot_sse", docroots, False),
    "`xml`": ("community.general.xml", xml, False),
    f"`xml`{PIPELINED}": ("community.general.xml", xml, True),
}
FILES = {"s3.properties": PROPERTIES, "aspera.conf": CONF}
FLOOR = ("", "`raw: true`")
FORGET = ("", "forget what is kept")

#: Seconds by round trip, and by file and way.
Times = dict[int, dict[tuple[str, str], float]]


def run(folder: Path) -> str:
    """Measure and give the report."""
    folder.chmod(0o755)
    parts = []
    with controller(folder) as ansible, ssh_host(folder) as host:
        for state in ("changed", "unchanged"):
            medians: Times = {}
            for round_trip in ROUND_TRIPS:
                with longer_way(host.server.port, round_trip / 1000) as port:
                    medians[round_trip] = measured(ansible, host, port, state)
                ansible.hang_up()
            parts += [f"### A task that {STATES[state]}", times_of(medians)]
            parts += [ratios_of(file, medians) for file in FILES]
    return "\n\n".join(parts)


STATES = {"changed": "changes the file", "unchanged": "finds nothing to change"}


def measured(ansible: Controller, host: SshHost, port: int, state: str) -> dict[tuple[str, str], float]:
    """Run all tasks one after the other, that again and again, and give the median of each."""
    name = f"{state}-{port}"
    play = {"hosts": "all", "gather_facts": False, "tasks": tasks_of(host, name, alternates=state == "changed")}
    times: dict[tuple[str, str], list[float]] = {}
    for task in ansible.run([play], host.inventory(port)).tasks:
        file, way = task["task"].split("|")
        if file and task["status"] != ("changed" if state == "changed" else "ok"):
            message = f"{way} on {file} is {task['status']}, not {state}."
            raise RuntimeError(message)
        times.setdefault((file, way), []).append(task["end"] - task["start"])
    return {which: statistics.median(some[WARM_UP:]) for which, some in times.items()}


def tasks_of(host: SshHost, name: str, *, alternates: bool) -> list[dict[str, object]]:
    """List the tasks of all runs. Each way has files of its own, which are all the same."""
    roots = {
        (file, way): str(host.aspera_root(f"{name}-{number}-{file}", KEYS[0]).folder)
        for file, ways in FILES.items()
        for number, way in enumerate(ways)
    }
    tasks: list[dict[str, object]] = []
    for number in range(WARM_UP + RUNS):
        key = KEYS[(number + 1) % 2 if alternates else 0]
        tasks.append({"name": "|".join(FLOOR), "raw": "true", "changed_when": False})
        tasks.append({"name": "|".join(FORGET), "raw": f"rm -f {KEPT}", "changed_when": False})
        for file, ways in FILES.items():
            for way, (module, options, pipelined) in ways.items():
                task = {"name": f"{file}|{way}", module: options(roots[file, way], key)}
                tasks.append({**task, "vars": {"ansible_ssh_pipelining": pipelined}})
    return tasks


def times_of(medians: Times) -> str:
    """Give all times, and in the last column how many round trips are in them."""
    nearest, farthest = ROUND_TRIPS[0], ROUND_TRIPS[-1]
    rows = []
    for file, way in [FLOOR, *((file, way) for file, ways in FILES.items() for way in ways)]:
        seconds = [medians[round_trip][file, way] for round_trip in ROUND_TRIPS]
        round_trips = (seconds[-1] - seconds[0]) / (farthest - nearest) * 1000
        rows.append([f"{file}: {way}" if file else way, *map(whole_milliseconds, seconds), f"{round_trips:.1f}"])
    return table(["task", *head(), "round trips"], rows)


def ratios_of(file: str, medians: Times) -> str:
    """Say how many times the time of ours the others take, and what ours takes beyond the floor."""
    ours = {round_trip: some[file, "ours"] for round_trip, some in medians.items()}
    others = [way for way in FILES[file] if way != "ours"]
    rows = [[way, *(f"{medians[trip][file, way] / ours[trip]:.1f}" for trip in ROUND_TRIPS)] for way in others]
    pipelined = [way for way in others if way.endswith(PIPELINED)]
    best = {trip: min(medians[trip][file, way] for way in pipelined) for trip in ROUND_TRIPS}
    rows.append(["the best that is pipelined", *(f"{best[trip] / ours[trip]:.1f}" for trip in ROUND_TRIPS)])
    beyond = [whole_milliseconds(ours[trip] - medians[trip][FLOOR]) for trip in ROUND_TRIPS]
    rows.append(["ours beyond `raw: true`", *beyond])
    return table([f"{file}: times of ours", *head()], rows)


def head() -> list[str]:
    """Give the columns of the round trips."""
    return [f"{round_trip} ms" for round_trip in ROUND_TRIPS]


def whole_milliseconds(seconds: float) -> str:
    """Give a time; parts of a millisecond say nothing here."""
    return f"{seconds * 1000:.0f} ms"
