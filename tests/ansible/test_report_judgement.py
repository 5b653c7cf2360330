"""How a report judges hosts by their evidence: a green is earned, and nothing that is missing or odd makes one."""

from __future__ import annotations

import copy
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import evidence_samples as samples
import pytest
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.evidence_file import Answer, Sums
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.report_difference import (
    UnusablePreviousError,
    read_previous,
)
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.report_host import STATES
from evidence_samples import NIGHT, NOW, evidence, report, values, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ansible_collections.aspera_ops.sse.plugins.plugin_utils.evidence_file import Evidence

MINUTE = timedelta(minutes=1)
#: Evidence of one host, by the state that it gives the host.
BY_STATE: dict[str, dict[str, Evidence]] = {
    "met": {
        "as expected": evidence("host"),
        "as old as it may be": evidence("host", started_at=NOW - timedelta(hours=26)),
        "a clock that is a little ahead": evidence("host", ended_at=NOW + 4 * MINUTE),
        "uploads that do not go to S3 beside others": evidence(
            "host", values([samples.docroot(), samples.docroot("l", "not_s3")])
        ),
        "access keys that settle what the files do not say": samples.with_access_keys(),
    },
    "violated": {
        "violated": evidence("host", samples.violated()),
        "violated, and the rest not read": evidence("host", {**samples.violated(), "incomplete": [samples.INCOMPLETE]}),
        "violated long ago": evidence("host", samples.violated(), started_at=NOW - timedelta(days=9)),
        "violated, and another module failed": evidence(
            "host",
            state="failed",
            message="m",
            answers={
                "aspera_sse_info": Answer("answered", None, samples.violated()),
                "aspera_s3_objects_info": Answer("failed", "m"),
            },
        ),
        "violated by the objects alone": evidence(
            "host",
            answers={
                "aspera_sse_info": Answer("answered", None, values()),
                "aspera_s3_objects_info": Answer(
                    "answered", None, {"compliant": False, "violations": [samples.VIOLATION]}
                ),
            },
        ),
    },
    "incomplete": {
        "incomplete": evidence("host", samples.incomplete()),
        "incomplete, and something unknown": evidence("host", {**samples.incomplete(), "unknown": [samples.UNKNOWN]}),
        "compliant, and yet incomplete": evidence("host", values(incomplete=[samples.INCOMPLETE])),
    },
    "missing": {
        "unreachable": samples.unreachable("host"),
        "failed": evidence("host", state="failed", message="m", answers={}),
        "skipped": evidence("host", state="skipped", message=None, answers={}),
        "settings seen, objects not reached": evidence(
            "host",
            state="unreachable",
            message="m",
            answers={
                "aspera_sse_info": Answer("answered", None, values()),
                "aspera_s3_objects_info": Answer("unreachable", "m"),
            },
        ),
    },
    "old": {
        "old": evidence("host", started_at=NOW - timedelta(hours=26, seconds=1)),
        "old and unknown": evidence("host", samples.unknown(), started_at=NOW - timedelta(hours=27)),
    },
    "untrusted": {"of the future": evidence("host", ended_at=NOW + 6 * MINUTE)},
    "unknown": {
        "unknown": evidence("host", samples.unknown()),
        "compliant, and yet unknown": evidence("host", values(unknown=[samples.UNKNOWN])),
        "access keys of another user": samples.with_access_keys(settles=["user u2"]),
        "access keys that contradict themselves": samples.with_access_keys(complete=False),
        "access keys that nothing was expected of": samples.with_access_keys(compliant=None),
        "nothing was expected": evidence(
            "host", {"docroots": [samples.docroot(verdict=None)], "incomplete": []}, expectation=None
        ),
        "not compliant, without a reason": evidence("host", values(compliant=False)),
        "not known to be compliant, without a reason": evidence("host", values(compliant=None)),
        "no answer about the settings": evidence(
            "host", answers={"aspera_s3_objects_info": Answer("answered", None, {"compliant": True})}
        ),
        "the objects are not known to be": evidence(
            "host",
            answers={
                "aspera_sse_info": Answer("answered", None, values()),
                "aspera_s3_objects_info": Answer("answered", None, {"compliant": None}),
            },
        ),
    },
}
CASES = [(state, case) for state, cases in BY_STATE.items() for case in cases]


@pytest.mark.parametrize(("state", "case"), CASES)
def test_the_state_of_a_host(folder: Path, state: str, case: str) -> None:
    """It follows from the worst that is known of it, and has a reason with a remedy unless it is green."""
    write(folder / "evidence", BY_STATE[state][case])
    made = report(folder / "evidence")
    (host,) = made.hosts
    assert host.state == state
    assert made.is_proven is (state == "met")
    assert made.summary.startswith("Proven" if state == "met" else "Not")
    assert bool(host.findings) is (state != "met")
    assert all(finding.why.strip() and finding.fix.strip() for finding in host.findings)


