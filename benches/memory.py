"""Measure the memory that each module takes for the worst files of each kind that a host could have."""

from __future__ import annotations

import json
from pathlib import Path

from measure import peak_bytes
from tables import megabytes, table

LIBRARY = Path(__file__).parent.parent / "library"
#: The largest s3.properties that is read, and a size of aspera.conf at which what a process takes anyway hardly counts.
PROPERTIES = 1024 * 1024
CONF = 16 * 1024 * 1024

DOCROOT = "<file_system><access><paths><path><absolute>{}</absolute></path></paths></access></file_system>"
USERS = "<CONF>{default}<aaa><realms><realm><users>{users}</users></realm></realms></aaa></CONF>\n"


def run(folder: Path) -> str:
    """Measure and return the report."""
    aspera_root = folder / "aspera"
    rows = [row(aspera_root, "etc/trapd/s3.properties", *file) for file in properties_files()]
    conf = [row(aspera_root, "etc/aspera.conf", *file) for file in conf_files()]
    head = ["file", "size", "audit", "peak/file", "audit with expect", "peak/file", "edit", "peak/file"]
    return table(head, rows + conf)


def properties_files() -> list[tuple[str, str]]:
    """List files of the largest size that are read. One that an edit would make larger is refused."""
    room = PROPERTIES - 1024
    lines = {
        "shortest settings": "a\n",
        "shortest comments": "#\n",
        "one long setting": "a\\\n",
        "only our setting": "server-side-encryption\n",
    }
    return [(f"`s3.properties`: {name}", line * (room // len(line)) + "\n") for name, line in lines.items()]


def conf_files() -> list[tuple[str, str]]:
    """List files that are nothing but what costs most."""
    with_docroot = "<user><name>u{0}</name>" + DOCROOT.format("s3://bucket.s3.amazonaws.com/{0}") + "</user>\n"
    shapes = {
        "users with a docroot": (with_docroot, ""),
        "users without a name": ("<user><name/></user>", ""),
        "users who inherit": ("<user><name>u{0}</name></user>\n", f"<default>{DOCROOT.format('s3://h/d')}</default>"),
        "empty elements": ("<a/>", ""),
        "comments": ("<!---->", ""),
    }
    files = []
    for name, (shape, default) in shapes.items():
        count = CONF // len(shape.format(1_000_000))
        users = "".join(shape.format(1_000_000 + number) for number in range(count))
        files.append((f"`aspera.conf`: {name}", USERS.format(default=default, users=users)))
    one_user = {
        "docroots of one user": ["s3:a"] * (CONF // 27),
        "S3 docroots of one user": ["s3://"] * (CONF // 28),
        "different settings of one user": [f"s3://h?server-side-encryption={number:x}" for number in range(CONF // 60)],
    }
    for name, docroots in one_user.items():
        text = DOCROOT.format("</absolute><absolute>".join(docroots))
        users = f"<user><name>u</name>{text}</user>"
        files.append((f"`aspera.conf`: {name}", USERS.format(default="", users=users)))
    return files


def row(aspera_root: Path, place: str, name: str, text: str) -> list[str]:
    """Measure all modules that read a file."""
    path = aspera_root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    expect = [{"server_side_encryption": "AES256"}]
    check = {"server_side_encryption": "AES256", "_ansible_check_mode": True, "_ansible_diff": True}
    is_conf = path.name == "aspera.conf"
    edit = ("aspera_docroot_sse", {**check, "all": True}) if is_conf else ("aspera_trapd_sse", check)
    cells = [name, megabytes(len(text))]
    for module, options in (("aspera_sse_info", {}), ("aspera_sse_info", {"expect": expect}), edit):
        peak = peak_bytes([LIBRARY / module, json.dumps({"aspera_root": str(aspera_root), **options})])
        cells += [megabytes(peak), f"{peak / len(text):.1f}"]
    path.unlink()
    return cells
