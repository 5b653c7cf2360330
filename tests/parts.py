"""The parts of each run of the tests: what each of them runs, after what, and what it needs of the machine."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import machine
from machine import PROJECT

WORKERS = str(max(2, min(8, os.cpu_count() or 2)))
TOOLS = "target/venv/tools/bin"
LOGS = PROJECT / "target/test"

#: An attribute by which a Rust test says what it needs, and the name of the test.
IGNORED = re.compile(r'#\[ignore = "needs ([^"]+)"\]\s*(?:#\[[^\]]*\]\s*)*fn (\w+)')


#: The beginning of a file that a shell runs.
IN_SHELL = re.compile(rb"#!.*\b(ba)?sh\b|# shellcheck shell=")


#: What a scenario on booted hosts takes beside Molecule.
OF_SCENARIOS = {"gateway": ("ceph",), "year": ("venv ansible-runner",)}


@dataclass(frozen=True)
class Part:
    """A command of a run. What only prepares others is run if one of them is."""

    name: str
    command: tuple[str, ...]
    after: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    #: How to read from its log, or from a file, how many tests it ran; a check or a preparation has none.
    counted_by: str | None = None
    prepares: bool = False
    #: Parts that share something run one after the other.
    shares: str | None = None


def preparation(name: str, *command: str, after: tuple[str, ...] = ()) -> Part:
    """Return a part that others come after."""
    return Part(name, command, after, prepares=True)


def venv(name: str) -> Part:
    """Return the part that makes a folder of Python packages."""
    return preparation(f"venv {name}", "make", "--silent", f"target/venv/{name}/.complete")


def lint(name: str, *command: str, after: tuple[str, ...] = ("venv tools",)) -> Part:
    """Return a check of the sources by a program in the venv of tools."""
    return Part(name, (f"{TOOLS}/{command[0]}", *command[1:]), after)


def pytest(
    name: str, marks: str, *, after: tuple[str, ...], needs: tuple[str, ...] = (), folder: str = "tests"
) -> Part:
    """Return the part that runs the tests in Python with some marks."""
    command = (f"{TOOLS}/python", "-m", "pytest", folder, "--quiet", "-m", marks, "-n", WORKERS, "--dist", "loadgroup")
    command += ("--junitxml", f"{LOGS}/{name}.xml", "--durations", "10")
    return Part(name, command, after, needs, counted_by="pytest")


def shell_scripts() -> list[str]:
    """List all files of this project that a shell runs."""
    folders = (".ci", "benches", "collection", "examples", "molecule", "roles", "scripts", "tests")
    paths = (path for folder in folders for path in (PROJECT / folder).rglob("*") if path.is_file())
    return sorted(str(path.relative_to(PROJECT)) for path in paths if IN_SHELL.match(path.read_bytes()[:80]))


def rust_tests_left_out() -> dict[str, str]:
    """Find the Rust tests that need what this machine lacks, each with the reason."""
    left_out = {}
    for source in [*(PROJECT / "src").rglob("*.rs"), *(PROJECT / "tests").rglob("*.rs")]:
        for needs, name in IGNORED.findall(source.read_text(encoding="utf-8")):
            if reason := machine.reason_to_skip(tuple(re.split(r", | and ", needs))):
                left_out[name] = reason
    return left_out


def scenarios() -> list[str]:
    """Name the scenarios on booted hosts."""
    return sorted(path.parent.name for path in (PROJECT / "molecule").glob("*/molecule.yml"))


def parts_of(run: str) -> list[Part]:
    """Return the parts of a run. Those that take long come first, as far as they can."""
    return {"test": of_test, "test-hosts": of_hosts, "test-collection": of_collection, "test-vm": of_vm}[run]()


BUILDS = [
    venv("tools"),
    venv("ansible-newest"),
    preparation("build", "scripts/build.sh"),
    preparation("dist", "scripts/dist.sh", after=("venv tools", "build")),
]


def of_test() -> list[Part]:
    """Return what runs on any machine."""
    cargo = ("cargo", "test", "--locked")
    left_out = [argument for name in rust_tests_left_out() for argument in ("--skip", name)]
    return [
        *BUILDS,
        preparation("rust tests built", *cargo, "--no-run", "--quiet"),
        pytest("playbooks", "not hosts and not collection and not vm", after=("venv ansible-newest", "dist")),
        Part(
            "rust",
            (*cargo, "--no-fail-fast", "--", "--include-ignored", *left_out),
            ("rust tests built", "venv tools"),
            counted_by="cargo",
        ),
        lint("ansible-lint", "ansible-lint", "-q"),
        Part("rustfmt", ("cargo", "fmt", "--check")),
        Part("clippy", ("cargo", "clippy", "--all-targets", "--locked", "--quiet", "--", "--deny", "warnings")),
        # A crate of its own, which nothing else builds.
        Part("rustfmt fuzz", ("cargo", "fmt", "--check", "--manifest-path", "tests/fuzz/Cargo.toml")),
        Part(
            "clippy fuzz",
            (
                *("cargo", "clippy", "--manifest-path", "tests/fuzz/Cargo.toml", "--target-dir", "target/fuzz"),
                *("--no-default-features", "--locked", "--quiet", "--", "--deny", "warnings"),
            ),
        ),
        lint("shellcheck", "shellcheck", *shell_scripts()),
        lint("ruff", "ruff", "check", "--quiet"),
        lint("ruff format", "ruff", "format", "--check", "--quiet"),
        lint("yamllint", "yamllint", "--strict", "."),
        lint("changelog", "antsibull-changelog", "lint"),
    ]


def of_hosts() -> list[Part]:
    """Return what needs root: booted hosts, and faults of all kinds."""
    needs = ("root", "namespaces", "ip", "javac", "mmdebstrap", "ssh", "ssh-keygen", "systemd-nspawn")
    return [
        *BUILDS,
        venv("molecule"),
        preparation("ceph", "scripts/ceph.sh"),
        venv("ansible-runner"),
        pytest(
            "hosts",
            "hosts and not collection",
            after=("venv ansible-newest", "dist", "ceph"),
            needs=("root", "namespaces"),
        ),
        *(
            Part(
                f"molecule {scenario}",
                ("scripts/molecule.sh", scenario),
                ("venv molecule", "dist", *OF_SCENARIOS.get(scenario, ())),
                needs,
                counted_by="exit status",
                # Twenty hosts take all inotify instances that the kernel gives (fs.inotify.max_user_instances).
                shares="hosts",
            )
            for scenario in scenarios()
        ),
    ]


def of_collection() -> list[Part]:
    """Return what holds before a release: other people's checks, and every ansible-core and architecture."""
    versions = (
        "ansible-newest",
        "ansible-2.19",
        "ansible-2.18",
        "ansible-oldest",
        "ansible-mitogen",
        "ansible-runner",
        "ansible-aws",
    )
    return [
        *BUILDS,
        *(venv(version) for version in versions[1:]),
        venv("collection"),
        venv("docs"),
        venv("browser"),
        preparation("axe", "scripts/axe.sh"),
        pytest("versions", "collection", after=(*(f"venv {version}" for version in versions), "dist")),
        Part(
            "browser",
            (
                "target/venv/browser/bin/python",
                "-m",
                "pytest",
                "tests/browser",
                "--quiet",
                "--junitxml",
                f"{LOGS}/browser.xml",
            ),
            ("venv browser", "axe", "dist"),
            ("chromedriver", "chromium", "npm"),
            counted_by="pytest",
        ),
        Part(
            "checks of others",
            ("scripts/test-collection.sh",),
            ("venv collection", "dist"),
            ("git",),
            counted_by="last line",
        ),
        Part("docs", ("scripts/docs.sh",), ("venv docs", "dist"), counted_by="exit status"),
        Part("aarch64", ("scripts/test-aarch64.sh",), ("dist",), ("qemu-aarch64-static",), counted_by="cargo"),
        Part("built twice", ("scripts/test-reproducible.sh",), ("dist",), ("git",), counted_by="exit status"),
    ]


