"""Old or new, whole and lasting, whenever the power goes; and what leaves out what that takes is found out.

`SEED=number` repeats the cuts of a run on a new recording, `LONG=1` makes 1,000 for each file system.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import power_cuts
import pytest
from broken_module import broken_module
from file_systems import FILE_SYSTEMS
from power_cuts import Experiment
from recording import HOW

if TYPE_CHECKING:
    from collections.abc import Callable

IS_LONG = bool(os.environ.get("LONG"))
CUTS, ROUNDS = (1000, 12) if IS_LONG else (100, 3)
CUTS_OF_TEETH = 60

#: Where a fault shows, how it is made, what it breaks, and what else follows from that.
TEETH = {
    "the file is not synced": ("xfs", "WITHOUT_FILE_SYNC", power_cuts.TORN, {power_cuts.NEXT_TASK}),
    "the folder is not synced": ("ext4", "WITHOUT_FOLDER_SYNC", power_cuts.LOST, {power_cuts.LOST_BACKUP}),
    "the backup is not synced": ("xfs", "WITHOUT_BACKUP_SYNC", power_cuts.BROKEN_BACKUP, set()),
    "written in place": ("ext4", None, power_cuts.TORN, {power_cuts.NEXT_TASK}),
}


@pytest.fixture
def seed() -> int:
    """Choose what chance follows; it stands in the summary, and in the message of a failure."""
    return int(os.environ.get("SEED") or time.time_ns() % 1_000_000)


@pytest.mark.parametrize("name", FILE_SYSTEMS)
def test_each_cut_leaves_the_old_file_or_the_new_one(name: str, seed: int, count: Callable[[str, int], None]) -> None:
    """With and without backups, a file that is made, another owner, a list of who may read, and an attribute."""
    judged = Experiment(name, FILE_SYSTEMS[name], seed, rounds=ROUNDS).run(CUTS)
    assert not judged.found, f"SEED={seed}\n{judged}"
    assert judged.tried.total() >= CUTS, judged
    assert len(judged.tried) == len(HOW), judged
    count(f"power cuts on {name} (SEED={seed})", judged.tried.total())


# One after another: they share one build.
@pytest.mark.xdist_group("broken module")
@pytest.mark.parametrize("fault", TEETH)
def test_a_fault_is_found_for_its_own_reason(fault: str, seed: int) -> None:
    """Without what brings a change to the disk, cuts show just what that is for."""
    name, without, breaks, follows = TEETH[fault]
    experiment = Experiment(f"tooth-{name}", FILE_SYSTEMS[name], seed, files=("trapd",), keeps=False)
    if without:
        experiment.modules = {"aspera_trapd_sse": broken_module()}
        experiment.without = without
    else:
        experiment.in_place = True
    judged = experiment.run(CUTS_OF_TEETH)
    assert breaks in judged.kinds, f"SEED={seed}\n{judged}"
    assert judged.kinds <= {breaks, *follows}, f"SEED={seed}\n{judged}"
