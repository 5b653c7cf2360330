"""A fleet of which nothing is to be changed: our role against a playbook of modules in Python that checks the same."""

from __future__ import annotations

import json
import os
import statistics
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from booted_hosts import booted_hosts, enclosed
from controller import PROJECT, Controller, Run, controller
from relay import longer_way
from tables import table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOSTS = 20
#: How many hosts take part, the milliseconds there and back, and how many runs are measured.
SITUATIONS = ((1, 0, 3), (HOSTS, 0, 3), (1, 50, 2), (HOSTS, 50, 2), (1, 100, 2), (HOSTS, 100, 2))
SETTINGS = PROJECT / "molecule/shared/vars/settings.yml"
ROLE = [{"hosts": "all", "gather_facts": False, "roles": ["aspera_ops.sse.aspera_sse"]}]
PEER = Path(__file__).with_name("fleet_peer.yml")
#: The file of another build of the collection, to compare with; for people who change the role.
OTHER_BUILD = os.environ.get("OTHER_BUILD")

OURS = "our role"


@dataclass(frozen=True)
class Contestant:
    """What does the work, and how Ansible is set for it."""

    playbook: list | Path
    ansible: Controller
    variables: dict[str, object] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)


Runs = dict[str, list[Run]]


def run(folder: Path) -> str:
    """Measure and give the report."""
    printed = json.loads(enclosed([sys.executable, __file__, folder]))
    measured = [{name: [Run(**one) for one in runs] for name, runs in some.items()} for some in printed]
    return "\n\n".join(
        [
            totals("from start to end", measured, lambda one: one.wall),
            totals("CPU of the controller", measured, lambda one: one.cpu),
            tasks_of(measured[SITUATIONS.index((HOSTS, 0, 3))][OURS]),
        ]
    )


def totals(what: str, measured: list[Runs], of: Callable[[Run], float]) -> str:
    """Compare the runs as a whole, and say in brackets how many times that of our role the others take."""
    rows = []
    for (hosts, round_trip, _), runs in zip(SITUATIONS, measured, strict=True):
        medians = {name: statistics.median(map(of, some)) for name, some in runs.items()}
        ours = medians[OURS]
        others = [f"{median:.1f} s ({median / ours:.1f})" for name, median in medians.items() if name != OURS]
        rows.append([f"{hosts}, at {round_trip} ms", f"{ours:.1f} s", *others])
    return table([f"hosts: {what}", *measured[0]], rows)


def tasks_of(runs: list[Run]) -> str:
    """Say which tasks of a playbook take how long, until all hosts have their result; medians, in order."""
    durations: dict[str, list[float]] = {}
    for one in runs:
        spans: dict[tuple[float, str], float] = {}
        for task in one.tasks:
            which = (task["start"], task["task"])
            spans[which] = max(spans.get(which, 0), task["end"] - task["start"])
        for number, ((_, name), seconds) in enumerate(spans.items(), 1):
            durations.setdefault(f"{number}. {name.rpartition(' : ')[2].partition(' - ')[0]}", []).append(seconds)
    rows = [[name, f"{statistics.median(some):.2f} s"] for name, some in durations.items()]
    rest = statistics.median(one.wall - sum(statistics.median(some) for some in durations.values()) for one in runs)
    rows.append(["start, end and what lies between tasks", f"{rest:.2f} s"])
    return table([f"task of our role, {HOSTS} hosts, 0 ms", "until all hosts are done"], rows)


def measured(folder: Path) -> list[dict[str, list[dict]]]:
    """Boot the hosts, set what is to be set, and run all contestants in turn."""
    with ExitStack() as stack:
        contestants = {name: one for name, one in all_contestants(folder, stack).items() if one}
        inventory = stack.enter_context(booted_hosts(HOSTS))
        settings = ["--forks", str(HOSTS), "--extra-vars", f"@{SETTINGS}"]
        contestants[OURS].ansible.run(ROLE, inventory, *settings)
        found = []
        for hosts, round_trip, count in SITUATIONS:
            runs: Runs = {name: [] for name in contestants}
            with far_away(inventory, hosts, round_trip) as far:
                # The first at no distance is not counted: programs and files are read from the disk then.
                for _ in range(count + (round_trip == 0)):
                    for name, one in contestants.items():
                        # As in the night: no connection is open yet.
                        one.ansible.hang_up()
                        variables = ["--extra-vars", json.dumps(one.variables)]
                        finished = one.ansible.run(
                            one.playbook, far, *settings, *variables, environment=one.environment
                        )
                        runs[name].append(unchanged(finished))
                    for one in contestants.values():
                        one.ansible.hang_up()
            found.append({name: [asdict(one) for one in some[-count:]] for name, some in runs.items()})
    return found


def all_contestants(folder: Path, stack: ExitStack) -> dict[str, Contestant | None]:
    """List what is measured."""
    ansible = stack.enter_context(controller(folder))
    other = None
    if OTHER_BUILD:
        other = Contestant(ROLE, stack.enter_context(controller(folder, "o", Path(OTHER_BUILD))))
    return {
        OURS: Contestant(ROLE, ansible),
        "the other build of our role": other,
        "Python modules, pipelined": Contestant(PEER, ansible, {"ansible_ssh_pipelining": True}),
        # It has a client of its own, which does not take what the inventory says of host keys.
        "Python modules, mitogen": Contestant(PEER, ansible, {"ansible_host_key_checking": False}, ansible.mitogen),
    }


@contextmanager
def far_away(inventory: dict, hosts: int, round_trip: int) -> Iterator[dict]:
    """Give the inventory of some of the hosts, each behind a relay of its own."""
    chosen = dict(list(inventory["all"]["hosts"].items())[:hosts])
    with ExitStack() as relays:
        if round_trip:
            for name, variables in chosen.items():
                relay = relays.enter_context(longer_way(22, round_trip / 1000, variables["ansible_host"]))
                chosen[name] = {"ansible_host": "127.0.0.1", "ansible_port": relay.own_port}
        yield {"all": {"hosts": chosen, "vars": inventory["all"]["vars"]}}


def unchanged(finished: Run) -> Run:
    """Give a run of which no task changed anything, on any host."""
    changed = sorted({task["task"] for task in finished.tasks if task["status"] == "changed"})
    if changed:
        message = f"These tasks changed something: {changed}"
        raise RuntimeError(message)
    return finished


if __name__ == "__main__":
    print(json.dumps(measured(Path(sys.argv[1]))))
