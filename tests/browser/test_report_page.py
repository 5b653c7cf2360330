"""The page of a report in a real browser: as a person uses it, on paper, without scripts, and against hostile hosts."""

from __future__ import annotations

import base64
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from chromium import samples
from selenium.webdriver.common.keys import Keys

if TYPE_CHECKING:
    from collections.abc import Callable

    from chromium import ReportPage

    Opened = Callable[..., ReportPage]

pytestmark = pytest.mark.needs("chromium", "chromedriver")

#: Nine hosts in seven states, and what was before.
BEFORE = (samples.evidence("aspera10"), samples.evidence("aspera2", samples.violated()), samples.evidence("gone"))
HOSTS = (
    samples.evidence("aspera10", samples.violated(), groups=["aspera", "eu"]),
    samples.evidence("aspera2", groups=["aspera", "us"]),
    samples.evidence("aspera1", samples.unknown(), groups=["aspera", "us"]),
    samples.evidence("half", samples.incomplete(), groups=["aspera", "eu west"]),
    samples.unreachable("lost"),
    samples.evidence("late", started_at=samples.NOW - timedelta(days=3)),
    samples.evidence("early", ended_at=samples.NOW + timedelta(days=3)),
)
WITHIN_PAGE = "return document.documentElement.scrollWidth <= document.documentElement.clientWidth"


def test_the_page_runs_its_script_and_loads_nothing(opened: Opened) -> None:
    """The policy allows its own style and script, and the browser has nothing to complain about."""
    page = opened(*HOSTS, before=BEFORE)
    assert page.said() == []
    assert page.run("return performance.getEntriesByType('resource').length") == 0
    assert page.one("#count").text == "7 of 7 hosts shown"
    assert page.run("return getComputedStyle(document.querySelector('.verdict')).fontWeight") == "600"


def test_hosts_are_filtered_by_state_group_and_text(opened: Opened) -> None:
    """Together, and how many are shown is said in a place that screen readers announce."""
    page = opened(*HOSTS, before=BEFORE)
    assert page.shown == ["aspera10", "early", "half", "lost", "late", "aspera1", "aspera2"]
    page.choose("state", "violated")
    assert page.shown == ["aspera10"]
    page.choose("state", "")
    page.choose("group", "us")
    assert page.shown == ["aspera1", "aspera2"]
    # Text is looked for in everything that is shown of a host, whether it is open or not.
    page.write("API")
    assert page.shown == []
    page.write("ACCESS_KEYS")
    assert page.shown == ["aspera1"]
    assert page.one("#count").text == "1 of 7 hosts shown"
    assert page.one("#count").get_attribute("role") == "status"
    page.write("no such text")
    assert page.shown == []
    page.write("")
    page.choose("group", "eu west")
    assert page.shown == ["half"]


def test_hosts_are_sorted_by_each_column(opened: Opened) -> None:
    """By mouse and by keyboard, numbers as numbers, and the column says how."""
    page = opened(*HOSTS, before=BEFORE)
    assert page.columns["State"] == "ascending"
    button = page.sort("Host")
    assert page.shown == ["aspera1", "aspera2", "aspera10", "early", "half", "late", "lost"]
    assert [column for column, sort in page.columns.items() if sort] == [
        next(one for one in page.columns if "Host" in one)
    ]
    button.send_keys(Keys.ENTER)
    assert page.shown == ["lost", "late", "half", "early", "aspera10", "aspera2", "aspera1"]
    page.sort("State")
    assert page.shown[0] == "aspera10"
    page.sort("Evidence of")
    assert page.shown[0] == "late"
    # 10 comes after 2.
    page = opened(
        *(
            samples.evidence(f"h{many}", samples.values([samples.docroot(str(one)) for one in range(many)]))
            for many in (10, 1, 2)
        )
    )
    for shown in (["h1", "h2", "h10"], ["h10", "h2", "h1"]):
        page.sort("Docroots as expected")
        assert page.shown == shown


def test_a_host_opens_to_its_docroots(opened: Opened) -> None:
    """By keyboard, too; and all that are shown by one button."""
    page = opened(*HOSTS, before=BEFORE)
    first = page.all("#all details")[0]
    assert "AES256" not in first.text
    first.find_element("css selector", "summary").send_keys(Keys.ENTER)
    assert "user u1" in first.text
    assert "AES256" in first.text
    assert samples.KEY in first.text
    page.choose("group", "us")
    page.one("#open").click()
    page.choose("group", "")
    assert page.run("return document.querySelectorAll('#all details[open]').length") == 3
    page.one("#open").click()
    assert page.run("return document.querySelectorAll('#all details[open]').length") == 0


