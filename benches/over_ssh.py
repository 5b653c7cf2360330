"""Tasks over SSH, near and far: from the start of a task to its result, ours and those of other people."""

from __future__ import annotations

import statistics
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller import Controller, controller
from relay import longer_way
from ssh_host import SshHost, docroot, ssh_host
from tables import table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from relay import Relay

    Options = Callable[[str, str], object]

#: Milliseconds there and back.
ROUND_TRIPS = (0, 20, 50, 100)
WARM_UP = 2
RUNS = 20
#: What takes many round trips is run in every so manieth round only.
ROUNDS_FOR_SLOW = 5
KEYS = [f"arn:aws:kms:us-east-1:111122223333:key/{letter * 8}-12ab-34cd-56ef-1234567890ab" for letter in "ab"]
KEY_OPTION = "server-side-encryption-aws-kms-key-id"
XPATH = "/CONF/aaa/realms/realm/users/user[name='acme']/file_system/access/paths/path/absolute"
MITOGEN = ", mitogen"
PIPELINED = ", pipelined"
#: What the first task on a host does not find.
KEPT = "~/.cache/aspera_ops.sse/aspera_trapd_sse-*"


@dataclass(frozen=True)
class Way:
    """A way to do the same: a module with its options, and how Ansible is set for it."""

    module: str
    options: Options
    variables: dict[str, object] = field(default_factory=dict)
    takes_many_round_trips: bool = False
    #: A shell command that goes before, and is not measured.
    before: str | None = None


def trapd(root: str, key: str) -> dict[str, object]:
    """Give the options of aspera_trapd_sse that set a key."""
    return {"aspera_root": root, "server_side_encryption": "AWS_KMS", "kms_key_id": key}


def docroots(root: str, key: str) -> dict[str, object]:
    """Give the options of aspera_docroot_sse that set a key."""
    return {**trapd(root, key), "user": "acme"}


def audit(root: str, key: str) -> dict[str, object]:
    """Give the options of aspera_sse_info that look for a key."""
    expect = {"server_side_encryption": "AWS_KMS", "kms_key_ids": [key]}
    return {"aspera_root": root, "expect": [expect]}


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


def nothing(root: str, key: str) -> str:
    """Give what raw and command run."""
    return "true"


def in_python(name: str, module: str, options: Options) -> dict[str, Way]:
    """Give the ways to run a module in Python."""
    return {
        f"`{name}`": Way(module, options, takes_many_round_trips=True),
        f"`{name}`{PIPELINED}": Way(module, options, {"ansible_ssh_pipelining": True}),
    }


BY_INPUT = {"aspera_sse_options_in_command": False}
TRAPD, DOCROOT, INFO = (f"aspera_ops.sse.aspera_{name}" for name in ("trapd_sse", "docroot_sse", "sse_info"))
OURS = "ours"

#: What is done in each place, in the order of the runs.
PLACES: dict[str, dict[str, Way]] = {
    "nothing": {
        "`raw`": Way("ansible.builtin.raw", nothing),
        **in_python("command", "ansible.builtin.command", nothing),
    },
    "s3.properties": {
        f"{OURS}, first task on a host": Way(TRAPD, trapd, before=f"rm -f {KEPT}"),
        OURS: Way(TRAPD, trapd),
        f"{OURS}, options by standard input": Way(TRAPD, trapd, BY_INPUT),
        f"{OURS} without the collection": Way("aspera_trapd_sse", trapd, takes_many_round_trips=True),
        **in_python("lineinfile", "ansible.builtin.lineinfile", line),
        **in_python("ini_file", "community.general.ini_file", ini),
    },
    "aspera.conf": {
        OURS: Way(DOCROOT, docroots),
        **in_python("xml", "community.general.xml", xml),
    },
    "audit": {OURS: Way(INFO, audit)},
}
#: The same under mitogen, which has one way to run everything.
UNDER_MITOGEN: dict[str, dict[str, Way]] = {
    place: {
        f"{name}{MITOGEN}": Way(way.module, way.options)
        for name, way in ways.items()
        if not (way.variables or way.before or name.endswith("collection"))
    }
    for place, ways in PLACES.items()
}
CHANGES = ("s3.properties", "aspera.conf")

Which = tuple[str, str]


@dataclass
class Measured:
    """Seconds, and round trips on the wire, by place and way."""

    seconds: dict[Which, float]
    round_trips: dict[Which, float]


def run(folder: Path) -> str:
    """Measure and give the report."""
    folder.chmod(0o755)
    parts = []
    with controller(folder) as ansible, ssh_host(folder) as host:
        for state, says in STATES.items():
            all_measured: dict[int, Measured] = {}
            for round_trip in ROUND_TRIPS:
                with longer_way(host.server.port, round_trip / 1000) as relay:
                    all_measured[round_trip] = measured(ansible, host, relay, state)
                ansible.hang_up()
            parts += [f"### A task that {says}", times_of(all_measured)]
            parts += [ratios_of(place, all_measured) for place in PLACES if place != "nothing"]
    return "\n\n".join(parts)


