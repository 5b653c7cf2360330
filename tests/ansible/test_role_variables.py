"""The variables of the role as inventories and `-e` give them: each in each spelling, wrong values, wrong names."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING

import pytest
import yaml
from aspera_roots import KEY
from controllers import PLAYBOOKS, PROJECT, Controller
from role_hosts import Hosts

if TYPE_CHECKING:
    from pathlib import Path

    from controllers import Screen

SYSTEM = {"server_side_encryption": "AWS_KMS", "kms_key_id": KEY}
NODE_API = {"username": "node_audit", "password": "DUMMY"}
DOCROOTS = [{"user": "acme", **SYSTEM}, {"global": True, "server_side_encryption": "AES256"}]
DESCRIBED = yaml.safe_load((PROJECT / "roles/aspera_sse/meta/argument_specs.yml").read_text())["argument_specs"]["main"]
#: A value that is in a variable by mistake, and must stay off the screen.
BY_MISTAKE = "s3://DUMMYKEY:DUMMYSECRET@s3.amazonaws.com/acme/"

TRUE = [True, 1, "true", "True", "TRUE", "yes", "Yes", "on", "1", "y", "t"]
FALSE = [False, 0, "false", "False", "FALSE", "no", "No", "off", "0", "n", "f"]

#: The valid values of each variable, and the values after conversion.
CONVERTED: dict[str, list[tuple[object, object]]] = {
    "aspera_sse_root": [("/srv/aspera", "/srv/aspera"), ("{{ '/srv/' ~ 'aspera' }}", "/srv/aspera")],
    "aspera_sse_backup": [*((value, True) for value in TRUE), *((value, False) for value in FALSE)],
    "aspera_sse_restart": [*((value, True) for value in TRUE), *((value, False) for value in FALSE)],
    "aspera_sse_validate_kms_key_id": [*((value, True) for value in TRUE), *((value, False) for value in FALSE)],
    "aspera_sse_ignore_metadata_changes": [*((value, True) for value in TRUE), *((value, False) for value in FALSE)],
    "aspera_sse_try_key": [*((value, True) for value in TRUE), *((value, False) for value in FALSE)],
    "aspera_sse_verify_objects": [*((value, True) for value in TRUE), *((value, False) for value in FALSE)],
    "aspera_sse_s3": [
        ({"region": "eu-west-1", "timeout": "60"}, {"region": "eu-west-1", "timeout": 60}),
        ("{region: eu-west-1}", {"region": "eu-west-1"}),
        (
            {"ca_file": "{{ omit }}", "access_key_id": "AKIA", "secret_access_key": 1},
            {"access_key_id": "AKIA", "secret_access_key": "1"},
        ),
        (None, {}),
    ],
    "aspera_sse_backup_keep": [(0, 0), ("3", 3)],
    "aspera_sse_restart_pending": [*((value, True) for value in TRUE), *((value, False) for value in FALSE)],
    "aspera_sse_restart_when_idle": [(0, 0), (600, 600), ("600", 600)],
    "aspera_sse_docroots_follow_system": [*((value, False) for value in FALSE)],
    "aspera_sse_settle_seconds": [(0, 0), (7, 7), ("0", 0), ("7", 7), (" 7 ", 7), ("{{ 3 + 4 }}", 7)],
    "aspera_sse_skip": [
        ([], []),
        (["trapd"], ["trapd"]),
        ("trapd", ["trapd"]),
        ("trapd,version", ["trapd", "version"]),
        ("trapd, version,", ["trapd", "version"]),
        ('["trapd", "version"]', ["trapd", "version"]),
        ("[trapd, version]", ["trapd", "version"]),
        ("- trapd\n- version", ["trapd", "version"]),
        ("", []),
        ("[]", []),
        (None, []),
    ],
    "aspera_sse_node_api": [
        ({}, {}),
        (None, {}),
        (NODE_API, NODE_API),
        (json.dumps(NODE_API), NODE_API),
        (
            {"access_key": "ak", "secret": 1234, "timeout": "5", "validate_certs": "no"},
            {"access_key": "ak", "secret": "1234", "timeout": 5, "validate_certs": False},
        ),
    ],
    "aspera_sse_system": [
        (SYSTEM, SYSTEM),
        (json.dumps(SYSTEM), SYSTEM),
        ("{server_side_encryption: AES256}", {"server_side_encryption": "AES256"}),
        ("server_side_encryption: AES256", {"server_side_encryption": "AES256"}),
        ("{'server_side_encryption': 'AES256'}", {"server_side_encryption": "AES256"}),
        ({"state": "absent"}, {"state": "absent"}),
        ({**SYSTEM, "create": "no", "state": None}, {**SYSTEM, "create": False}),
        (
            {"server_side_encryption": "AWS_KMS", "aws_managed_key": "yes"},
            {"server_side_encryption": "AWS_KMS", "aws_managed_key": True},
        ),
        ({**SYSTEM, "kms_key_id": "{{ omit }}"}, {"server_side_encryption": "AWS_KMS"}),
        ("{{ {'server_side_encryption': 'AES256'} }}", {"server_side_encryption": "AES256"}),
        ("{}", {}),
        ("", {}),
        (None, {}),
    ],
    "aspera_sse_docroots": [
        (DOCROOTS, DOCROOTS),
        (json.dumps(DOCROOTS), DOCROOTS),
        ("[{user: acme, server_side_encryption: AES256}]", [{"user": "acme", "server_side_encryption": "AES256"}]),
        ("- user: acme\n  state: absent", [{"user": "acme", "state": "absent"}]),
        ([{"user": 1234, "state": "absent"}], [{"user": "1234", "state": "absent"}]),
        (
            [{"user": "acme", "group": None, "global": "false", "state": "absent"}],
            [{"user": "acme", "global": False, "state": "absent"}],
        ),
        ([{"user": "{{ 'ac' ~ 'me' }}", "state": "absent"}], [{"user": "acme", "state": "absent"}]),
        ([], []),
        ("[]", []),
        ("", []),
        (None, []),
    ],
}

#: The invalid values of each variable, and the expected parts of the message.
REFUSED: dict[str, list[tuple[object, str]]] = {
    "aspera_sse_root": [("", "must be the path of a folder"), ({"a": "b"}, "aspera_sse_root")],
    "aspera_sse_backup": [("maybe", "aspera_sse_backup"), ("", "aspera_sse_backup"), (None, "aspera_sse_backup")],
    "aspera_sse_restart": [("nope", "aspera_sse_restart"), (2, "aspera_sse_restart"), ([], "aspera_sse_restart")],
    "aspera_sse_validate_kms_key_id": [
        ("maybe", "aspera_sse_validate_kms_key_id"),
        (2, "aspera_sse_validate_kms_key_id"),
    ],
    "aspera_sse_ignore_metadata_changes": [
        ("maybe", "aspera_sse_ignore_metadata_changes"),
        (2, "aspera_sse_ignore_metadata_changes"),
    ],
    "aspera_sse_try_key": [("maybe", "aspera_sse_try_key must be true or false"), (None, "aspera_sse_try_key")],
    "aspera_sse_verify_objects": [("maybe", "aspera_sse_verify_objects must be true or false"), (2, "must be true or")],
    "aspera_sse_s3": [
        (
            BY_MISTAKE,
            "aspera_sse_s3 must be a dictionary, or the text of one in JSON or YAML, such as {region: eu-west-1}.",
        ),
        ({"regio": "eu-west-1"}, "aspera_sse_s3 has no option regio. Did you mean region?"),
        ({"timeout": "soon"}, "aspera_sse_s3.timeout must be a whole number"),
        ({"addressing_style": "dns"}, "aspera_sse_s3.addressing_style must be auto, path or virtual"),
        ({"ca_file": ""}, "aspera_sse_s3.ca_file must be the path"),
    ],
    "aspera_sse_backup_keep": [("all", "aspera_sse_backup_keep"), (-1, "must be a whole number, 0 or more")],
    "aspera_sse_restart_pending": [("maybe", "aspera_sse_restart_pending"), (None, "aspera_sse_restart_pending")],
    "aspera_sse_restart_when_idle": [
        ("soon", "aspera_sse_restart_when_idle"),
        (-1, "must be a whole number, 0 or more"),
        (86401, "aspera_sse_restart_when_idle must be at most 86400"),
    ],
    "aspera_sse_docroots_follow_system": [
        ("maybe", "aspera_sse_docroots_follow_system"),
        # There is nothing to follow: the system-wide setting is removed.
        (True, "aspera_sse_system has no server_side_encryption"),
    ],
    "aspera_sse_settle_seconds": [
        ("soon", "aspera_sse_settle_seconds"),
        ("5s", "aspera_sse_settle_seconds"),
        (-1, "must be a whole number, 0 or more"),
        (True, "must be a whole number, 0 or more"),
    ],
    "aspera_sse_skip": [
        (["everything"], "aspera_sse_skip[0] must be linux, architecture"),
        ("trapd everything", "aspera_sse_skip[0] must be"),
        ("[trap]", "Did you mean trapd?"),
        ({"trapd": True}, "aspera_sse_skip must be a list"),
    ],
    "aspera_sse_node_api": [
        ("localhost", "aspera_sse_node_api must be a dictionary"),
        ({"url": "https://localhost"}, "must have either username and password, or access_key and secret"),
        ({"username": "a"}, "must have either username and password, or access_key and secret"),
        ({**NODE_API, "secret": "b"}, "must have either username and password, or access_key and secret"),
        ({**NODE_API, "timeout": "soon"}, "aspera_sse_node_api.timeout must be a whole number"),
        ({**NODE_API, "user": "a"}, "aspera_sse_node_api has no option user"),
        ({**NODE_API, "kms_key_ids": [KEY]}, "kms_key_ids goes with server_side_encryption AWS_KMS"),
    ],
    "aspera_sse_system": [
        ("AWS_KMS", "aspera_sse_system must be a dictionary"),
        (BY_MISTAKE, "aspera_sse_system must be a dictionary"),
        ("{" + BY_MISTAKE, "neither JSON nor YAML"),
        ([SYSTEM], "aspera_sse_system must be a dictionary"),
        (True, "aspera_sse_system must be a dictionary"),
        ({"server_side_encryption": "aws:kms"}, "must be NONE, AES256 or AWS_KMS. Did you mean AWS_KMS?"),
        ({"server_side_encryption": "aws:kms:dsse"}, "must be NONE, AES256 or AWS_KMS."),
        ({"server_side_encryption": BY_MISTAKE}, "aspera_sse_system.server_side_encryption must be NONE"),
        ({**SYSTEM, "kms_key": KEY}, "aspera_sse_system has no option kms_key. Did you mean kms_key_id?"),
        ({**SYSTEM, BY_MISTAKE: KEY}, "aspera_sse_system has an option that does not exist"),
        ({"kms_key_id": KEY}, "must have server_side_encryption, or state: absent"),
        ({**SYSTEM, "kms_key_id": "CHANGE_ME_KEY_ARN"}, "aspera_sse_system.kms_key_id still holds the placeholder"),
        ({**SYSTEM, "aws_managed_key": BY_MISTAKE}, "aspera_sse_system.aws_managed_key must be true or false"),
        ({**SYSTEM, "create": BY_MISTAKE}, "aspera_sse_system.create must be true or false"),
        ({**SYSTEM, "kms_key_id": [KEY]}, "aspera_sse_system.kms_key_id must be text"),
        # Without a key, the server would use the key that AWS manages.
        ({**SYSTEM, "kms_key_id": None}, "aspera_sse_system.kms_key_id is empty. Name a key, or"),
        ({**SYSTEM, "kms_key_id": ""}, "aspera_sse_system.kms_key_id is empty. Name a key, or"),
        ({**SYSTEM, "kms_key_id": "{{ none }}"}, "aspera_sse_system.kms_key_id is empty. Name a key, or"),
        ({**SYSTEM, "kms_key_id": "DUMMYpassword1"}, "aspera_sse_system.kms_key_id is a key id that is neither a UUID"),
        ("{{ no_such_variable }}", "no_such_variable"),
    ],
    "aspera_sse_docroots": [
        ({"user": "acme", **SYSTEM}, "aspera_sse_docroots must be a list"),
        (BY_MISTAKE, "aspera_sse_docroots must be a list"),
        ([BY_MISTAKE], "aspera_sse_docroots[0] must be a dictionary"),
        ("[" + BY_MISTAKE, "neither JSON nor YAML"),
        ([*DOCROOTS, {**SYSTEM}], "aspera_sse_docroots[2] must have exactly one of user, group and global"),
        ([{"user": "acme", "group": "a", **SYSTEM}], "must have exactly one of user, group and global"),
        ([{"user": "acme", "kms_key": KEY}], "aspera_sse_docroots[0] has no option kms_key"),
        ([{"user": "acme"}], "aspera_sse_docroots[0] must have server_side_encryption"),
        ([{"user": True, **SYSTEM}], "aspera_sse_docroots[0].user must be text. Put it in quotes."),
        ([{"user": "acme", **SYSTEM, "docroot": "s3://h/CHANGE_ME"}], "[0].docroot still holds the placeholder"),
        (
            [*DOCROOTS, {"user": "lab", **SYSTEM, "kms_key_id": "DUMMY-key"}],
            "aspera_sse_docroots[2].kms_key_id is a key id that is neither a UUID",
        ),
        ([{"user": "acme", **SYSTEM, "kms_key_encoding": BY_MISTAKE}], "kms_key_encoding must be raw or percent"),
    ],
}


@pytest.fixture(scope="module", params=["newest", "2.19", "2.18", "oldest"])
def each_controller(request: pytest.FixtureRequest, sandbox: Path) -> Controller:
    """Give every series of ansible-core in use, with the role as it is in the project."""
    home = sandbox / f"variables-{request.param}"
    home.mkdir(mode=0o700, exist_ok=True)
    return Controller(request.param, home)


def convert(controller: Controller, inventory: Path, *arguments: str) -> dict[str, object]:
    """Run the tasks before the steps, and return the converted variable or the message of each host."""
    playbook = ("--tags", "none_of_the_steps", "--skip-tags", "aspera_sse_look", PLAYBOOKS / "role_variables.yml")
    screen = controller.run("ansible-playbook", "-vvv", "--inventory", inventory, *arguments, *playbook)
    assert "DUMMY" not in screen.text
    found: dict[str, object] = {}
    for host, text in re.findall(r'^ok: \[(\w+)\] => \{\s+"msg": "converted:(\S+)"', screen.text, re.MULTILINE):
        found[host] = json.loads(base64.b64decode(text))
    for failure in re.finditer(r"^fatal: \[(\w+)\]: FAILED! => ", screen.text, re.MULTILINE):
        answer, _ = json.JSONDecoder().raw_decode(screen.text, failure.end())
        found[failure[1]] = Exception(answer["msg"])
    assert set(found) == set(screen.recap)
    return found


def hosts_of(table: dict[str, list[tuple[object, object]]]) -> dict[str, tuple[str, object, object]]:
    """Name a host for each value of a table."""
    values = [(variable, *one) for variable, several in table.items() for one in several]
    return {f"v{number:03}": value for number, value in enumerate(values)}


def settings_beside(variable: str) -> dict[str, object]:
    """Return the settings that the role requires, in a variable other than the one under test."""
    other = "aspera_sse_docroots" if variable == "aspera_sse_system" else "aspera_sse_system"
    return {other: [{"user": "lab", "state": "absent"}] if other.endswith("docroots") else {"state": "absent"}}


def typed_inventory(folder: Path, hosts: dict[str, tuple[str, object, object]]) -> Path:
    """Write an inventory that keeps the types of the values."""
    inventory = folder / "inventory.json"
    variables = {
        name: {variable: value, "converted": variable, "ansible_connection": "local", **settings_beside(variable)}
        for name, (variable, value, _) in hosts.items()
    }
    inventory.write_text(json.dumps({"all": {"hosts": variables}}), encoding="utf-8")
    return inventory


def ini_inventory(folder: Path, hosts: dict[str, tuple[str, object, object]]) -> Path:
    """Write an inventory in the format whose values are text, or literals of Python."""
    inventory = folder / "inventory.ini"
    lines = []
    for name, (variable, value, _) in hosts.items():
        settings = {variable: value, "converted": variable, "ansible_connection": "local", **settings_beside(variable)}
        lines += [f"[of_{name}]", name, f"[of_{name}:vars]"]
        lines += [f"{key}={content}" for key, content in settings.items()]
    inventory.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return inventory


def test_the_table_has_every_variable() -> None:
    """A new variable needs its rows."""
    assert set(CONVERTED) == set(REFUSED) == set(DESCRIBED["options"])


def test_each_variable_in_each_spelling(each_controller: Controller, folder: Path) -> None:
    """They are values of a typed inventory, including text."""
    hosts = hosts_of(CONVERTED)
    found = convert(each_controller, typed_inventory(folder, hosts))
    assert {name: (hosts[name][:2], repr(value)) for name, value in found.items()} == {
        name: ((variable, value), repr(expected)) for name, (variable, value, expected) in hosts.items()
    }


def test_each_variable_in_an_ini_inventory(each_controller: Controller, folder: Path) -> None:
    """These are the same rows, if they fit on a line and mean the same as text."""
    hosts = {
        name: row
        for name, row in hosts_of(CONVERTED).items()
        if row[1] is not None and "\n" not in str(row[1]) and "{{" not in str(row[1])
    }
    found = convert(each_controller, ini_inventory(folder, hosts))
    assert {name: (hosts[name][:2], repr(value)) for name, value in found.items()} == {
        name: ((variable, value), repr(expected)) for name, (variable, value, expected) in hosts.items()
    }


def test_invalid_values_are_refused(each_controller: Controller, folder: Path) -> None:
    """The message for each names the variable. No message shows a possible secret."""
    hosts = hosts_of(REFUSED)
    found = convert(each_controller, typed_inventory(folder, hosts))
    for name, (variable, value, said) in hosts.items():
        message = str(found[name])
        assert isinstance(found[name], Exception), (variable, value, found[name])
        # For an undefined value, Ansible gives only its name.
        assert variable in message or "is undefined" in message, (value, message)
        assert str(said) in message, (value, message)
    (stronger,) = [name for name, row in hosts.items() if row[1] == {"server_side_encryption": "aws:kms:dsse"}]
    assert "Did you mean" not in str(found[stronger])


def test_variables_of_the_command_line(each_controller: Controller, folder: Path) -> None:
    """They are text: the file is written without a backup, and nothing is restarted."""
    hosts = Hosts(folder, "one")
    text = [
        "aspera_sse_backup=false",
        "aspera_sse_restart=no",
        "aspera_sse_settle_seconds=0",
        "aspera_sse_skip=trapd,version",
        'aspera_sse_system=\'{"server_side_encryption": "AES256"}\'',
        f'aspera_sse_docroots=\'[{{"user": "acme", "server_side_encryption": "AWS_KMS", "kms_key_id": "{KEY}"}}]\'',
    ]
    arguments = [part for one in text for part in ("--extra-vars", one)]
    for changed in (2, 0):
        screen = hosts.run(each_controller, "role.yml", *arguments)
        assert (screen.exit_status, screen.recap["one"]["changed"]) == (0, changed), screen.text
    assert hosts.settings == {"one": ["aspera.conf"]}
    assert "server-side-encryption=AES256\n" in hosts.roots["one"].properties.read_text()
    assert not list(hosts.roots["one"].folder.rglob("*~"))
    # With the default, there are backups.
    screen = hosts.run(each_controller, "role.yml", aspera_sse_system=SYSTEM)
    assert list(hosts.roots["one"].folder.rglob("*~")), screen.text


@pytest.mark.parametrize(("restart", "noted"), [("false", 0), ("true", 1)])
def test_text_decides_about_restarts(each_controller: Controller, folder: Path, restart: str, noted: int) -> None:
    """In the step alone, for a service that must restart. Check mode restarts nothing."""
    hosts = Hosts(folder, "one")
    due = {"restart_required": True, "restart_reason": "changed"}
    arguments = ("--check", "--extra-vars", f"aspera_sse_restart={restart}")
    screen = hosts.run(each_controller, "role_step.yml", *arguments, step="restart", __aspera_sse_trapd=due)
    assert screen.exit_status == 0, screen.text
    assert screen.text.count("asperatrapd must restart: changed") == noted
    assert screen.recap["one"]["changed"] == noted


def test_a_misspelt_name(each_controller: Controller, folder: Path) -> None:
    """A name that is close to a variable fails before the host is contacted. Others cause a warning."""
    hosts = Hosts(folder, "one")
    for name, meant in {
        "aspera_sse_sytem": "aspera_sse_system",
        "aspera_sse_docroot": "aspera_sse_docroots",
        "aspera_sse_Restart": "aspera_sse_restart",
        "aspera_sse_settle_second": "aspera_sse_settle_seconds",
        "aspera_sse_cash_folder": "aspera_sse_cache_folder",
    }.items():
        screen = hosts.run(each_controller, "role.yml", "--check", aspera_sse_system=SYSTEM, **{name: "x"})
        assert f"{name} is not a variable of the role aspera_sse. Did you mean {meant}?" in screen.as_one_line
        assert screen.recap["one"]["failed"] == 1
        assert "Look at the installation" not in screen.text
    others = {"aspera_sse_kms_key_id": KEY, "aspera_sse_cache_folder": "/var/cache", "other_sse_sytem": 1}
    screen = hosts.run(each_controller, "role.yml", "--check", aspera_sse_system=SYSTEM, **others)
    assert screen.exit_status == 0, screen.text
    warned = re.findall(r"(\w+) is not a variable of the role aspera_sse and has no effect", screen.as_one_line)
    assert set(warned) == {"aspera_sse_kms_key_id"}


def run_step(controller: Controller, hosts: Hosts, step: str, *arguments: str, **variables: object) -> Screen:
    """Run the whole role, or a step of it alone."""
    if step == "main":
        return hosts.run(controller, "role.yml", *arguments, **variables)
    return hosts.run(controller, "role_step.yml", *arguments, step=step, **variables)


@pytest.mark.parametrize("step", ["main", "preflight", "configure", "restart", "verify"])
def test_every_step_checks_the_variables(controller: Controller, folder: Path, step: str) -> None:
    """So does a step alone. A role without settings fails, unless it only looks at the host or restarts services."""
    hosts = Hosts(folder, "one")
    for wrong in ({"aspera_sse_sytem": SYSTEM}, {"aspera_sse_system": {"server_side_encryption": "aws:kms"}}):
        screen = run_step(controller, hosts, step, **wrong)
        assert screen.recap["one"]["failed"] == 1, screen.text
        assert "Did you mean" in screen.as_one_line
    screen = run_step(controller, hosts, step, aspera_sse_system={}, aspera_sse_docroots="")
    assert hosts.settings == {"one": []}
    if step in ("preflight", "restart"):
        assert screen.exit_status == 0, screen.text
    else:
        assert "The role aspera_sse has nothing to do. Set aspera_sse_system" in screen.as_one_line
        assert screen.recap["one"] | {"failed": 1, "changed": 0} == screen.recap["one"]


def test_credentials_stay_off_the_screen(each_controller: Controller, folder: Path) -> None:
    """They are those of a docroot, which the role passes on; also from a vault, and at full verbosity."""
    hosts = Hosts(folder, "one")
    docroot = "s3://DUMMYKEY:DUMMYSECRET@s3.amazonaws.com/acme-media/"
    password = folder / "password"
    password.write_text("password\n", encoding="utf-8")
    encrypt = ("encrypt_string", "--vault-password-file", password, "--name", "vaulted", docroot)
    vaulted = each_controller.run("ansible-vault", *encrypt)
    variables = folder / "vaulted.yml"
    variables.write_text(re.sub(r"\nEncryption successful", "", vaulted.text), encoding="utf-8")
    screen = hosts.run(
        each_controller,
        "role.yml",
        *("-vvv", "--diff", "--vault-password-file", str(password), "--extra-vars", f"@{variables}"),
        aspera_sse_docroots=[{"user": "acme", "docroot": "{{ vaulted }}", **SYSTEM}],
    )
    assert (screen.exit_status, screen.recap["one"]["changed"]) == (0, 1), screen.text
    assert f"{docroot}?server-side-encryption=AWS_KMS" in hosts.roots["one"].conf.read_text()
    assert "DUMMY" not in screen.text
