"""The role without booted hosts: the checks that stop it, its steps alone, batches, check mode, examples."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import machine
import pytest
from aspera_roots import KEY, AsperaRoot
from controllers import PROJECT
from role_hosts import Hosts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from controllers import Controller, Screen

SYSTEM = {"server_side_encryption": "AWS_KMS", "kms_key_id": KEY}
DOCROOTS = [{"user": "acme", **SYSTEM}]
KEY_OF_GLOBEX = KEY.replace("1234abcd", "bbbbbbbb")
#: Modules for another architecture, as on a host for which there is no build.
FOREIGN_MODULES = PROJECT / "target/aarch64-unknown-linux-musl/release"

NOEXEC = 'mount -t tmpfs -o noexec none "$1" && shift && exec "$@"'
STRANGE_UNAME = "#!/bin/sh\necho SunOS sun4v\n"


BOTH = ["s3.properties", "aspera.conf"]


def foreign_modules(folder: Path) -> tuple[str, ...]:
    """Let Ansible find modules that do not run here."""
    library = folder / "library"
    library.mkdir()
    for module in FOREIGN_MODULES.glob("aspera_*_*"):
        if not module.suffix:
            shutil.copy(module, library)
    assert len(list(library.iterdir())) == len(list((PROJECT / "src/bin").iterdir()))
    return ("env", f"ANSIBLE_LIBRARY={library}")


def other_architecture(hosts: Hosts) -> tuple[str, ...]:
    """Make this machine one of 32 bits."""
    return (*foreign_modules(hosts.folder), "setarch", "i686")


def other_system(hosts: Hosts) -> tuple[str, ...]:
    """Make uname report another system."""
    programs = hosts.folder / "programs"
    programs.mkdir()
    (programs / "uname").write_text(STRANGE_UNAME, encoding="utf-8")
    (programs / "uname").chmod(0o755)
    behind = 'PATH="$1:$PATH"; shift; export PATH; exec "$@"'
    return (*foreign_modules(hosts.folder), "sh", "-c", behind, "sh", str(programs))


def noexec(hosts: Hosts) -> tuple[str, ...]:
    """Prevent programs from running in the folder for temporary files."""
    if reason := machine.reason_to_skip(("root", "namespaces")):
        pytest.skip(reason)
    folder = hosts.folder / "noexec"
    folder.mkdir()
    return ("unshare", "--mount", "sh", "-c", NOEXEC, "sh", str(folder))


def not_installed(hosts: Hosts) -> tuple[str, ...]:
    """Remove Aspera."""
    shutil.rmtree(hosts.roots["one"].folder)
    return ()


def too_old(hosts: Hosts) -> tuple[str, ...]:
    """Install a version that does not support AWS_KMS."""
    shutil.rmtree(hosts.roots["one"].folder)
    AsperaRoot.lay_out(hosts.roots["one"].folder, "", ascp_version="3.5.4.102989")
    return ()


def last_task(screen: Screen) -> str:
    """Return the line that names the last task, in which the host failed."""
    return re.findall(r"\nTASK \[.*\]", screen.text)[-1]


@pytest.mark.parametrize(
    ("check", "arrange", "says", "says_without"),
    [
        ("linux", other_system, "This host runs SunOS sun4v; the modules run on Linux only.", "this host is sun4v"),
        (
            "architecture",
            other_architecture,
            "built for x86_64 and aarch64, and this host is i686.",
            "do not run on this host",
        ),
        ("temporary_folder", noexec, "it may be mounted noexec. Set ansible_remote_tmp", "Permission denied"),
        ("installed", not_installed, "Aspera is not installed in ", "does not exist"),
        ("version", too_old, "Aspera 3.5.4.102989 does not know AWS_KMS, which came with 3.6.1.", "3.5.4.102989"),
    ],
)
def test_the_preflight_names_the_obstacle(
    controller: Controller,
    folder: Path,
    check: str,
    arrange: Callable[[Hosts], tuple[str, ...]],
    says: str,
    says_without: str,
) -> None:
    """There is one message for each. If the check is skipped by its name, the host stops later with another message."""
    hosts = Hosts(folder, "one")
    around = arrange(hosts)
    temporary = {"ansible_remote_tmp": str(folder / "noexec")} if check == "temporary_folder" else {}
    screen = hosts.run(controller, "role.yml", around=around, aspera_sse_system=SYSTEM, **temporary)
    assert screen.recap["one"]["failed"] == 1, screen.text
    assert says in screen.as_one_line
    assert "No start of json char" not in screen.text
    assert "Module result deserialization failed" not in screen.text
    without = hosts.run(
        controller, "role.yml", around=around, aspera_sse_system=SYSTEM, aspera_sse_skip=[check], **temporary
    )
    assert without.recap["one"]["failed"] == 1, without.text
    assert without.text.rindex("\nTASK [") > without.text.index(last_task(screen)), without.text
    assert says_without in without.as_one_line


def test_each_step_runs_alone(controller: Controller, folder: Path) -> None:
    """It runs by tasks_from and by tags."""
    hosts = Hosts(folder, "one")
    wanted = {"aspera_sse_system": SYSTEM, "aspera_sse_docroots": DOCROOTS}
    for step in ("preflight", "verify", "restart"):
        screen = hosts.run(controller, "role_step.yml", step=step, **wanted)
        assert screen.recap["one"]["changed"] == 0, screen.text
        if step == "verify":
            assert screen.recap["one"]["failed"] == 1
            assert "s3.properties has no encryption, not AWS_KMS" in screen.as_one_line
            assert "user acme has no encryption, not AWS_KMS" in screen.as_one_line
            assert "No file was changed by this run." in screen.as_one_line
        else:
            assert screen.exit_status == 0, screen.text
    for tag in ("aspera_sse_preflight", "aspera_sse_restart"):
        screen = hosts.run(controller, "role.yml", "--tags", tag, **wanted)
        assert (screen.exit_status, screen.recap["one"]["changed"]) == (0, 0), screen.text
    screen = hosts.run(controller, "role_step.yml", step="configure", **wanted)
    assert screen.recap["one"]["changed"] == len(BOTH), screen.text
    assert hosts.settings == {"one": BOTH}
    screen = hosts.run(controller, "role.yml", "--tags", "aspera_sse_configure,aspera_sse_verify", **wanted)
    assert (screen.exit_status, screen.recap["one"]["changed"]) == (0, 0), screen.text


def test_check_mode_predicts_and_changes_nothing(controller: Controller, folder: Path) -> None:
    """It shows the same diffs as the real run, and at the end everything that is not yet as expected."""
    hosts = Hosts(folder, "one")
    wanted = {"aspera_sse_system": SYSTEM, "aspera_sse_docroots": DOCROOTS}
    predicted = hosts.run(controller, "role.yml", "--check", "--diff", **wanted)
    assert predicted.exit_status == 0, predicted.text
    assert hosts.settings == {"one": []}
    assert "user acme has no encryption, not AWS_KMS" in predicted.as_one_line
    done = hosts.run(controller, "role.yml", "--diff", **wanted)
    assert done.exit_status == 0, done.text
    diffs = [[result.diff for result in screen.results if result.diff] for screen in (predicted, done)]
    assert len(diffs[0]) == len(BOTH)
    assert diffs[0] == diffs[1]
    assert "DUMMY" not in predicted.text + done.text


def test_key_ids_of_another_store(controller: Controller, folder: Path) -> None:
    """They are refused before the first of the two files is written, unless the role allows them."""
    hosts = Hosts(folder, "one")
    docroots = [{"user": "acme", "server_side_encryption": "AWS_KMS", "kms_key_id": "my-key"}]
    wanted = {"aspera_sse_system": SYSTEM, "aspera_sse_docroots": docroots}
    refused = hosts.run(controller, "role.yml", **wanted)
    assert refused.recap["one"]["failed"] == 1, refused.text
    assert "aspera_sse_docroots[0].kms_key_id is a key id that is neither a UUID" in refused.as_one_line
    assert "my-key" not in refused.text
    assert hosts.settings == {"one": []}
    for changed in (len(BOTH), 0):
        done = hosts.run(controller, "role.yml", aspera_sse_validate_kms_key_id="no", **wanted)
        assert (done.exit_status, done.recap["one"]["changed"]) == (0, changed), done.text


@pytest.mark.parametrize(
    ("setting", "named"),
    [("aspera_sse_system", "the whole server (s3.properties)"), ("aspera_sse_docroots", "user acme")],
)
def test_a_key_is_dropped_only_on_purpose(controller: Controller, folder: Path, setting: str, named: str) -> None:
    """A variable that is not there is left out, and the host fails before the first of the two files is written."""
    hosts = Hosts(folder, "one")
    both = {"aspera_sse_system": SYSTEM, "aspera_sse_docroots": DOCROOTS}
    assert hosts.run(controller, "role.yml", **both).exit_status == 0
    assert hosts.settings == {"one": BOTH}
    misspelt = {"server_side_encryption": "AWS_KMS", "kms_key_id": "{{ no_such_key | default(omit) }}"}
    changed = {"server_side_encryption": "AES256"}
    wanted = {"aspera_sse_system": changed, "aspera_sse_docroots": [{"user": "acme", **changed}]}
    wanted[setting] = misspelt if setting == "aspera_sse_system" else [{"user": "acme", **misspelt}]
    for arguments in (("--check",), ()):
        refused = hosts.run(controller, "role.yml", *arguments, **wanted)
        assert refused.recap["one"]["failed"] == 1, refused.text
        assert f"The variables name no KMS key for {named}, where one is set." in refused.as_one_line
        assert hosts.settings == {"one": BOTH}
    meant = {**misspelt, "aws_managed_key": "yes"}
    wanted[setting] = meant if setting == "aspera_sse_system" else [{"user": "acme", **meant}]
    for changed_tasks in (2, 0):
        done = hosts.run(controller, "role.yml", **wanted)
        assert (done.exit_status, done.recap["one"]["changed"]) == (0, changed_tasks), done.text
    assert hosts.settings == {"one": []}


@pytest.mark.parametrize(
    ("docroot", "says"),
    [
        ({"user": "acme", **SYSTEM, "kms_key_id": "arn:aws:kms:DUMMY"}, "kms_key_ids[0]"),
        ({"user": "acme", "server_side_encryption": "AES256", "kms_key_id": KEY}, "goes with server_side_encryption"),
        ({"user": "nobody-here", **SYSTEM}, "user nobody-here: aspera.conf has no such user or group."),
    ],
)
def test_what_stops_a_host_stops_it_before_the_first_write(
    controller: Controller, folder: Path, docroot: dict[str, str], says: str
) -> None:
    """Otherwise s3.properties would have the new setting, and the docroots the old ones."""
    hosts = Hosts(folder, "one")
    screen = hosts.run(controller, "role.yml", aspera_sse_system=SYSTEM, aspera_sse_docroots=[docroot])
    assert screen.recap["one"]["failed"] == 1, screen.text
    assert screen.recap["one"]["changed"] == 0, screen.text
    assert says in screen.as_one_line
    assert "DUMMY" not in screen.text
    assert hosts.settings == {"one": []}


def test_a_docroot_of_a_form_that_cannot_be_set_stops_a_host_before_the_first_write(
    controller: Controller, folder: Path
) -> None:
    """The look does not know what the plan will refuse, so the docroots come first."""
    hosts = Hosts(folder, "one")
    root = hosts.roots["one"]
    # Its element holds another one, which an edit of the text would lose.
    before = root.conf.read_bytes()
    form = before.replace(b"</absolute>", b"<unexpected/></absolute>")
    assert form != before
    root.write_conf(form)
    screen = hosts.run(controller, "role.yml", aspera_sse_system=SYSTEM, aspera_sse_docroots=DOCROOTS)
    assert screen.recap["one"] | {"failed": 1, "changed": 0} == screen.recap["one"], screen.text
    assert hosts.settings == {"one": []}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "s3.properties does not exist. It comes with trapd"),
        (b"a=\\u12\n", "s3.properties"),
    ],
)
def test_an_s3_properties_that_cannot_be_set_stops_a_host_before_the_first_write(
    controller: Controller, folder: Path, content: bytes | None, says: str
) -> None:
    """Otherwise the docroots would have the new setting."""
    hosts = Hosts(folder, "one")
    path = hosts.roots["one"].properties
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    wanted = {"aspera_sse_system": SYSTEM, "aspera_sse_docroots": DOCROOTS}
    screen = hosts.run(controller, "role.yml", "--extra-vars", '{"aspera_sse_skip": ["trapd"]}', **wanted)
    assert screen.recap["one"] | {"failed": 1, "changed": 0} == screen.recap["one"], screen.text
    assert says in screen.as_one_line
    if content is None:
        path.write_bytes(b"")
        assert hosts.run(controller, "role.yml", **wanted).recap["one"]["failed"] == 0


def test_a_malformed_aspera_conf_stops_a_host_before_the_first_write(controller: Controller, folder: Path) -> None:
    """The message names the file. A host whose docroots are not to be set is not stopped by it before s3.properties."""
    for docroots, written in ((DOCROOTS, []), ([], ["s3.properties"])):
        hosts = Hosts(folder / str(len(docroots)), "one")
        hosts.roots["one"].write_conf(b"<CONF><aaa></CONF>")
        screen = hosts.run(controller, "role.yml", aspera_sse_system=SYSTEM, aspera_sse_docroots=docroots)
        assert screen.recap["one"]["failed"] == 1, screen.text
        assert "etc/aspera.conf" in screen.as_one_line
        assert hosts.settings == {"one": written}


def test_old_copies_are_removed(controller: Controller, folder: Path) -> None:
    """By default all are kept; with a number, so many of each file."""
    hosts = Hosts(folder, "one")
    root = hosts.roots["one"]

    def copies(keep: int, *encryptions: str) -> list[int]:
        for encryption in encryptions:
            setting = {"server_side_encryption": encryption}
            wanted = {"aspera_sse_system": setting, "aspera_sse_docroots": [{"user": "acme", **setting}]}
            screen = hosts.run(controller, "role.yml", aspera_sse_backup_keep=keep, **wanted)
            assert (screen.exit_status, screen.recap["one"]["changed"]) == (0, 2), screen.text
        return [len(list(file.parent.glob(f"{file.name}.*~"))) for file in (root.properties, root.conf)]

    assert copies(0, "AES256", "AWS_KMS", "AES256") == [3, 3]
    assert copies(2, "AWS_KMS") == [2, 2]
    assert copies(1, "AES256") == [1, 1]
    (copy,) = root.properties.parent.glob("s3.properties.*~")
    assert "server-side-encryption=AWS_KMS" in copy.read_text(encoding="utf-8")


OTHER_DOCROOTS = [
    {"user": "acme", "server_side_encryption": "AES256"},
    {"global": True, "server_side_encryption": "NONE"},
]


def test_docroots_that_do_not_follow_the_system(controller: Controller, folder: Path) -> None:
    """If only the system is asked for, they are reported by name, or fail the verification."""
    hosts = Hosts(folder, "one")
    assert hosts.run(controller, "role.yml", aspera_sse_docroots=OTHER_DOCROOTS).exit_status == 0
    says = [
        f"user acme has AES256, not AWS_KMS with {KEY}: the docroot has a setting of its own",
        f"global has NONE, not AWS_KMS with {KEY}: the docroot has a setting of its own",
    ]
    for arguments, changed in ((("--check",), 1), ((), 1), ((), 0)):
        screen = hosts.run(controller, "role.yml", *arguments, aspera_sse_system=SYSTEM)
        assert (screen.exit_status, screen.recap["one"]["changed"]) == (0, changed), screen.text
        for sentence in says:
            assert sentence in screen.as_one_line
        if arguments:
            # The count of what was checked: s3.properties, and no docroot.
            counts = r"users: 0, not judged: \d+ \(with a setting of their own beside s3.properties: 2\)"
            assert re.search(counts, screen.as_one_line), screen.text
    follow = {"aspera_sse_system": SYSTEM, "aspera_sse_docroots_follow_system": "true"}
    screen = hosts.run(controller, "role.yml", **follow)
    assert screen.recap["one"] | {"failed": 1, "changed": 0} == screen.recap["one"], screen.text
    for sentence in says:
        assert sentence in screen.as_one_line
    # A docroot with a setting that is asked for is not concerned, and one without a setting follows.
    removed = [OTHER_DOCROOTS[0], {"global": True, "state": "absent"}]
    screen = hosts.run(controller, "role.yml", aspera_sse_docroots=removed, **follow)
    assert screen.exit_status == 0, screen.text


def test_a_host_that_is_as_it_should_be_takes_six_tasks(controller: Controller, folder: Path) -> None:
    """Three of them go to the host: the look and the two settings. Ansible adds one, which validates the arguments."""
    hosts = Hosts(folder, "one", version="4.3.1.100")
    docroots = [{"user": "acme", "server_side_encryption": "AES256"}]
    for changed in (1, 0):
        screen = hosts.run(controller, "role.yml", aspera_sse_docroots=docroots)
        assert (screen.exit_status, screen.recap["one"]["changed"]) == (0, changed), screen.text
    tasks = re.findall(r"\nTASK \[aspera_sse : (.*)\]", screen.text)
    assert tasks[0].startswith("Validating arguments")
    assert tasks[1:] == [
        "Check and convert the variables",
        "Look at the host",
        "Check the preconditions",
        "Set the encryption of docroots",
        "Set the system-wide encryption",
        "Restart and verify",
    ]


@pytest.mark.parametrize("stop", [False, True])
def test_batches_and_failing_hosts(controller: Controller, folder: Path, *, stop: bool) -> None:
    """With serial, the batches go on after one host has failed; with any_errors_fatal they do not."""
    hosts = Hosts(folder, "one", "two", "three", "four")
    # A line that goes on behind the end of the file: only the module finds that nothing can be appended.
    hosts.roots["two"].properties.write_bytes(b"last=\\")
    around = ("env", f"ANSIBLE_ANY_ERRORS_FATAL={stop}")
    # Keywords of a play are known before its hosts.
    screen = hosts.run(controller, "role.yml", "--extra-vars", "batch=2", around=around, aspera_sse_system=SYSTEM)
    assert screen.recap["two"]["failed"] == 1
    del hosts.roots["two"]
    done = {"one": ["s3.properties"], **dict.fromkeys(["three", "four"], [] if stop else ["s3.properties"])}
    assert hosts.settings == done, screen.text


@pytest.mark.parametrize(
    ("state", "before", "after", "stays_alive"),
    [
        ("running", "2026-11-25T12:00:00Z", "2026-11-25T12:00:00Z", True),
        # One start, reported a second apart.
        ("running", "2026-11-25T12:00:00Z", "2026-11-25T11:59:59Z", True),
        ("running", "2026-11-25T12:00:00Z", "2026-11-25T12:00:02Z", False),
        ("failed", "2026-11-25T12:00:00Z", None, False),
        ("stopped", "2026-11-25T12:00:00Z", None, False),
    ],
)
def test_whether_a_restarted_service_stays_alive(
    controller: Controller, folder: Path, state: str, before: str, after: str | None, *, stays_alive: bool
) -> None:
    """It compares the start right after the restart with the one after the service has settled."""

    def services(state: str, started_at: str | None) -> dict[str, object]:
        trapd = {"state": state, "started_at": started_at, "restart_required": False, "restart_reason": None}
        return {"asperatrapd": trapd, "asperanoded": {**trapd, "state": "stopped", "started_at": None}}

    hosts = Hosts(folder, "one")
    screen = hosts.run(
        controller,
        "role_problems.yml",
        __aspera_sse_noted={"results": [{"changed": True, "item": "asperatrapd"}]},
        __aspera_sse_before={"services": services("running", before)},
        __aspera_sse_found={"services": services(state, after)},
    )
    assert (screen.exit_status == 0) is stays_alive, screen.text
    assert (f"asperatrapd did not keep running: its state is {state}." in screen.as_one_line) is not stays_alive


@pytest.mark.parametrize(
    ("restarts", "restart_required", "reason", "fails"),
    [
        (False, True, "older_file", False),
        # A service that has failed, or that may run with an older file, was not left to the operator.
        (False, False, "failed", True),
        (False, None, "perhaps_older_file", True),
        (True, False, "not_serving", True),
        (True, True, "older_file", True),
        # A file whose mode a job sets each night.
        (True, None, "metadata_changed", False),
    ],
)
def test_verify_fails_unless_the_restart_is_left_to_the_operator(
    controller: Controller, folder: Path, *, restarts: bool, restart_required: bool | None, reason: str, fails: bool
) -> None:
    """A service that must restart is reported, and so is a change of metadata. All else incomplete is a failure."""
    hosts = Hosts(folder, "one")
    services = {name: {"restart_required": restart_required} for name in ("asperatrapd", "asperanoded")}
    gap = {"where": "asperatrapd", "reason": reason, "message": "asperatrapd: the reason."}
    screen = hosts.run(
        controller,
        "role_verdict.yml",
        __aspera_sse_variables={"converted": {"aspera_sse_restart": restarts, "aspera_sse_restart_pending": True}},
        __aspera_sse_found={"violations": [], "incomplete": [gap], "services": services},
    )
    assert (screen.exit_status != 0) is fails, screen.text
    assert (gap["message"] in screen.as_one_line) is fails


@pytest.mark.parametrize("skip", [[], ["trapd"]])
def test_a_stopped_trapd_is_reported(controller: Controller, folder: Path, skip: list[str]) -> None:
    """It fails verification where docroots need it, unless the operator says that something else serves them."""
    hosts = Hosts(folder, "one")
    gap = {"where": "asperatrapd", "reason": "not_serving", "message": "asperatrapd: nothing serves."}
    screen = hosts.run(
        controller,
        "role_verdict.yml",
        show_notes=True,
        __aspera_sse_variables={
            "converted": {"aspera_sse_restart": True, "aspera_sse_restart_pending": True, "aspera_sse_skip": skip}
        },
        __aspera_sse_found={
            "violations": [],
            "incomplete": [gap],
            "services": {"asperatrapd": {"state": "stopped", "restart_required": False}},
        },
    )
    assert (screen.exit_status == 0) is bool(skip), screen.text
    assert gap["message"] in screen.as_one_line
    assert ("asperatrapd is stopped on this host." in screen.as_one_line) is bool(skip)


def test_thousands_of_messages_are_cut_with_a_count(controller: Controller, folder: Path) -> None:
    """A server may have very many docroots that are not as expected."""
    hosts = Hosts(folder, "one")
    names = [f"user{number}" for number in range(60)]
    tokens = "".join(
        f"<user><name>{name}</name><file_system><access><paths><path><absolute>s3://s3.amazonaws.com/{name}?server-side-encryption=AES256</absolute>"
        "</path></paths></access></file_system></user>"
        for name in names
    )
    hosts.roots["one"].write_conf(
        f"<CONF><aaa><realms><realm><users>{tokens}</users></realm></realms></aaa></CONF>".encode()
    )
    screen = hosts.run(
        controller,
        "role.yml",
        aspera_sse_system=SYSTEM,
        aspera_sse_docroots_follow_system=True,
        aspera_sse_skip=["version"],
    )
    shown = [name for name in names if f"user {name} " in screen.text]
    assert len(shown) <= 50, screen.text
    assert re.search(r"\.\.\. and \d+ more, which the module aspera_sse_info lists\.", screen.as_one_line), screen.text


DUE = '{"__aspera_sse_due": ["asperatrapd"]}'


def test_without_restarts_nothing_settles(controller: Controller, folder: Path) -> None:
    """With the tag of restarts left out, no service restarts although one is due, and the role does not wait."""
    hosts = Hosts(folder, "one")
    arguments = ("--skip-tags", "aspera_sse_restart", "--extra-vars", DUE)
    screen = hosts.run(controller, "role.yml", *arguments, aspera_sse_system=SYSTEM, aspera_sse_settle_seconds=600)
    assert (screen.exit_status, screen.recap["one"]["changed"]) == (0, 1), screen.text
    assert "TASK [aspera_sse : Check what is in effect]" in screen.text
    for task in (
        "Wait for restarted services",
        "Report the services that need a restart",
        "RUNNING HANDLER",
        "until no transfer",
    ):
        assert task not in screen.text


@pytest.mark.parametrize(
    ("changed", "left"), [(["asperatrapd"], ["asperanoded"]), ([], ["asperatrapd", "asperanoded"])]
)
def test_restarts_that_this_run_did_not_cause_are_left(
    controller: Controller, folder: Path, changed: list[str], left: list[str]
) -> None:
    """They are reported, and the host does not fail for them."""
    hosts = Hosts(folder, "one")
    services = {name: {"restart_required": True} for name in ("asperatrapd", "asperanoded")}
    gaps = [{"where": name, "reason": "older_file", "message": f"{name}: the reason."} for name in left]
    screen = hosts.run(
        controller,
        "role_verdict.yml",
        __aspera_sse_variables={"converted": {"aspera_sse_restart": True, "aspera_sse_restart_pending": False}},
        __aspera_sse_found={"violations": [], "incomplete": gaps, "services": services},
        show_notes=True,
        __aspera_sse_trapd={"changed": "asperatrapd" in changed, "restart_required": True},
    )
    assert screen.exit_status == 0, screen.text
    for name in ("asperatrapd", "asperanoded"):
        why = f"WARNING: aspera_sse_restart_pending is false, and this run did not make the restart necessary. {name}"
        assert (why in screen.as_one_line) is (name in left), screen.text
        assert (f"to restart: {name}" in screen.text) is (name not in left)


def test_transfers_that_do_not_end_keep_a_service_from_restarting(controller: Controller, folder: Path) -> None:
    """The host fails with their number before a handler is notified."""
    hosts = Hosts(folder, "one")
    ascp = hosts.roots["one"].folder / "bin/ascp4"
    shutil.copy("/bin/sleep", ascp)
    transfers = [subprocess.Popen([ascp, "600"]) for _ in range(2)]
    try:
        due = {"restart_required": True, "restart_reason": "pending"}
        wait = {"aspera_sse_restart_when_idle": "2", "__aspera_sse_trapd": due}
        screen = hosts.run(controller, "role_step.yml", "--force-handlers", step="restart", **wait)
    finally:
        for transfer in transfers:
            transfer.kill()
            transfer.wait()
    assert screen.recap["one"] | {"failed": 1, "changed": 0} == screen.recap["one"], screen.text
    assert "2 transfers still run after 2 seconds, so asperatrapd did not restart" in screen.as_one_line
    assert "RUNNING HANDLER" not in screen.text
    # In check mode nothing restarts, so there is nothing to wait for.
    screen = hosts.run(controller, "role_step.yml", "--check", step="restart", **wait)
    assert screen.exit_status == 0, screen.text
    assert "asperatrapd must restart: pending. That interrupts running transfers." in screen.as_one_line


def filled_in(folder: Path, example: str) -> Path:
    """Copy an example and replace its placeholders by keys, as its reader does."""
    copy = folder / "example"
    shutil.copytree(PROJECT / "examples", copy)
    for path in copy.rglob("*.yml"):
        text = path.read_text(encoding="utf-8")
        text = text.replace("CHANGE_ME_KEY_ARN_OF_GLOBEX", KEY_OF_GLOBEX)
        path.write_text(re.sub(r"CHANGE_ME\w*", KEY, text), encoding="utf-8")
    return copy / example


def test_the_example_for_one_server(controller: Controller, folder: Path) -> None:
    """Unchanged, it is refused before anything is written. With keys filled in, it does its work once."""
    hosts = Hosts(folder, "one")
    refused = hosts.run(controller, "examples/single_server.yml")
    assert refused.recap["one"] | {"failed": 1, "changed": 0} == refused.recap["one"], refused.text
    assert "aspera_sse_system.kms_key_id still holds the placeholder CHANGE_ME." in refused.as_one_line
    example = filled_in(folder, "single_server.yml")
    for changed in (1, 0):
        screen = hosts.run(controller, example)
        assert (screen.exit_status, screen.recap["one"]["changed"]) == (0, changed), screen.text


def test_the_example_for_a_fleet(controller: Controller, folder: Path) -> None:
    """With the answers of EC2, each tenant's docroot gets the key of the tenant, one server after the other."""
    hosts = Hosts(folder, "one", "two", "three")
    refused = hosts.run(controller, "examples/fleet/site.yml", tenants=["globex"])
    assert refused.exit_status != 0
    assert "still holds the placeholder CHANGE_ME." in refused.as_one_line
    assert hosts.settings == {name: [] for name in hosts.roots}
    example = filled_in(folder, "fleet/site.yml")
    screen = hosts.run(controller, example, tenants=["globex"])
    assert screen.exit_status == 0, screen.text
    assert {counts["changed"] for counts in screen.recap.values()} == {2}
    assert screen.text.count("PLAY [Encrypt every upload with the right KMS key]") == len(hosts.roots)
    for root in hosts.roots.values():
        (docroot,) = [line for line in root.conf.read_text(encoding="utf-8").splitlines() if "AWS_KMS" in line]
        assert KEY_OF_GLOBEX in docroot
    # A tenant without a key stops the server before anything is changed there.
    screen = hosts.run(controller, example, tenants=["globex", "unknown"])
    assert screen.exit_status != 0
    assert screen.recap["one"]["failed"] == 1, screen.text
    assert screen.recap["one"]["changed"] == 0
