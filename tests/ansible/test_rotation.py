"""docs/rotation.md: its files and its commands, in its order, on two servers."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING

import pytest
from aspera_roots import KEY, AsperaRoot
from controllers import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

    from controllers import Controller, Screen

PAGE = (PROJECT / "docs/rotation.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"`(\w+\.yml)`[^`]*:\n\n```yaml\n(.*?)```", PAGE, re.DOTALL))
COMMANDS = [line for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]

OLD = {"CHANGE_ME_KEY_ARN": KEY} | {
    f"CHANGE_ME_KEY_ARN_OF_{tenant}": KEY.replace("1234abcd", digits * 8)
    for tenant, digits in (("ACME", "a"), ("GLOBEX", "b"))
}
NEW = {name: key.replace("1234567890ab", "00000000beef") for name, key in OLD.items()}
PERCENT = {":": "%3A", "/": "%2F"}


def encoded(key: str) -> str:
    """Percent-encode a key."""
    return "".join(PERCENT.get(character, character) for character in key)


class Servers:
    """Two servers, and the files of the page."""

    def __init__(self, controller: Controller, folder: Path) -> None:
        """Lay them out."""
        self.controller = controller
        self.folder = folder
        properties = "s3service.https-only=true\n"
        names = ("aspera1", "aspera2")
        self.roots = {name: AsperaRoot.lay_out(folder / name, properties, "4.3.1.100") for name in names}
        common = {
            "ansible_connection": "local",
            "ansible_become": False,
            "ansible_python_interpreter": "/no/python",
            "aspera_sse_settle_seconds": 0,
        }
        hosts = {name: {**common, "aspera_sse_root": str(root.folder)} for name, root in self.roots.items()}
        (folder / "inventory.json").write_text(json.dumps({"aspera": {"hosts": hosts}}), encoding="utf-8")
        for name, text in FILES.items():
            (folder / name).write_text(text, encoding="utf-8")

    def use(self, keys: dict[str, str]) -> None:
        """Put keys into keys.yml, as its reader does."""
        text = re.sub(r"CHANGE_ME\w*", lambda found: keys[found[0]], FILES["keys.yml"])
        (self.folder / "keys.yml").write_text(text, encoding="utf-8")

    def run(self, command: str) -> Screen:
        """Run a command of the page."""
        program, *arguments = shlex.split(command.replace("CHANGE_ME_KEY_ARN", NEW["CHANGE_ME_KEY_ARN"]))
        around = ("env", "-C", str(self.folder))
        # The group "all" has a user on this machine for each host, who needs no password to become root.
        arguments = [argument for argument in arguments if argument != "--become"]
        return self.controller.run(program, "--inventory", "inventory.json", *arguments, around=around)

    def has(self, name: str, *keys: str) -> list[bool]:
        """Tell which keys the files of a server have."""
        root = self.roots[name]
        text = (root.properties.read_text(encoding="utf-8") + root.conf.read_text(encoding="utf-8")).lower()
        return [key.lower() in text for key in keys]


def test_the_page_has_its_files_and_commands() -> None:
    """A page in another form would test nothing."""
    assert set(FILES) == {"keys.yml", "site.yml", "stragglers.yml"}
    assert [shlex.split(command)[1:3] for command in COMMANDS] == [
        ["ansible-playbook", "site.yml"],
        ["ansible-playbook", "site.yml"],
        ["ansible-playbook", "site.yml"],
        ["ansible-playbook", "stragglers.yml"],
        ["ansible", "aspera"],
        ["ansible-playbook", "site.yml"],
        ["ansible-playbook", "stragglers.yml"],
    ]


@pytest.mark.parametrize("tenants", [["ACME", "GLOBEX"], ["ACME"]])
def test_a_rotation(installed: Controller, folder: Path, tenants: list[str]) -> None:
    """Of all keys, and of one tenant. The key of globex is percent-encoded, and a group has the old key."""
    servers = Servers(installed, folder)
    check, first, rest, stragglers, by_hand, again, none_left = (command.removeprefix("$ ") for command in COMMANDS)
    servers.use(OLD)
    screen = servers.run(rest)
    assert screen.exit_status == 0, screen.text
    of_all = len(tenants) > 1
    old_globex, new_globex = (encoded(keys["CHANGE_ME_KEY_ARN_OF_GLOBEX"]) for keys in (OLD, NEW))
    for root in servers.roots.values():
        text = root.conf.read_text(encoding="utf-8").replace(OLD["CHANGE_ME_KEY_ARN_OF_GLOBEX"], old_globex)
        option = f"server-side-encryption=AWS_KMS&amp;server-side-encryption-aws-kms-key-id={KEY}"
        text = text.replace("example-partners/<", f"example-partners/?{option}<")
        text = text.replace("/$(name)<", f"/$(name)?{option}<")
        assert text.count(old_globex) == 1
        assert text.count(option) >= 2
        root.conf.write_text(text, encoding="utf-8")

    changed = {f"CHANGE_ME_KEY_ARN_OF_{tenant}" for tenant in tenants} | ({"CHANGE_ME_KEY_ARN"} if of_all else set())
    servers.use(OLD | {name: NEW[name] for name in changed})
    old = [OLD[name] for name in sorted(changed - {"CHANGE_ME_KEY_ARN", "CHANGE_ME_KEY_ARN_OF_GLOBEX"})]
    new = [NEW[name] for name in sorted(changed - {"CHANGE_ME_KEY_ARN_OF_GLOBEX"})]
    globex = [new_globex, old_globex] if of_all else [old_globex, new_globex]

    predicted = servers.run(check)
    assert predicted.exit_status == 0, predicted.text
    assert not any(servers.has("aspera1", *new))
    assert servers.run(first).exit_status == 0
    assert all(servers.has("aspera1", *new))
    assert not any(servers.has("aspera2", *new))
    found = servers.run(stragglers)
    assert found.recap["aspera2"]["failed"] == 1, found.text
    assert f"user acme has AWS_KMS with {OLD['CHANGE_ME_KEY_ARN_OF_ACME']}, not AWS_KMS with" in found.as_one_line
    screen = servers.run(rest)
    assert screen.exit_status == 0, screen.text
    for name in servers.roots:
        assert all(servers.has(name, *new))
        assert not any(servers.has(name, *old))
        assert servers.has(name, *globex) == [True, False]

    # What the variables do not name has the key of the whole server, the old one.
    found = servers.run(stragglers)
    assert (found.exit_status != 0) is of_all, found.text
    if not of_all:
        return
    assert f"group partners has AWS_KMS with {KEY}, not AWS_KMS with" in found.as_one_line
    assert "user acme" not in found.as_one_line
    assert servers.run(by_hand).exit_status == 0
    # The global default was set by hand, too.
    assert servers.run(by_hand.replace("group=partners", "global=true")).exit_status == 0
    for command in (again, none_left):
        screen = servers.run(command)
        assert screen.exit_status == 0, screen.text
    assert not any(servers.has("aspera1", KEY))
