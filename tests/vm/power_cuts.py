"""Power cuts while the modules run: recorded in one guest, looked at in another, judged here.

What holds after a cut at any moment: each file is the old one or the new one, whole, with its owner, mode, ACL and
attributes; the new one, if the answer was out; a backup is whole or not there, and there if it was promised; the next
task works and leaves nothing behind.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import packages
from file_systems import FileSystem
from guest import drive, logged_drive
from recording import SECTOR, Cut, Recording, pages, write_images
from tasks_in_guests import MODULES, PROJECT, run_script

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SANDBOX = PROJECT / "examples/sandbox/etc"
FAILED = packages.FOLDER / "failed"
KEPT = 3

RECORD_LIMIT = 900
SECONDS_A_CUT = 30

# What can be wrong after a cut.
TORN = "neither the old file nor the new one"
LOST = "the old file, after the answer said changed"
BROKEN_BACKUP = "a backup that is not whole"
LOST_BACKUP = "no backup, after the answer named it"
NEXT_TASK = "the next task failed or left something"
NO_MOUNT = "the file system cannot be mounted"


@dataclass
class Expected:
    """What the marks of a recording promise of a file."""

    states: tuple[str, ...] = ()
    backups: dict[str, str] = field(default_factory=dict)


@dataclass
class Judged:
    """What came of cuts: how many of each kind, and what was wrong in which."""

    tried: Counter[str]
    found: list[tuple[str, Cut, str]]

    @property
    def kinds(self) -> set[str]:
        """Name what was wrong."""
        return {kind for kind, _, _ in self.found}

    def __str__(self) -> str:
        """Say it in lines."""
        lines = [f"{self.tried.total()} cuts: {dict(self.tried)}"]
        for kind, number in Counter(kind for kind, _, _ in self.found).items():
            lines.append(f"{number} times {kind}, such as:")
            lines += [
                f"  {cut.how} at entry {cut.entry} after {cut.marks[-1]!r}: {text}"
                for one, cut, text in self.found
                if one == kind
            ][:KEPT]
        return "\n".join(lines)


@dataclass
class Experiment:
    """Tasks on a file system, whose power is cut."""

    name: str
    file_system: FileSystem
    seed: int
    files: tuple[str, ...] = ("trapd", "conf")
    rounds: int = 2
    in_place: bool = False
    modules: Mapping[str, Path] = field(default_factory=lambda: MODULES)
    #: For a broken build: what it leaves out.
    without: str = ""
    kernel: str = "6.1"
    keeps: bool = True

    def run(self, number: int) -> Judged:
        """Record the tasks, cut so many times, look at what is left, and keep what is wrong."""
        packages.FOLDER.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="cuts-", dir=packages.FOLDER) as name:
            folder = Path(name)
            states, recording = self._record(folder)
            chance = Random(self.seed)  # noqa: S311 It is to be the same again.
            every = list(recording.cuts(chance))
            assert "FINISHED" in every[-1].marks, "the recording has no end"
            cuts = list(_different(every))
            if len(cuts) > number:
                cuts = chance.sample(cuts, number)
            output = self._look(folder, recording, cuts, states)
            judged = judge(cuts, output, self.files)
            if self.keeps:
                self._keep(recording, judged)
        return judged

    def _record(self, folder: Path) -> tuple[dict[tuple[str, str], str], Recording]:
        disk, log = folder / "disk", folder / "log"
        self.file_system.create(disk)
        before = pages(disk)
        log.touch()
        settings = {
            "IN_PLACE": "yes" if self.in_place else "",
            "MARKS_AT": self.file_system.size // SECTOR,
            "ROUNDS": self.rounds,
        }
        if self.without:
            settings[f"export {self.without}"] = "yes"
        output = self._run(
            "record.sh",
            settings,
            [logged_drive(disk, log)],
            RECORD_LIMIT,
            modules=self.modules,
            files={f"seeds/{name}": content for name, content in seeds().items()},
        )
        assert "FAILED" not in output, output
        states = {(file, name): state for file, name, state in re.findall(r"^STATE (\S+) (\S+) (\S+)$", output, re.M)}
        return states, Recording(before, log, self.file_system.size, self.file_system.untorn)

    def _look(self, folder: Path, recording: Recording, cuts: list[Cut], states: Mapping[tuple[str, str], str]) -> str:
        images = folder / "images"
        step = 2 * self.file_system.size
        write_images(images, [{**recording.before, **cut.changed} for cut in cuts], step)
        known = "".join(f"{file} {name} {state}\n" for (file, name), state in states.items())
        settings = {"COUNT": len(cuts), "STEP": step}
        limit = 60 + SECONDS_A_CUT * len(cuts)
        return self._run("look.sh", settings, [drive(images)], limit, files={"states": known.encode()})

    def _run(
        self, script: str, settings: Mapping[str, object], drives: list[list[str]], limit: float, **more: object
    ) -> str:
        return run_script(
            script,
            {
                "FILES": " ".join(self.files),
                "KIND": self.file_system.kind,
                "OPTIONS": self.file_system.options,
                **settings,
            },
            drives,
            limit,
            kernel=packages.kernel(self.kernel),
            kernel_modules=("loop", *self.file_system.modules),
            unsafe_writes=self.in_place,
            **more,
        )

    def _keep(self, recording: Recording, judged: Judged) -> None:
        """Keep some of the disks on which something is wrong, and say what."""
        kept: Counter[str] = Counter()
        for number, (kind, cut, text) in enumerate(judged.found):
            kept[kind] += 1
            if kept[kind] > KEPT:
                continue
            FAILED.mkdir(parents=True, exist_ok=True)
            image = FAILED / f"{self.name}-{self.seed}-{number}.img"
            write_images(image, [{**recording.before, **cut.changed}], self.file_system.size)
            about = f"{kind}: {text}\nseed {self.seed}, {cut.how} at entry {cut.entry}\n" + "\n".join(cut.marks)
            image.with_suffix(".txt").write_text(about, encoding="utf-8")


def judge(cuts: list[Cut], output: str, files: Iterable[str]) -> Judged:
    """Hold what a guest saw on each disk against what the marks promise."""
    found = []
    seen: dict[tuple[int, str], list[list[str]]] = {}
    for line in output.splitlines():
        kind, _, rest = line.partition(" ")
        if kind in {"FILE", "BACKUP", "NEXT", "NOT_MOUNTED"}:
            number, *words = rest.split(" ", 5)
            seen.setdefault((int(number), kind), []).append(words)
    for number, cut in enumerate(cuts):
        expected = promised(cut.marks)
        looks = {words[0]: words[1] for words in seen.get((number, "FILE"), [])}
        nexts = {words[0]: words[1:] for words in seen.get((number, "NEXT"), [])}
        backups = {(words[0], words[1]): words[2] for words in seen.get((number, "BACKUP"), [])}
        if len(looks) < len(list(files)):
            found.append((NO_MOUNT, cut, str(seen.get((number, "NOT_MOUNTED"), "it was not looked at"))))
            continue
        for file in files:
            states = expected[file].states
            state = looks[file]
            if state not in states:
                known = state in {"A", "B", "CREATED", "absent"}
                found.append((LOST if known else TORN, cut, f"{file} is {state}, not of {states}"))
            wanted, after, left, answer = [*nexts.get(file, []), "", "", "", "no answer"][:4]
            if (wanted, left, answer) != (after, "0", "changed"):
                text = f"{file} was {state}, is to be {wanted}, is {after}, {left} left: {answer}"
                found.append((NEXT_TASK, cut, text))
            for name, of in expected[file].backups.items():
                if (file, name) not in backups:
                    found.append((LOST_BACKUP, cut, f"{name} of {of}"))
        for (file, name), state in backups.items():
            if state != expected[file].backups.get(name, state) or state not in {"A", "B"}:
                found.append((BROKEN_BACKUP, cut, f"{name} of {file} is {state}"))
    return Judged(Counter(cut.how for cut in cuts), found)


def promised(marks: Iterable[str]) -> dict[str, Expected]:
    """Follow marks: say which states each file may have after them, and which backups must be there."""
    files: dict[str, Expected] = {}
    for mark in marks:
        verb, *words = mark.split()
        if verb not in {"IS", "BEGIN", "END"}:
            continue
        file, state, *backup = words
        known = files.setdefault(file, Expected())
        if verb == "BEGIN":
            known.states = (known.states[-1], state)
        else:
            if backup:
                known.backups[backup[0]] = known.states[0]
            known.states = (state,)
    return files


def seeds() -> dict[str, bytes]:
    """Return the files before the first task: as grown over years, of some pages each."""
    properties = (SANDBOX / "trapd/s3.properties").read_bytes()
    properties += b"".join(b"# line %d of a longer file, as grown over years\n" % line for line in range(120))
    conf = (SANDBOX / "aspera.conf").read_bytes()
    user = re.search(rb" *<user>\s*<name>acme</name>.*?</user>\n", conf, re.S)[0]
    users = b"".join(user.replace(b"acme", b"acme%d" % number) for number in range(150))
    return {"trapd": properties, "conf": conf.replace(user, users)}


def _different(cuts: Iterable[Cut]) -> Iterable[Cut]:
    """Leave out what is the same disk under the same promises."""
    seen = set()
    for cut in cuts:
        content = hashlib.sha256(repr(promised(cut.marks)).encode())
        for number, data in sorted(cut.changed.items()):
            content.update(b"%d" % number + data)
        if content.digest() not in seen:
            seen.add(content.digest())
            yield cut
