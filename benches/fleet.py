"""A fleet of which nothing is to be changed: our role against a playbook of modules in Python that checks the same."""

from __future__ import annotations

import json
import statistics
import sys
from dataclasses import asdict
from pathlib import Path

from booted_hosts import booted_hosts, enclosed
from controller import PROJECT, Run, controller
from tables import table, times

HOSTS = 20
RUNS = 3
WARM_UP = 1
SETTINGS = PROJECT / "molecule/shared/vars/settings.yml"
ROLE = [{"hosts": "all", "gather_facts": False, "roles": ["aspera_ops.sse.aspera_sse"]}]
PEER = Path(__file__).with_name("fleet_peer.yml")
PIPELINED = {"ansible_ssh_pipelining": True}


def run(folder: Path) -> str:
    """Measure and give the report."""
    printed = enclosed([sys.executable, __file__, folder])
    ours, theirs = ([Run(**one) for one in runs] for runs in json.loads(printed))
    return f"{totals(ours, theirs)}\n\n{tasks_of(ours)}"


def totals(ours: list[Run], theirs: list[Run]) -> str:
    """Compare the runs as a whole."""
    rows = []
    for what, median in (("from start to end", median_wall), ("CPU of the controller", median_cpu)):
        our, their = median(ours), median(theirs)
        rows.append([what, f"{our:.1f} s", f"{their:.1f} s", times(their / our)])
    return table([f"{HOSTS} hosts", "our role", "Python modules", "less"], rows)


def median_wall(runs: list[Run]) -> float:
    """Give the median from start to exit, in seconds."""
    return statistics.median(one.wall for one in runs)


def median_cpu(runs: list[Run]) -> float:
    """Give the median of the CPU time of the controller, in seconds."""
    return statistics.median(one.cpu for one in runs)


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
    return table(["task of our role", "all hosts"], rows)


def measured(folder: Path) -> list[list[dict]]:
    """Boot the hosts, set what is to be set, and run both in turn."""
    with controller(folder) as ansible, booted_hosts(HOSTS) as inventory:
        settings = f"@{SETTINGS}"
        ansible.run(ROLE, inventory, "--forks", str(HOSTS), "--extra-vars", settings)
        runs: list[list[Run]] = [[], []]
        for _ in range(WARM_UP + RUNS):
            for some, playbook, variables in zip(runs, (ROLE, PEER), ({}, PIPELINED), strict=True):
                # As in the night: no connection is open yet.
                ansible.hang_up()
                told = ["--forks", str(HOSTS), "--extra-vars", settings, "--extra-vars", json.dumps(variables)]
                some.append(unchanged(ansible.run(playbook, inventory, *told)))
    return [[asdict(one) for one in some[WARM_UP:]] for some in runs]


def unchanged(finished: Run) -> Run:
    """Give a run of which no task changed anything, on any host."""
    changed = sorted({task["task"] for task in finished.tasks if task["status"] == "changed"})
    if changed:
        message = f"These tasks changed something: {changed}"
        raise RuntimeError(message)
    return finished


if __name__ == "__main__":
    print(json.dumps(measured(Path(sys.argv[1]))))
