"""SELinux in enforcing mode, with Debian's policy: labels, refusals, and the collection over the sshd of the guest.

`systems/test_domain.cil` adds labels of a site, and narrow_t: a domain that may do all that the modules need, but not
give a file another label.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from booted import booted
from controllers import PROJECT
from playing import INFO, ROLE, SESSION, SETTINGS, play
from roots import SELINUX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from booted import BootedHost
    from controllers import Controller

pytestmark = pytest.mark.needs("root", "namespaces", "mmdebstrap", "ssh", "ssh-keygen")

FOLDER = "/opt/aspera/etc/trapd"
FILE = f"{FOLDER}/s3.properties"
MODULE = "/opt/modules/aspera_trapd_sse"

#: How each domain runs a command: the login, and what goes before the command.
DOMAINS = {
    "unconfined_t": ("admin-unconfined", "sudo -n"),
    "sysadm_t": ("admin-sysadm", "sudo -n"),
    "narrow_t": ("root", "runcon unconfined_u:unconfined_r:narrow_t:s0"),
}

AS_SYSADM = {"ansible_user": "admin-sysadm", "ansible_become": True}
WITH_ROLE = {
    "ansible_user": "admin-staff",
    "ansible_become": True,
    "ansible_become_flags": "-H -S -n -r sysadm_r -t sysadm_t",
}
#: Who runs a task, and the domain that this is in.
LOGINS = {
    "unconfined_t": {"ansible_user": "admin-unconfined"},
    "unconfined_t by sudo": {"ansible_user": "admin-unconfined", "ansible_become": True},
    "sysadm_t": {"ansible_user": "admin-sysadm"},
    "sysadm_t by sudo": AS_SYSADM,
    "staff_t": {"ansible_user": "admin-staff"},
    "sysadm_t by sudo with a role": WITH_ROLE,
}

LOOK = {"tasks": [{INFO: {}}]}
COLD, WARM = 3, 1
WARNING = "[WARNING]: guest: SELinux"


@pytest.fixture(scope="module")
def host() -> Iterator[BootedHost]:
    """Boot a host where the policy is in force."""
    with booted(SELINUX, append="security=selinux selinux=1 enforcing=1") as host:
        assert host.ask("cat /sys/fs/selinux/enforce") == "1"
        host.ask("mkdir /opt/modules")
        host.put(MODULE, (PROJECT / "library/aspera_trapd_sse").read_bytes())
        host.ask(
            f"chcon -R -t bin_t /opt/modules && chcon -R -u system_u -t usr_t {FOLDER} && cp -p {FILE} {FOLDER}.shipped"
        )
        yield host


def start(host: BootedHost, label: str) -> str:
    """Give the folder its one file as it was shipped, with a label; return its sum."""
    host.ask(
        f"rm -rf {FOLDER}/* && cp {FOLDER}.shipped {FILE} && "
        f"chown 501:502 {FILE} && chmod 640 {FILE} && chcon {label} {FILE}"
    )
    return host.ask(f"sha256sum <{FILE}")


def run(host: BootedHost, domain: str, **options: object) -> dict[str, object]:
    """Run the module in a domain, and return its answer."""
    login, before = DOMAINS[domain]
    arguments = json.dumps({"server_side_encryption": "AES256", **options})
    host.put("/opt/modules/arguments", arguments.encode(), "644")
    # The pipe is of the domain that starts the other.
    return json.loads(host.run(f"{before} {MODULE} /opt/modules/arguments </dev/null 2>&1 | cat", login).output)


def labels(host: BootedHost) -> list[str]:
    """Return the label, owner and mode of each file in the folder."""
    return host.ask(f"stat -c '%C %u:%g %a' {FOLDER}/*").splitlines()


@pytest.mark.parametrize(
    ("domain", "label"),
    [
        ("unconfined_t", "system_u:object_r:usr_t:s0"),
        ("unconfined_t", "system_u:object_r:site_conf_t:s0"),
        ("sysadm_t", "system_u:object_r:usr_t:s0"),
        ("sysadm_t", "system_u:object_r:net_conf_t:s0"),
    ],
)
def test_the_label_is_kept(host: BootedHost, domain: str, label: str) -> None:
    """That of the file, also where a new file in the folder gets another; and the backup has it, too."""
    before = start(host, label)
    answer = run(host, domain, backup=True)
    assert answer["changed"] is True, answer
    assert labels(host) == [f"{label} 501:502 640"] * 2
    assert host.ask(f"sha256sum <{answer['backup_file']}") == before
    assert run(host, domain)["changed"] is False


def test_a_domain_that_may_not_relabel_changes_what_needs_no_label(host: BootedHost) -> None:
    """A new file of narrow_t gets this label by itself."""
    label = "unconfined_u:object_r:usr_t:s0"
    start(host, label)
    answer = run(host, "narrow_t")
    assert answer["changed"] is True, answer
    assert labels(host) == [f"{label} 501:502 640"]


@pytest.mark.parametrize(
    ("label", "options", "says"),
    [
        ("system_u:object_r:usr_t:s0", {}, "security label"),
        ("system_u:object_r:site_conf_t:s0", {}, "security label"),
        ("system_u:object_r:site_conf_t:s0", {"backup": True}, "security label"),
        ("system_u:object_r:site_conf_t:s0", {"unsafe_writes": True}, "security label"),
        ("system_u:object_r:site_secret_t:s0", {}, "Could not open"),
    ],
    ids=["another user", "another type", "with backup", "unsafe_writes", "unreadable"],
)
def test_a_refusal_is_clear_and_changes_nothing(host: BootedHost, label: str, options: dict, says: str) -> None:
    """It says what was not allowed; the file is as it was, and nothing lies beside it."""
    before = start(host, label)
    answer = run(host, "narrow_t", **options)
    assert answer["failed"] is True
    assert all(words in answer["msg"] for words in (says, FILE, "permission denied", "Nothing was changed.")), answer
    assert labels(host) == [f"{label} 501:502 640"]
    assert host.ask(f"sha256sum <{FILE}") == before
    assert host.ask(f"ls -A {FOLDER}") == "s3.properties"


def forget(host: BootedHost) -> None:
    """Remove all kept builds; the caches have the labels of the policy."""
    host.ask(
        "rm -rf /var/cache/aspera_ops.sse; "
        "for home in /root /home/*; do rm -rf $home/.cache $home/.ansible; mkdir -m 700 $home/.cache; "
        "chown --reference=$home $home/.cache; done; restorecon -RF /root /home /var/cache"
    )


def test_each_login_finds_a_place_for_its_build(host: BootedHost, installed: Controller) -> None:
    """Three sessions for the first task, one for the second, and `-v` has the label where it is not the first place."""
    forget(host)
    for name, login in LOGINS.items():
        domain = name.split()[0]
        is_confined = domain != "unconfined_t"
        host.ask("rm -rf /root/.ansible /home/*/.ansible/aspera_ops.sse")
        cold = play(installed, host, LOOK, "-vvv", **login)
        assert (cold.exit_status, cold.text.count(SESSION)) == (0, COLD), f"{name}: {cold.text}"
        assert (f":{domain}:" in cold.text and ":xdg_cache_t:" in cold.text) == is_confined, f"{name}: {cold.text}"
        assert WARNING not in cold.text
        warm = play(installed, host, LOOK, "-vvv", **login)
        assert (warm.exit_status, warm.text.count(SESSION)) == (0, WARM), f"{name}: {warm.text}"


def test_where_no_place_works_the_build_is_sent_and_a_warning_says_why(host: BootedHost, installed: Controller) -> None:
    """The remedy in the warning works; the image has it from `semanage fcontext`, which takes minutes in a guest."""
    forget(host)
    host.ask("mkdir -m 700 -p /root/.ansible/aspera_ops.sse && chcon -t xdg_cache_t /root/.ansible/aspera_ops.sse")
    screen = play(installed, host, LOOK, **AS_SYSADM)
    assert screen.exit_status == 0, screen.text
    assert WARNING in screen.text
    place = "/root/.cache/aspera_ops.sse"
    for words in (
        "sysadm_t",
        "xdg_cache_t",
        f"semanage fcontext -a -t bin_t '{place}(/.*)?' && restorecon -RF {place}",
    ):
        assert words in screen.as_one_line
    host.ask(f"restorecon -RF {place}")
    assert ":bin_t:" in host.ask(f"ls -dZ {place}")
    cold = play(installed, host, LOOK, "-vvv", **AS_SYSADM)
    assert (cold.exit_status, cold.text.count(SESSION)) == (0, COLD), cold.text
    warm = play(installed, host, LOOK, "-vvv", **AS_SYSADM)
    assert (warm.exit_status, warm.text.count(SESSION)) == (0, WARM), warm.text
    assert WARNING not in cold.text + warm.text


@pytest.mark.parametrize("closed", ["the folder for temporary files", "a role"])
def test_where_nothing_may_run_the_failure_names_the_domain(
    host: BootedHost, installed: Controller, closed: str
) -> None:
    """Not "Permission denied" alone."""
    forget(host)
    if closed == "a role":
        # Without a role, sudo leaves root in staff_t, which may not enter the home of root.
        login, domain, label = (
            {"ansible_user": "admin-staff", "ansible_become": True},
            "staff_t",
            "a label that it may not see",
        )
    else:
        login, domain, label = AS_SYSADM, "sysadm_t", "xdg_cache_t"
        host.ask("mkdir -m 700 -p /root/.ansible/aspera_ops.sse /home/admin-sysadm/.ansible/tmp")
        host.ask(
            "chown -R admin-sysadm: /home/admin-sysadm/.ansible && "
            "chcon -R -t xdg_cache_t /root/.ansible /home/admin-sysadm/.ansible"
        )
    screen = play(installed, host, LOOK, **login)
    assert screen.recap["guest"]["failed"] == 1, screen.text
    for words in ("It could not be started", f":{domain}:", label, "ansible_remote_tmp", "-r sysadm_r -t sysadm_t"):
        assert words in screen.as_one_line


def test_the_role(host: BootedHost, installed: Controller) -> None:
    """An administrator in sysadm_t sets all, and labels stay; another with the role finds nothing to do."""
    forget(host)
    start(host, "system_u:object_r:net_conf_t:s0")
    label = "stat -c %C /opt/aspera/etc/aspera.conf /opt/aspera/etc/trapd/s3.properties"
    before = host.ask(label)
    first = play(installed, host, {"roles": [ROLE]}, **AS_SYSADM, **SETTINGS)
    assert first.exit_status == 0, first.text
    assert first.recap["guest"]["changed"] > 0
    assert host.ask(label) == before
    assert host.ask("grep -c '^server-side-encryption' /run/asperatrapd.loaded") == "2"
    second = play(installed, host, {"roles": [ROLE]}, **WITH_ROLE, **SETTINGS)
    assert (second.exit_status, second.recap["guest"]["changed"]) == (0, 0), second.text