def test_without_scripts_everything_is_there(opened: Opened) -> None:
    """The worst first, and each host opens; what could not work is not shown."""
    page = opened(*HOSTS, before=BEFORE)
    page.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    page.driver.refresh()
    assert not page.one("#filters").is_displayed()
    assert page.all("#all button") == []
    assert page.all("#all > tbody > tr:first-child > th")[0].text == "aspera10"
    details = page.all("#all details")[0]
    details.find_element("css selector", "summary").click()
    assert "AES256" in details.text


def test_it_prints_on_a4(opened: Opened) -> None:
    """Without what cannot be pressed on paper, and with what was open."""
    page = opened(*HOSTS, *samples.fleet(80), before=BEFORE)
    page.media("print", "dark")
    assert not page.one("#filters").is_displayed()
    assert not page.one("nav").is_displayed()
    assert page.run("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    # As wide as the paper without its margins, at 96 dots an inch.
    page.driver.set_window_size(703, 1000)
    assert page.run(WITHIN_PAGE)
    page.media()
    printed = page.driver.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True})
    pdf = base64.b64decode(printed["data"])
    assert pdf.startswith(b"%PDF-")
    sizes = {
        tuple(round(float(number)) for number in box.split()) for box in re.findall(rb"/MediaBox \[([^]]*)\]", pdf)
    }
    assert sizes == {(0, 0, 595, 842)}
    assert 2 <= len(re.findall(rb"/Type /Page\b", pdf)) <= 8


@pytest.mark.parametrize("width", [360, 1200])
def test_hostile_hosts_do_nothing(opened: Opened, width: int) -> None:
    """Whatever they and their docroots are called, it is shown as text, and the page keeps its form."""
    names = (
        "<script>document.title = 'pwned'</script>",
        "<img src=x onerror=\"document.title='pwned'\">",
        '" autofocus onfocus="document.title=\'pwned\'" x="',
        "{{ 7 * 7 }}",
        "{% for x in y %}",
        "\u202eabc\u202c\u2066\u200f",
        "\u05d0\u05d1\u05d2 ]1[",
        "x" * 10_000,
        "x " * 5_000,
    )
    hosts = []
    for number, name in enumerate(names):
        wrong = {"where": name, "found": name, "expected": name, "why": name, "fix": name}
        answer = samples.values([samples.docroot(name, "violated", kms_key_id=name, reasons=[name])])
        answer |= {"compliant": False, "violations": [wrong]}
        hosts.append(samples.evidence(f"{number} {name}", answer, groups=[name]))
    page = opened(*hosts, before=tuple(samples.evidence(host.host) for host in hosts))
    page.driver.set_window_size(width, 900)
    page.one("#open").click()
    assert page.said() == []
    assert page.driver.title.startswith("Not proven:")
    assert page.run("return [document.scripts.length, document.images.length]") == [1, 0]
    assert page.run("return document.activeElement.tagName") in ("BODY", "BUTTON")
    assert page.shown[0] == f"0 {names[0]}"
    assert "{{ 7 * 7 }}" in page.one("#all").text
    assert not re.search("[\u200e\u200f\u202a-\u202e\u2066-\u2069]", page.one("body").text)
    assert page.run(WITHIN_PAGE)
    # Each can be chosen, and is found by its text.
    page.choose("group", "{{ 7 * 7 }}")
    assert page.shown == ["3 {{ 7 * 7 }}"]
    page.choose("group", "")
    page.write("<img src=x")
    assert page.shown == [f"1 {names[1]}"]


def test_ten_thousand_docroots_are_quick(opened: Opened) -> None:
    """The page opens, and a filter answers, before a person waits."""
    page = opened(*samples.fleet(1000, reds=9))
    timing = page.run("return performance.getEntriesByType('navigation')[0].loadEventEnd")
    assert timing < 5000
    script = """
        const began = performance.now();
        const [name, value] = arguments;
        const field = document.getElementById(name);
        field.value = value;
        field.dispatchEvent(new Event(name === "text" ? "input" : "change"));
        document.body.getBoundingClientRect();
        return performance.now() - began;
    """
    for name, value, count in (("text", "tenant7", 991), ("state", "violated", 0), ("text", "", 3)):
        assert page.run(script, name, value) < 2000
        assert len(page.shown) == count


@pytest.mark.needs("npm")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("case", ["red", "green", "nothing"])
def test_axe_finds_nothing(opened: Opened, axe: str, case: str, scheme: str) -> None:
    """With everything open, for readers of all kinds: landmarks, names, scopes, contrast."""
    page = opened(*{"red": HOSTS, "green": samples.fleet(5), "nothing": ()}[case], before=BEFORE)
    page.media(scheme=scheme)
    if case != "nothing":
        page.one("#open").click()
    page.run(axe)
    found = page.driver.execute_async_script("axe.run().then(arguments[0])")
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]] == []
    # It has looked.
    assert {"color-contrast", "region", "document-title"} <= {one["id"] for one in found["passes"]}
