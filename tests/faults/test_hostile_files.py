"""Files made to hurt: whatever stands in them, an answer comes, in little memory, and the file is whole."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from module_under_fault import DOCROOT, DOCROOT_BEFORE, TRAPD, TRAPD_BEFORE, Edit, Sandbox, result_of

if TYPE_CHECKING:
    from collections.abc import Callable

MEGABYTE = 1_000_000
INSIDE = DOCROOT_BEFORE.index(b"<aaa>")
USER = (
    b"<user><name>user%07d</name><file_system><access><paths><path><absolute>s3://h/b</absolute></path></paths>"
    b"</access></file_system></user>"
)


def with_inside(text: bytes) -> bytes:
    """Put something into the root element of a configuration."""
    return DOCROOT_BEFORE[:INSIDE] + text + DOCROOT_BEFORE[INSIDE:]


#: What the answer must say, or nothing where the file is fine and the setting is made.
CONFIGURATIONS: dict[str, tuple[bytes, str | None]] = {
    "an element with 200,000 attributes": (
        with_inside(b"<x" + b"".join(b" a%06d='%d'" % (number, number) for number in range(200_000)) + b"/>"),
        "more than 1,000 attributes",
    ),
    "many elements with 1,000 attributes": (
        with_inside((b"<x" + b"".join(b" a%03d=''" % number for number in range(1_000)) + b"/>") * 100),
        None,
    ),
    "elements nested a million deep": (with_inside(b"<x>" * MEGABYTE), "nested more than 256 deep"),
    "prefixes without end": (
        with_inside(b"".join(b"<x xmlns:p%06d='u'>" % number for number in range(200))),
        "namespace prefixes",
    ),
    "entities that grow": (
        b"<!DOCTYPE CONF [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]>"
        + DOCROOT_BEFORE.replace(b"<aaa>", b"<aaa>&b;"),
        "document type declaration",
    ),
    "an entity from elsewhere": (
        b"<!DOCTYPE CONF SYSTEM 'file:///etc/passwd'>" + DOCROOT_BEFORE,
        "document type declaration",
    ),
    "an entity nobody declares": (DOCROOT_BEFORE.replace(b"<aaa>", b"<aaa>&nobody;"), "line 1"),
    "50 MB of comments": (with_inside(b"<!-- %s -->\n" % (b"x" * 90) * 500_000), None),
    "50 MB of text that looks like the end of a section": (
        with_inside(b"<x>" + b"]] " * (16 * MEGABYTE) + b"</x>"),
        None,
    ),
    "a comment that never ends": (with_inside(b"<!--" + b"- " * MEGABYTE), "malformed comment"),
    "sections that never end": (with_inside(b"<![CDATA[" * (MEGABYTE // 10)), "the file ends"),
    "half a million of references": (with_inside(b"<x>" + b"&#x41;" * 500_000 + b"</x>"), None),
    "300,000 users": (
        DOCROOT_BEFORE.replace(b"<user>", b"".join(USER % number for number in range(300_000)) + b"<user>", 1),
        None,
    ),
    "a name of a megabyte": (
        DOCROOT_BEFORE.replace(b"<user>", b"<user><name>%s</name></user><user>" % (b"x" * MEGABYTE), 1),
        None,
    ),
    "a docroot of a megabyte": (
        DOCROOT_BEFORE.replace(b"amazonaws.com/b<", b"amazonaws.com/%s/b<" % (b"x" * MEGABYTE)),
        None,
    ),
    "a docroot of 100,000 options": (DOCROOT_BEFORE.replace(b"/b<", b"/b?%s<" % (b"x=1&amp;" * 100_000)), None),
    "nothing": (b"", "line 1"),
    "zeros": (bytes(MEGABYTE), "a byte of 0"),
    "another encoding": (DOCROOT_BEFORE.decode().encode("utf-16"), "byte order mark of UTF-16"),
    "bytes that are no text": (with_inside(b"\xff\xfe\xfd"), "not valid UTF-8"),
    "65 MiB": (b" " * (65 * 1024 * 1024), "larger than 64 MiB"),
}
PROPERTIES: dict[str, tuple[bytes, str | None]] = {
    "10,000 settings": (b"".join(b"k%07d=%s\n" % (number, b"x" * 90) for number in range(10_000)) + TRAPD_BEFORE, None),
    "a line of a megabyte": (b"k=" + b"x" * MEGABYTE + b"\n" + TRAPD_BEFORE, None),
    "a value over 300,000 lines": (b"k=" + b"x\\\n" * 300_000 + b"y\n" + TRAPD_BEFORE, None),
    "400,000 settings of a letter": (b"a\n" * 400_000 + TRAPD_BEFORE, None),
    "the key 35,000 times": (TRAPD_BEFORE + b"server-side-encryption=NONE\n" * 35_000, None),
    "zeros": (bytes(MEGABYTE) + b"\n" + TRAPD_BEFORE, "a byte of 0"),
    "2 MB": (b"#" * (2 * MEGABYTE), "larger than 1 MiB"),
    "65 MiB": (b"#" * (65 * 1024 * 1024), "larger than 1 MiB"),
}


def check(edit: Edit, content: bytes, expected: str | None) -> None:
    """Run a module on a file, with an end to its memory; a run that does not end is one that fails."""
    sandbox = Sandbox(replace(edit, before=content))
    sandbox.file.write_bytes(content)
    sandbox.file.chmod(0o600)
    # An eighth of a gigabyte for small files; for large ones what very many short lines take, each of them a setting.
    memory = max(128 * MEGABYTE, 20 * len(content))
    result = result_of(sandbox.run("prlimit", f"--as={memory}"))
    after = sandbox.file.read_bytes()
    if expected is None:
        assert "failed" not in result, result
        assert b"server-side-encryption=AES256" in after
        assert abs(len(after) - len(content)) < 100
    else:
        assert expected in str(result["msg"]), result
        assert after == content
    assert not sandbox.temporary_files()


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_hostile_configuration(name: str, count: Callable[[str, int], None]) -> None:
    """It is edited or refused in a sentence."""
    check(DOCROOT, *CONFIGURATIONS[name])
    count("hostile files", 1)


@pytest.mark.parametrize("name", PROPERTIES)
def test_hostile_settings(name: str, count: Callable[[str, int], None]) -> None:
    """They are edited or refused in a sentence."""
    check(TRAPD, *PROPERTIES[name])
    count("hostile files", 1)


@pytest.mark.parametrize("edit", [TRAPD, DOCROOT], ids=lambda edit: edit.module)
def test_a_file_that_ends_anywhere(edit: Edit, count: Callable[[str, int], None]) -> None:
    """Cut off at each of its bytes, it is edited or refused, and nothing of it is in the answer."""
    sandbox = Sandbox(edit)
    for length in range(len(edit.before)):
        sandbox.file.write_bytes(edit.before[:length])
        result = result_of(sandbox.run())
        if "failed" in result:
            assert sandbox.file.read_bytes() == edit.before[:length]
        else:
            assert b"server-side-encryption=AES256" in sandbox.file.read_bytes()
            # A configuration is one only up to its end; the line break behind that may be missing.
            assert edit is TRAPD or length == len(edit.before) - 1
    count("files cut off", len(edit.before))