def of_vm() -> list[Part]:
    """Return what takes virtual machines: power cuts, failing disks, SELinux, real boots, other kernels."""
    return [*BUILDS, pytest("vm", "vm", after=("venv ansible-newest", "dist"), folder="tests/vm")]


#: What the tests of each run need beside what their parts say. As root on Debian, it is installed.
COMMANDS = {
    "test": ("cc", "busybox", "git", "javac", "readelf", "setpriv", "ssh", "ssh-keygen", "sshd", "unshare"),
    "test-vm": ("cc", "git", "mmdebstrap", "ssh", "ssh-keygen", "unshare"),
    "test-hosts": (
        *("cc", "chattr", "git", "javac", "openssl", "prlimit", "setfacl", "setpriv", "ssh", "ssh-keygen", "sshd"),
        *("strace", "sudo", "tcsh", "unshare"),
    ),
    "test-collection": (
        *(
            "chromedriver",
            "chromium",
            "doas",
            "git",
            "npm",
            "openssl",
            "readelf",
            "setpriv",
            "ssh",
            "ssh-keygen",
            "sshd",
            "sudo",
        ),
        *("tcsh", "unshare"),
    ),
}


def log_of(part: Part) -> Path:
    """Return where the output of a part goes."""
    return LOGS / f"{part.name.replace(' ', '-')}.log"