STATES = {"changed": "changes the file", "unchanged": "finds nothing to change"}


def measured(ansible: Controller, host: SshHost, relay: Relay, state: str) -> Measured:
    """Run all tasks one after the other, that again and again, and give the median of each."""
    seconds: dict[Which, list[float]] = defaultdict(list)
    round_trips: dict[Which, list[int]] = defaultdict(list)
    for number, (places, strategy) in enumerate(((PLACES, {}), (UNDER_MITOGEN, ansible.mitogen))):
        name = f"{state}-{relay.own_port}-{number}"
        play = {"hosts": "all", "gather_facts": False, "tasks": tasks_of(places, host, name, state)}
        for task in ansible.run([play], host.inventory(relay.own_port), environment=strategy).tasks:
            place, way = task["task"].split("|")
            if not way:
                continue
            expected = "changed" if state == "changed" and place in CHANGES else "ok"
            if task["status"] != expected:
                message = f"{way} on {place} is {task['status']}, not {expected}."
                raise RuntimeError(message)
            seconds[place, way].append(task["end"] - task["start"])
            round_trips[place, way].append(relay.round_trips_between(task["start"], task["end"]))
    # With a few runs, the first of a way may be all that is slow about it; the others are behind it.
    return Measured(
        {which: statistics.median(some[min(WARM_UP, len(some) // 2) :]) for which, some in seconds.items()},
        {which: statistics.median(some[min(WARM_UP, len(some) // 2) :]) for which, some in round_trips.items()},
    )


def tasks_of(places: dict[str, dict[str, Way]], host: SshHost, name: str, state: str) -> list[dict[str, object]]:
    """List the tasks of all runs. Each way has files of its own, which are all the same."""
    roots = {
        (place, way): str(host.aspera_root(f"{name}-{number}-{place}", KEYS[0]).folder)
        for place, ways in places.items()
        for number, way in enumerate(ways)
    }
    tasks: list[dict[str, object]] = []
    turns: dict[Which, int] = defaultdict(int)
    for number in range(WARM_UP + RUNS):
        for place, ways in places.items():
            for name_of_way, way in ways.items():
                if way.takes_many_round_trips and number % ROUNDS_FOR_SLOW:
                    continue
                which = (place, name_of_way)
                turns[which] += 1
                key = KEYS[turns[which] % 2 if state == "changed" else 0]
                if way.before:
                    tasks.append({"name": "|", "raw": way.before, "changed_when": False})
                task: dict[str, object] = {"name": "|".join(which), way.module: way.options(roots[which], key)}
                if place == "nothing":
                    task["changed_when"] = False
                tasks.append({**task, "vars": way.variables})
    return tasks


def all_ways(places: Iterable[str] = PLACES) -> list[Which]:
    """List what is measured, those of one place together."""
    return [(place, way) for place in places for way in (*PLACES[place], *UNDER_MITOGEN[place])]


def times_of(all_measured: dict[int, Measured]) -> str:
    """Give all times, and in the last column how many round trips were seen on the wire, at the longest."""
    farthest = all_measured[ROUND_TRIPS[-1]]
    rows = []
    for which in all_ways():
        seconds = [all_measured[round_trip].seconds[which] for round_trip in ROUND_TRIPS]
        rows.append([": ".join(which), *map(milliseconds, seconds), f"{farthest.round_trips[which]:.0f}"])
    return table(["task", *head(), "round trips"], rows)


def ratios_of(place: str, all_measured: dict[int, Measured]) -> str:
    """Say how many times the time of ours the others take, and what ours takes beyond the floor."""

    def row(name: str, which: Which, of: str = OURS) -> list[str]:
        return [name, *(f"{one.seconds[which] / one.seconds[place, of]:.2f}" for one in all_measured.values())]

    under_mitogen = f"{OURS}{MITOGEN}"
    rows = [row(way, (place, way)) for _, way in all_ways([place]) if way != OURS]
    rows.append(row("`raw`", ("nothing", "`raw`")))
    for _, way in all_ways([place]):
        if way.endswith(MITOGEN) and way != under_mitogen:
            rows.append(row(f"{way}, of ours under mitogen", (place, way), under_mitogen))
    beyond = (one.seconds[place, OURS] - one.seconds["nothing", "`raw`"] for one in all_measured.values())
    rows.append(["ours beyond `raw`", *map(milliseconds, beyond)])
    return table([f"{place}: times of ours", *head()], rows)


def head() -> list[str]:
    """Give the columns of the round trips."""
    return [f"{round_trip} ms" for round_trip in ROUND_TRIPS]


def milliseconds(seconds: float) -> str:
    """Give a time; parts of a millisecond count only near by."""
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.1 else f"{seconds * 1000:.1f} ms"
