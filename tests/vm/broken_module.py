"""A build of the modules that leaves out what makes a change last, as the environment says: so that cuts show it.

Nothing of it is in the product: a copy of the source in target/vm is changed in three lines, which must be there.
"""

from __future__ import annotations

import functools
import os
import platform
import shutil
import subprocess
from pathlib import Path

import packages

PROJECT = Path(__file__).resolve().parents[2]
COPIED = (".cargo", "Cargo.lock", "Cargo.toml", "README.md", "benches", "docs", "rust-toolchain.toml", "src")
COPIED_FOR_CARGO = ("tests/oracle", "tests/stand_ins")

#: What a variable of the environment leaves out: in which file, which line does it, and what is done without it.
LEFT_OUT = {
    "WITHOUT_FILE_SYNC": (
        "src/files/replace.rs",
        "new.fill(content)?;",
        "std::io::Write::write_all(&mut new.file, content).during(Step::Write)?;",
    ),
    "WITHOUT_BACKUP_SYNC": (
        "src/files/backup.rs",
        "copy.fill(&old.bytes).map_err(as_backup)?;",
        "std::io::Write::write_all(&mut copy.file, &old.bytes).during(Step::Backup)?;",
    ),
    "WITHOUT_FOLDER_SYNC": (
        "src/files/replace.rs",
        "self.folder.sync().map_err(Problem::FolderNotSynced)?;",
        "",
    ),
}


@functools.cache
def broken_module() -> Path:
    """Build aspera_trapd_sse with the switches, quickly and without its optimisations."""
    copy = packages.FOLDER / "broken"
    for name in (*COPIED, *COPIED_FOR_CARGO):
        _copy(PROJECT / name, copy / name)
    for variable, (name, line, without) in LEFT_OUT.items():
        path = copy / name
        text = path.read_text(encoding="utf-8")
        switched = f'if std::env::var_os("{variable}").is_some() {{ {without} }} else {{ {line} }}'
        assert text.count(line) == 1, f"{name} has not once the line that {variable} leaves out: {line}"
        path.write_text(text.replace(line, switched), encoding="utf-8")
    target = f"{platform.machine()}-unknown-linux-musl"
    command = ("cargo", "build", "--locked", "--quiet", "--bin", "aspera_trapd_sse", "--target", target)
    environment = {**os.environ, "CARGO_PROFILE_DEV_DEBUG": "false"}
    environment["CARGO_TARGET_DIR"] = str(packages.FOLDER / "broken-target")
    subprocess.run(command, check=True, cwd=copy, env=environment, stdin=subprocess.DEVNULL)
    return packages.FOLDER / f"broken-target/{target}/debug/aspera_trapd_sse"


def _copy(source: Path, copy: Path) -> None:
    """Copy with the times, by which cargo sees what is new."""
    if source.is_dir():
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(source, copy)
    else:
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, copy)
