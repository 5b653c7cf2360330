"""The three files of a report: nothing of a host is more than text in them, and they stay small."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import evidence_samples as samples
import lxml.html
import pytest
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.report_csv import cell, csv_of
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.report_difference import read_previous
from ansible_collections.aspera_ops.sse.plugins.plugin_utils.report_page import page_of
from evidence_samples import evidence, report, values, write

if TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.aspera_ops.sse.plugins.plugin_utils.report_fleet import Report

#: What a host could call itself or its docroots.
HOSTILE = (
    "<script>alert(1)</script>",
    "</title></style></script><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "' autofocus onfocus='alert(1)",
    "{{ 7 * 7 }}{% raw %}{{ lookup('pipe', 'id') }}",
    "javascript:alert(1)",
    "&lt;b&gt;&#60;",
    "\u202egnp.exe\u200f\u2066",
    "\x00\x07\x1b[31m\r\n",
    "x" * 10_000,
    "=cmd|' /C calc'!A0",
    "-->",
)
PAGE_AT_MOST = 2_000_000


def rendered(report: Report) -> str:
    """Return the page."""
    return page_of(report, "0.3.0").decode("utf-8")


def hostile_fleet() -> list[samples.Evidence]:
    """Return evidence in which every text is hostile, for each of them."""
    return [hostile(number, text) for number, text in enumerate(HOSTILE)]


def hostile(number: int, text: str) -> samples.Evidence:
    """Return evidence full of one text."""
    docroots = [
        samples.docroot(
            text, "unknown", kms_key_id=text, server_side_encryption=text, source=text, reasons=[text, text]
        )
        | {"inherited_from": text, "peer_ip": text, "uri": text}
    ]
    problem = {"where": text, "why": text, "fix": text, "found": text, "expected": text}
    answer = values(docroots, compliant=False, violations=[problem], unknown=[problem], incomplete=[problem])
    return evidence(
        f"{number}{text}",
        answer,
        groups=[text, f"g{text}"],
        versions={"collection": text, "ansible_core": text, "aspera": text},
        expectation=[{"server_side_encryption": text, "kms_key_ids": [text], "scopes": [text], text: text}],
    )


def test_hostile_text_is_only_text_on_the_page(folder: Path) -> None:
    """No element, attribute or script is there that the template does not have."""
    write(folder / "plain", *(hostile(number, f"plain{number}") for number in range(len(HOSTILE))))
    write(folder / "hostile", *hostile_fleet(), samples.evidence("far", state="failed", message=HOSTILE[0], answers={}))
    found = [lxml.html.fromstring(rendered(report(folder / name))) for name in ("plain", "hostile")]
    allowed, used = (
        {(one.tag, *sorted(one.attrib)) for one in page.iter() if isinstance(one.tag, str)} for page in found
    )
    assert used - allowed <= {("a", "class", "href")}, used - allowed
    assert [script.get("src") for script in found[1].iter("script")] == [None]
    assert all("on" not in name[:2] for one in found[1].iter() for name in one.attrib)
    text = rendered(report(folder / "hostile"))
    assert "alert(1)&lt;/script&gt;" in text
    assert "{{ 7 * 7 }}" in text
    assert not re.search("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\x00\x07\x1b]", text)
    assert "x" * 401 not in text


def test_the_page_loads_nothing_and_runs_only_its_own(folder: Path) -> None:
    """The policy names the style and the script by their sums, and the page has no address but anchors."""
    write(folder / "evidence", *hostile_fleet())
    text = rendered(report(folder / "evidence"))
    page = lxml.html.fromstring(text)
    (policy,) = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    for tag in ("style", "script"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert f"{tag}-src 'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert all(link.startswith("#") for link in page.xpath("//@href"))
    assert page.xpath("//@src | //@action | //@style") == []
    assert not re.search(r"url\(|@import|fetch|innerHTML", text)


def test_a_host_of_which_nothing_is_known_has_a_row(folder: Path) -> None:
    """It has no evidence, or one that does not count."""
    write(folder / "evidence", evidence("changed"))
    (folder / "evidence/hosts/changed.json").write_bytes(b"")
    made = report(folder / "evidence", inventory=["changed", "never audited"])
    page = lxml.html.fromstring(rendered(made))
    assert page.xpath("//table[@id='all']/tbody/tr/th/bdi/text()") == ["changed", "never audited"]
    assert made.summary == "Nothing is proven on 2 hosts: there is no evidence that counts."
    assert b"never audited" in csv_of(made)


@pytest.mark.parametrize("reds", [0, 9])
def test_a_thousand_hosts_take_one_small_page_and_little_time(folder: Path, reds: int) -> None:
    """Each host has ten docroots with keys of their own, and the page has them all."""
    write(folder / "evidence", *samples.fleet(1000, reds))
    began = time.process_time()
    made = report(folder / "evidence")
    page = page_of(made, "0.3.0")
    table = csv_of(made)
    json.dumps(made.as_json())
    seconds = time.process_time() - began
    assert len(page) < PAGE_AT_MOST
    # Three on an idle machine; this one may be busy.
    assert seconds < 9
    assert len(lxml.html.fromstring(page).xpath("//table[@id='all']/tbody")) == 1000
    assert page.count(b"<code>arn:") >= 10 * (1000 - reds)
    assert table.count(b"\r\n") >= 1 + 1000 + 10 * (1000 - reds)
    assert made.is_proven is not reds


def test_no_fleet_makes_a_page_that_does_not_open(folder: Path) -> None:
    """What is cut is counted; the other two files have all of it."""
    hosts = [hostile(number, f"{number:06}<&\"'\u202e" + "<" * 10_000) for number in range(150)]
    many = values([samples.docroot(f"u{number}", kms_key_id=f"key{number}") for number in range(60_000)])
    write(folder / "evidence", *hosts, evidence("many", many))
    made = report(folder / "evidence")
    made.hosts = [*made.hosts[:-1] * 20, *made.hosts]
    page = rendered(made)
    assert len(page.encode()) < PAGE_AT_MOST
    assert "more hosts: see report.csv" in page
    assert "more reasons: see report.csv" in page
    assert len(csv_of(report(folder / "evidence"))) > 8_000_000


def test_the_first_sentence_and_the_reasons_come_before_the_hosts(folder: Path) -> None:
    """The order is that of what a person asks."""
    write(folder / "before", *samples.fleet(3))
    previous = folder / "report.json"
    previous.write_text(json.dumps(report(folder / "before").as_json()))
    write(
        folder / "evidence",
        *samples.fleet(3, reds=3),
        samples.unreachable("lost"),
        evidence("late", started_at=samples.NOW - timedelta(days=2)),
    )
    made = report(folder / "evidence", previous=read_previous(previous))
    page = lxml.html.fromstring(rendered(made))
    (heading,) = page.xpath("//h1")
    assert heading.text_content() == made.summary
    assert heading.text_content().startswith("Not proven: of 5 hosts, 1 host violates the expectation")
    sections = [heading.get("id") for heading in page.xpath("//h2")]
    assert sections == ["wrong", "absent", "changes", "hosts", "made"]
    causes = page.xpath("//section[@aria-labelledby='wrong']//tbody/tr/td[1]/span/text()")
    assert causes == ["violated", "incomplete", "unknown"]
    absent = [row.text_content().split() for row in page.xpath("//section[@aria-labelledby='absent']//tbody/tr/th")]
    assert absent == [["lost"], ["late"]]
    states = [body.get("data-state") for body in page.xpath("//table[@id='all']/tbody")]
    assert states == ["violated", "incomplete", "missing", "old", "unknown"]


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain", "plain"),
        ("", ""),
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1", "  '=1"),
        ("\t=1", " '=1"),
        ("\r=1", "\\r=1"),
        ("a;=1", "a;'=1"),
        ("a,@x", "a,'@x"),
        ("a\n=1", "a =1"),
        ('"=1', "\"'=1"),
        ("\uff1d1", "'\uff1d1"),
        ("\u200f=1", "\\u200f=1"),
        ("s3://****:****@h/b?a=b-c", "s3://****:****@h/b?a=b-c"),
        (None, ""),
    ],
)
def test_no_cell_is_a_formula(text: str | None, safe: str) -> None:
    """However a spreadsheet splits the line."""
    assert cell(text) == safe


def test_the_table_has_everything_as_text(folder: Path) -> None:
    """Every cell of a hostile fleet is safe, and names are whole."""
    write(folder / "evidence", *hostile_fleet())
    rows = list(csv.DictReader(io.StringIO(csv_of(report(folder / "evidence")).decode("utf-8"), newline="")))
    cells = [value for row in rows for value in row.values()]
    assert not [value for value in cells if re.match(r"\s*[=+@-]", value)]
    assert all("\n" not in value and "\r" not in value for value in cells)
    assert any("x" * 10_000 in row["place"] for row in rows)
    assert {row["record"] for row in rows} == {"host", "finding", "docroot"}
    assert len([row for row in rows if row["record"] == "finding"]) == 3 * len(HOSTILE)


def test_the_file_for_programs_has_all_of_it(folder: Path) -> None:
    """In ASCII, with the evidence that each host was judged by."""
    write(folder / "evidence", *hostile_fleet())
    made = report(folder / "evidence")
    written = json.dumps(made.as_json())
    assert written.isascii()
    read = json.loads(written)
    assert (read["report_version"], read["proven"], read["summary"]) == (1, False, made.summary)
    for host in read["hosts"]:
        (file,) = (
            one
            for one in (folder / "evidence/hosts").iterdir()
            if hashlib.sha256(one.read_bytes()).hexdigest() == host["sha256"]
        )
        assert json.loads(file.read_text())["host"] == host["host"]