def holes(value: Any, path: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    """Return the places of all values in a value."""
    if path:
        yield path
    for key, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from holes(part, (*path, key))


def with_hole(value: Any, path: tuple[object, ...], put: Any) -> Any:
    """Return a copy of a value with something else in a place; nothing if it is None."""
    changed = copy.deepcopy(value)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    if put is KeyError:
        del inner[path[-1]]
    else:
        inner[path[-1]] = put
    return changed


@pytest.mark.parametrize("answer", [samples.violated(), samples.unknown(), samples.incomplete()])
@pytest.mark.parametrize("put", [KeyError, None, [], {}, "text", 7, True, [None], [[]], [{}], {"a": {}}], ids=str)
def test_no_odd_answer_makes_a_green(folder: Path, answer: dict[str, Any], put: Any) -> None:
    """Whatever is left out of an answer that is not green, or stands in the place of a value."""
    hosts = [
        evidence(f"host{number}", with_hole(answer, path, put))
        for number, path in enumerate(holes(answer))
        # These are lies, and not odd: the list with the problem is empty.
        if not (put == [] and len(path) == 1)
    ]
    # Of an audit with several problems, each stands alone here. Without `compliant: true`, none is green.
    write(folder / "evidence", *hosts)
    made = report(folder / "evidence")
    assert len(made.hosts) == len(hosts)
    assert [host.host for host in made.hosts if host.state == "met"] == []


@pytest.mark.parametrize(
    "answer",
    [
        *({key: value for key, value in values().items() if key != name} for name in values()),
        *(values([samples.docroot(verdict=verdict)]) for verdict in ("violated", "unknown", "green")),
        *(values(compliant=value) for value in (1, "true", "yes", [True])),
    ],
)
def test_a_green_that_is_not_whole_is_none(folder: Path, answer: dict[str, Any]) -> None:
    """A list is missing, or the answer contradicts itself."""
    write(folder / "evidence", evidence("host", answer))
    assert report(folder / "evidence").hosts[0].state in ("incomplete", "unknown")


def test_a_problem_of_a_module_to_come_counts(folder: Path) -> None:
    """It has the lists of problems that all info modules have."""
    answers = {
        "aspera_sse_info": Answer("answered", None, values()),
        "aspera_later_info": Answer("answered", None, {"compliant": None, "unknown": [samples.UNKNOWN]}),
    }
    write(folder / "evidence", evidence("host", answers=answers))
    (host,) = report(folder / "evidence").hosts
    assert host.state == "unknown"
    assert [finding.where for finding in host.findings] == ["user up"]


def test_what_is_proven_on_objects(folder: Path) -> None:
    """Only the docroot that the module calls compliant, of the same client address."""
    objects = {
        "compliant": True,
        "docroots": [
            {"scope": "user", "name": "u1", "peer_ip": None, "compliant": True},
            {"scope": "user", "name": "u2", "peer_ip": None, "compliant": None},
            {"scope": "user", "name": "u3", "peer_ip": "192.0.2.1", "compliant": True},
            {"scope": ["user"], "name": {}, "compliant": True},
        ],
    }
    answers = {
        "aspera_sse_info": Answer("answered", None, values([samples.docroot(name) for name in ("u1", "u2", "u3")])),
        "aspera_s3_objects_info": Answer("answered", None, objects),
    }
    write(folder / "evidence", evidence("host", answers=answers))
    made = report(folder / "evidence")
    assert [docroot.proven_on for docroot in made.hosts[0].docroots] == ["objects", "settings", "settings"]
    assert made.summary.startswith("Proven by the settings, and on 1 by the uploaded objects: on 1 host")


def test_hosts_that_should_be_there_are_missed(folder: Path) -> None:
    """Those of the inventory; the others are named."""
    write(folder / "evidence", evidence("first"), evidence("gone"))
    made = report(folder / "evidence", inventory=["first", "never audited"])
    assert {host.host: host.state for host in made.hosts} == {"first": "met", "gone": "met", "never audited": "missing"}
    assert not made.is_proven
    assert any("not in the inventory, such as gone" in note for note in made.notes)
    assert any("No inventory was given" in note for note in report(folder / "evidence").notes)


def test_of_several_folders_the_newest_evidence_counts(folder: Path) -> None:
    """Slices join, and later dates replace earlier ones, in whichever order they are named."""
    write(
        folder / "before",
        evidence("first", samples.violated(), started_at=NIGHT - MINUTE, ended_at=NIGHT),
        evidence("second"),
    )
    write(folder / "after", evidence("first"), evidence("third", samples.unknown()))
    for folders in (("before", "after"), ("after", "before")):
        made = report(*(folder / name for name in folders))
        assert {host.host: host.state for host in made.hosts} == {"third": "unknown", "first": "met", "second": "met"}
        # Perhaps there are two servers of this name.
        assert [note for note in made.notes if "first has evidence in several folders" in note]


def test_a_newer_look_that_found_nothing_counts(folder: Path) -> None:
    """A green of yesterday is not that of a server that nobody reaches."""
    write(folder / "before", evidence("host", started_at=NIGHT - MINUTE, ended_at=NIGHT - MINUTE))
    write(folder / "after", samples.unreachable("host"))
    assert report(folder / "before", folder / "after").hosts[0].state == "missing"


def test_two_files_of_one_time_that_differ_prove_nothing(folder: Path) -> None:
    """Equal ones are a copy of the folder."""
    write(folder / "a", evidence("host"))
    write(folder / "b", evidence("host", groups=["another"]))
    write(folder / "c", evidence("host"))
    assert report(folder / "a", folder / "c").is_proven
    made = report(folder / "a", folder / "b")
    assert made.hosts[0].state == "untrusted"
    assert "has the same time and differs" in made.hosts[0].findings[0].why


def test_a_changed_file_is_red_even_beside_a_newer_one(folder: Path) -> None:
    """Somebody changes evidence: that is worth a look, whatever it was."""
    for name, at in (("before", NIGHT - MINUTE), ("after", NIGHT)):
        write(folder / name, evidence("host", started_at=at, ended_at=at))
    file = folder / "before/hosts/host.json"
    file.write_bytes(file.read_bytes() + b"\n")
    made = report(folder / "before", folder / "after")
    assert made.hosts[0].state == "untrusted"
    assert made.failures("violated")


FAILING = {
    "never": set(),
    "violated": {"violated", "untrusted"},
    "incomplete": {"violated", "untrusted", "incomplete", "missing", "old"},
    "unknown": set(STATES) - {"met"},
}


@pytest.mark.parametrize("fail_on", FAILING)
@pytest.mark.parametrize("state", STATES)
def test_what_makes_a_report_red(folder: Path, fail_on: str, state: str) -> None:
    """Each word stands for what is worse, too."""
    write(folder / "evidence", next(iter(BY_STATE[state].values())))
    failures = report(folder / "evidence").failures(fail_on)
    assert bool(failures) is (state in FAILING[fail_on]), failures
    assert all("host" in failure for failure in failures)


def test_nothing_is_no_success(folder: Path) -> None:
    """An empty folder, a missing one, and an inventory without evidence."""
    write(folder / "audited", evidence("host"))
    (folder / "empty").mkdir()
    for folders, inventory in (
        (("empty",), None),
        (("none",), None),
        ((), None),
        (("empty",), ["host"]),
        (("audited", "none"), None),
    ):
        made = report(*(folder / name for name in folders), inventory=inventory)
        assert not made.is_proven
        assert made.failures("violated") or made.failures("incomplete")
        assert made.failures("never") == []
        assert made.summary.startswith("Not")


def test_the_difference_to_the_previous_report(folder: Path) -> None:
    """Better, worse, new, missing, and edited with the same result."""
    other = Sums("0123456789abcdef", "cd" * 32, samples.SUM)
    write(
        folder / "before",
        *(evidence(name) for name in ("same", "edited", "other key", "worse", "gone")),
        evidence("better", samples.violated()),
    )
    write(
        folder / "after",
        evidence("same"),
        evidence("edited", sums=other),
        evidence("other key", sums=Sums("f" * 16, "cd" * 32, samples.SUM)),
        evidence("worse", samples.unknown()),
        evidence("better", samples.incomplete()),
        evidence("new"),
    )
    file = folder / "report.json"
    file.write_text(json.dumps(report(folder / "before").as_json()))
    found = report(folder / "after", previous=read_previous(file)).difference
    assert found
    assert found.since == "2026-11-27T05:00:00Z"
    changes = {
        name: [(one.host, one.before, one.after) for one in getattr(found, name)]
        for name in ("worse", "better", "new", "missing", "edited")
    }
    assert changes == {
        "worse": [("worse", "met", "unknown")],
        "better": [("better", "violated", "incomplete")],
        "new": [("new", None, "met")],
        "missing": [("gone", "met", None)],
        "edited": [("edited", "met", "met")],
    }


@pytest.mark.parametrize(
    "content",
    [
        *(
            "",
            "[]",
            "{}",
            "null",
            "[" * 100_000,
            '{"report_version": 2}',
            '{"report_version": 1, "created_at": "", "hosts": 7}',
        ),
        '{"report_version": 1, "created_at": 7, "hosts": []}',
        '{"report_version": 1, "created_at": "", "hosts": [{"host": [], "state": "met", "sums": null}]}',
        '{"report_version": 1, "created_at": "", "hosts": [{"host": "a", "state": "green", "sums": null}]}',
        '{"report_version": 1, "created_at": "", "hosts": [{"host": "a", "state": [], "sums": null}]}',
        '{"report_version": 1, "created_at": "", "hosts": [{"host": "a", "state": "met", "sums": 7}]}',
    ],
)
def test_a_previous_report_that_is_none(folder: Path, content: str) -> None:
    """It is said, and the report is made."""
    file = folder / "report.json"
    file.write_text(content)
    with pytest.raises(UnusablePreviousError, match=r"is not a report\.json of this version"):
        read_previous(file)
    with pytest.raises(UnusablePreviousError, match="No such file"):
        read_previous(folder / "none")
