# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks the variables of the role aspera_sse and converts them to their types, on the controller.

Variables come as text from INI inventories and from ``-e NAME=VALUE``: there, "false" is a word and not a boolean.
The role works with what is converted here and never with the variables themselves.

No message holds a value: docroots hold credentials, and a value may stand in the wrong variable.
"""

from __future__ import annotations

import difflib
import re
import typing as t
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import yaml
from ansible.errors import AnsibleUndefinedVariable
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

display = Display()

PREFIX = "aspera_sse_"
#: Where the role describes its variables, seen from this file in the role and in the collection.
DESCRIPTIONS = ("../meta/argument_specs.yml", "../../roles/aspera_sse/meta/argument_specs.yml")
#: Variables of the collection that are not the role's: of the action plugins, and of the playbook audit.
OTHERS: dict[str, dict[str, t.Any]] = {
    "aspera_sse_cache_folder": {"type": "path"},
    "aspera_sse_keep_in_check_mode": {"type": "bool"},
    "aspera_sse_options_in_command": {"type": "bool"},
    "aspera_sse_expect": {"type": "list", "elements": "dict"},
}
#: The types of the role's variables. meta/argument_specs.yml leaves them open: Ansible's own validation, which comes
#: first, would refuse JSON or YAML text, and repeat a wrong value in its message.
TYPES: dict[str, dict[str, t.Any]] = {
    "aspera_sse_root": {"type": "path"},
    "aspera_sse_validate_kms_key_id": {"type": "bool"},
    "aspera_sse_docroots_follow_system": {"type": "bool"},
    "aspera_sse_backup": {"type": "bool"},
    "aspera_sse_backup_keep": {"type": "int"},
    "aspera_sse_try_key": {"type": "bool"},
    "aspera_sse_verify_objects": {"type": "bool"},
    "aspera_sse_s3": {"type": "dict", "example": "{region: eu-west-1}"},
    "aspera_sse_restart": {"type": "bool"},
    "aspera_sse_restart_pending": {"type": "bool"},
    "aspera_sse_restart_when_idle": {"type": "int"},
    "aspera_sse_ignore_metadata_changes": {"type": "bool"},
    "aspera_sse_settle_seconds": {"type": "int"},
    "aspera_sse_system": {"type": "dict"},
    "aspera_sse_node_api": {"type": "dict"},
    "aspera_sse_docroots": {"type": "list", "elements": "dict"},
    "aspera_sse_skip": {
        "type": "list",
        "elements": "str",
        "choices": ("linux", "architecture", "temporary_folder", "installed", "version", "trapd"),
    },
}
#: The share of equal characters, as difflib counts them, from which a name is a misspelling of another.
CLOSE = 0.8
#: How many seconds aspera_sse_info waits at most until no transfer runs.
LONGEST_WAIT = 86400
#: What the examples have in place of a value of your own.
PLACEHOLDER = "CHANGE_ME"
#: The form of an AWS key id. The id of a multi-Region key begins with mrk-.
KEY_ID_OF_AWS = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|mrk-[0-9A-Fa-f]{32}")
#: A name that can be repeated in a message.
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")

Description = Mapping[str, t.Any]


class InvalidVariableError(Exception):
    """A variable cannot be used; the text is a sentence that says why and what to do."""


class ActionModule(ActionBase):
    """Checks and converts the variables of the role aspera_sse."""

    _requires_connection = False
    _VALID_ARGS = frozenset(("settings_required", "variables"))

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return the converted variables and, as sentences, what is wrong with them."""
        self._supports_check_mode = True
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        described = {**role_variables(), **OTHERS}
        wanted = self._task.args.get("variables") or role_variables()
        problems = self._misspelt(variables, described)
        converted = {}
        for name in wanted:
            if name not in described:
                problems.append(f"{name}, which this task is to convert, is not a variable of the role aspera_sse.")
            elif name in variables:
                try:
                    value = self._value(name, variables, described[name])
                    converted[name] = convert(name, value, described[name])
                    refuse_placeholders(name, converted[name])
                    check_settings(name, converted[name])
                    check_seconds(name, converted[name])
                except InvalidVariableError as problem:
                    problems.append(str(problem))
        problems.extend(odd_key_ids(converted))
        problems.extend(nothing_to_follow(converted))
        problems.extend(without_login(converted))
        if boolean(self._task.args.get("settings_required", False)) and not problems:
            problems.extend(asked_for_nothing(converted))
        expect = [] if problems else expectations(converted)
        keyless = [] if problems else without_key(converted)
        result.update(changed=False, msg=" ".join(problems), converted=converted, problems=problems, expect=expect)
        result.update(keyless=keyless, expect_of_access_keys=[] if problems else expectation_of_access_keys(converted))
        return result

    def _value(self, name: str, variables: Mapping[str, t.Any], described: Description) -> t.Any:
        """Evaluate the templates of a variable. One that is omitted has its default value."""
        omitted = variables.get("omit")
        try:
            # In a dictionary, from which ansible-core 2.19 takes what is omitted.
            evaluated = self._templar.template({name: variables[name]})
            if name not in evaluated:
                return described.get("default")
            value = plain(evaluated[name], omitted)
        except AnsibleUndefinedVariable as error:
            raise InvalidVariableError(f"{name} cannot be evaluated: {error}") from error
        # Each ansible-core has errors of its own for templates, and a filter may raise any. Some repeat the value.
        except Exception as error:
            raise InvalidVariableError(f"{name} cannot be evaluated: its template is wrong.") from error
        return described.get("default") if is_omitted(value, omitted) else value

    def _misspelt(self, variables: Mapping[str, t.Any], described: Mapping[str, Description]) -> list[str]:
        """Find variables that are none of ours: a misspelling is a problem, another name a warning."""
        problems = []
        known = {name.removeprefix(PREFIX): name for name in described}
        for name in sorted(variables):
            if not name.startswith(PREFIX) or name in described:
                continue
            close = difflib.get_close_matches(name.removeprefix(PREFIX).lower(), known, n=1, cutoff=CLOSE)
            if close:
                problems.append(
                    f"{name} is not a variable of the role aspera_sse. Did you mean {known[close[0]]}? "
                    f"Rename it; a variable of your own must not begin with {PREFIX}."
                )
            else:
                display.warning(
                    f"{name} is not a variable of the role aspera_sse and has no effect. "
                    f"Its variables are {', '.join(described)}."
                )
        return problems


def role_variables() -> dict[str, dict[str, t.Any]]:
    """Read how the role describes its variables."""
    (path,) = (path for path in (Path(__file__).parent / place for place in DESCRIPTIONS) if path.exists())
    main = yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"]["main"]
    return {name: {**option, **TYPES[name]} for name, option in main["options"].items()}


def is_omitted(value: t.Any, omitted: t.Any) -> bool:
    """Tell whether this is the placeholder that `omit` is before ansible-core 2.19."""
    return isinstance(value, str) and isinstance(omitted, str) and value == omitted


def plain(value: t.Any, omitted: t.Any) -> t.Any:
    """Copy a value as Ansible holds it to plain dictionaries, lists and text, without what is omitted."""
    if getattr(value, "__ENCRYPTED__", False):
        return str(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        copies = {key: plain(element, omitted) for key, element in value.items()}
        return {key: copy for key, copy in copies.items() if not is_omitted(copy, omitted)}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [plain(element, omitted) for element in value]
    return value


def convert(name: str, value: t.Any, described: Description) -> t.Any:
    """Convert a value to the type that its description names."""
    converter: Callable[[str, t.Any, Description], t.Any] = {
        "bool": to_bool,
        "dict": to_dict,
        "int": to_int,
        "list": to_list,
        "path": to_path,
        "str": to_text,
    }[described["type"]]
    converted = converter(name, value, described)
    choices = described.get("choices")
    # Those of a list are for its elements.
    if choices and described["type"] == "str" and converted not in choices:
        refuse_choice(name, converted, choices)
    return converted


def to_bool(name: str, value: t.Any, _described: Description) -> bool:
    """Take what Ansible takes for a boolean."""
    try:
        return bool(boolean(value))
    except TypeError as error:
        raise InvalidVariableError(f"{name} must be true or false.") from error


def to_int(name: str, value: t.Any, _described: Description) -> int:
    """Take a whole number that is not negative, as a number or as text."""
    text = "" if isinstance(value, bool) else str(value).strip()
    if not re.fullmatch(r"\+?[0-9]{1,9}", text):
        raise InvalidVariableError(f"{name} must be a whole number, 0 or more.")
    return int(text)


def to_path(name: str, value: t.Any, _described: Description) -> str:
    """Take text that is not empty. The module expands it, on the host."""
    if not isinstance(value, str) or not value.strip():
        raise InvalidVariableError(f"{name} must be the path of a folder or file on the host.")
    return value


def to_text(name: str, value: t.Any, _described: Description) -> str:
    """Take text, and numbers as text."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise InvalidVariableError(f"{name} must be text. Put it in quotes.")
    return str(value)


def to_dict(name: str, value: t.Any, described: Description) -> dict[str, t.Any]:
    """Take a dictionary, or JSON or YAML text of one. Nothing at all is an empty one."""
    value = from_text(name, value)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidVariableError(
            f"{name} must be a dictionary, or the text of one in JSON or YAML, "
            f"such as {described.get('example', '{server_side_encryption: AES256}')}."
        )
    options = described.get("options")
    if options is None:
        return value
    converted = {}
    for key, element in value.items():
        if key not in options:
            refuse_option(name, key, options)
        # Nothing is named where a variable is empty by mistake, and the server would use another key.
        if key == "kms_key_id" and element in (None, ""):
            raise InvalidVariableError(
                f"{name}.{key} is empty. Name a key, or set aws_managed_key: true instead for the key that AWS manages."
            )
        # None is an option that is not given, as for a module.
        if element is not None:
            converted[key] = convert(f"{name}.{key}", element, options[key])
    return converted


def to_list(name: str, value: t.Any, described: Description) -> list[t.Any]:
    """Take a list, JSON or YAML text of one or, of words, text with commas. Nothing at all is an empty one."""
    of_words = described["elements"] == "str"
    if of_words and isinstance(value, str) and not value.lstrip().startswith(("[", "-")):
        value = [word.strip() for word in value.split(",") if word.strip()]
    value = from_text(name, value)
    if value is None:
        return []
    if not isinstance(value, list):
        raise InvalidVariableError(f"{name} must be a list, or the text of one in JSON or YAML.")
    element = {**described, "type": described["elements"]}
    return [convert(f"{name}[{index}]", one, element) for index, one in enumerate(value)]


def from_text(name: str, value: t.Any) -> t.Any:
    """Read JSON or YAML if this is text, of which JSON is a part."""
    if not isinstance(value, str):
        return value
    try:
        return yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise InvalidVariableError(f"{name} is text that is neither JSON nor YAML.") from error


def refuse_choice(name: str, value: str, choices: Sequence[str]) -> t.NoReturn:
    """Name the choices, and the one that is meant if one is close."""
    # Close enough for aws:kms, and not for aws:kms:dsse, which is another encryption.
    written = {choice.upper(): choice for choice in choices}
    close = difflib.get_close_matches(value.upper(), written, n=1, cutoff=0.75)
    hint = f" Did you mean {written[close[0]]}?" if close else ""
    raise InvalidVariableError(f"{name} must be {' or '.join((', '.join(choices[:-1]), choices[-1]))}.{hint}")


def refuse_option(name: str, key: t.Any, options: Mapping[str, t.Any]) -> t.NoReturn:
    """Name the option that does not exist, if that is safe, and the one that is meant if one is close."""
    if not isinstance(key, str) or not NAME.fullmatch(key):
        raise InvalidVariableError(f"{name} has an option that does not exist. Its options are {', '.join(options)}.")
    close = difflib.get_close_matches(key, options, n=1, cutoff=0.7)
    hint = f"Did you mean {close[0]}?" if close else f"Its options are {', '.join(options)}."
    raise InvalidVariableError(f"{name} has no option {key}. {hint}")


def refuse_placeholders(name: str, value: t.Any) -> None:
    """Refuse a value that somebody copied from an example and did not fill in."""
    if isinstance(value, dict):
        for key, element in value.items():
            refuse_placeholders(f"{name}.{key}", element)
    elif isinstance(value, list):
        for index, element in enumerate(value):
            refuse_placeholders(f"{name}[{index}]", element)
    elif isinstance(value, str) and PLACEHOLDER in value:
        raise InvalidVariableError(
            f"{name} still holds the placeholder {PLACEHOLDER}. Put a value of your own in its place."
        )


def check_seconds(name: str, value: t.Any) -> None:
    """Refuse a wait that the module refuses, before anything is written."""
    if name == "aspera_sse_restart_when_idle" and value > LONGEST_WAIT:
        raise InvalidVariableError(f"{name} must be at most {LONGEST_WAIT}, which is a day.")


def check_settings(name: str, value: t.Any) -> None:
    """Refuse settings that lack what the modules need, before one of the two files is written."""
    if name == "aspera_sse_system" and value:
        check_setting(name, value)
    if name == "aspera_sse_docroots":
        for index, docroot in enumerate(value):
            where = f"{name}[{index}]"
            if [bool(docroot.get(kind)) for kind in ("user", "group", "global")].count(True) != 1:
                raise InvalidVariableError(f"{where} must have exactly one of user, group and global.")
            check_setting(where, docroot)


def check_setting(name: str, setting: Mapping[str, t.Any]) -> None:
    """Refuse a setting without an encryption, unless it takes the setting away."""
    if setting.get("state", "present") == "present" and "server_side_encryption" not in setting:
        raise InvalidVariableError(f"{name} must have server_side_encryption, or state: absent.")


def odd_key_ids(converted: Mapping[str, t.Any]) -> list[str]:
    """Find bare key ids without the form of AWS key ids. The modules refuse them, but perhaps only after one file."""
    if not converted.get("aspera_sse_validate_kms_key_id", True):
        return []
    settings = [("aspera_sse_system", converted.get("aspera_sse_system") or {})]
    settings += [(f"aspera_sse_docroots[{i}]", one) for i, one in enumerate(converted.get("aspera_sse_docroots") or [])]
    return [
        f"{name}.kms_key_id is a key id that is neither a UUID nor mrk- and 32 hexadecimal digits, unlike the key ids "
        "of AWS. Use the full key ARN. If the store is not AWS and its keys have such ids, set "
        "aspera_sse_validate_kms_key_id: false."
        for name, setting in settings
        if setting.get("state", "present") == "present" and is_odd_key_id(setting.get("kms_key_id", ""))
    ]


def is_odd_key_id(key: str) -> bool:
    """Return whether a key is a bare id without the form of AWS key ids. The modules refuse malformed keys."""
    is_id = re.fullmatch(r"[A-Za-z0-9-]+", key)
    return bool(is_id and not KEY_ID_OF_AWS.fullmatch(key))


def expectations(converted: Mapping[str, t.Any]) -> list[dict[str, t.Any]]:
    """Return the option expect of aspera_sse_info for a host that has the settings, one entry for each setting."""
    settings = [("system", converted["aspera_sse_system"])] if converted.get("aspera_sse_system") else []
    settings += [(scope(docroot), docroot) for docroot in converted.get("aspera_sse_docroots", [])]
    scopes: dict[tuple[str | None, str | None], list[str]] = {}
    for name, setting in settings:
        if setting.get("state", "present") == "present":
            wanted = (setting["server_side_encryption"], system_key(setting))
            scopes.setdefault(wanted, []).append(name)
        elif name == "system":
            scopes.setdefault((None, None), []).append(name)
    expected = [expectation(encryption, key, names) for (encryption, key), names in scopes.items()]
    if not converted.get("aspera_sse_validate_kms_key_id", True):
        for entry in expected:
            entry["validate_kms_key_id"] = False
    if converted.get("aspera_sse_docroots_follow_system"):
        for entry in expected:
            if "system" in entry["scopes"]:
                entry["docroots_follow"] = True
    return expected


def nothing_to_follow(converted: Mapping[str, t.Any]) -> list[str]:
    """Tell what to set if docroots are to follow a setting that is not there."""
    system = converted.get("aspera_sse_system") or {}
    if not converted.get("aspera_sse_docroots_follow_system") or "server_side_encryption" in system:
        return []
    return [
        "aspera_sse_docroots_follow_system is true, and aspera_sse_system has no server_side_encryption to follow. "
        "Set it, or set aspera_sse_docroots_follow_system to false."
    ]


def without_login(converted: Mapping[str, t.Any]) -> list[str]:
    """Tell what to set if the Node API is to be asked, and nothing says by whom."""
    node = converted.get("aspera_sse_node_api") or {}
    name = "aspera_sse_node_api"
    logins = (("username", "password"), ("access_key", "secret"))
    given = [login for login in logins if any(option in node for option in login)]
    if node and (len(given) != 1 or not all(option in node for option in given[0])):
        return [f"{name} must have either username and password, or access_key and secret."]
    if "kms_key_ids" in node and node.get("server_side_encryption") != "AWS_KMS":
        return [f"{name}.kms_key_ids goes with server_side_encryption AWS_KMS in it."]
    return []


def expectation_of_access_keys(converted: Mapping[str, t.Any]) -> list[dict[str, t.Any]]:
    """Return what is expected of access keys: what is said beside the login, else what the whole server is to have."""
    node = converted.get("aspera_sse_node_api") or {}
    system = converted.get("aspera_sse_system") or {}
    setting = node if "server_side_encryption" in node else system
    if not node or setting.get("state", "present") != "present" or "server_side_encryption" not in setting:
        return []
    keys = setting.get("kms_key_ids") or [key for key in (system_key(setting),) if key]
    entry = {"server_side_encryption": setting["server_side_encryption"], "scopes": ["access_key"]}
    if keys:
        entry["kms_key_ids"] = keys
    if not converted.get("aspera_sse_validate_kms_key_id", True):
        entry["validate_kms_key_id"] = False
    return [entry]


def system_key(setting: Mapping[str, t.Any]) -> str | None:
    """Return the key of a setting. S3 has an alias for the one that AWS manages."""
    return "alias/aws/s3" if setting.get("aws_managed_key") else setting.get("kms_key_id")


def without_key(converted: Mapping[str, t.Any]) -> list[str]:
    """Name the settings that use the key that AWS manages without saying so. A host must not lose a key by them."""
    settings = [("system", converted.get("aspera_sse_system") or {})]
    settings += [(scope(docroot), docroot) for docroot in converted.get("aspera_sse_docroots") or []]
    return [name for name, setting in settings if uses_unnamed_key(setting)]


def uses_unnamed_key(setting: Mapping[str, t.Any]) -> bool:
    """Tell whether a setting leads to the key that AWS manages, and does not say so."""
    is_kms = setting.get("state", "present") == "present" and setting.get("server_side_encryption") == "AWS_KMS"
    return is_kms and not (setting.get("kms_key_id") or setting.get("aws_managed_key"))


def scope(docroot: Mapping[str, t.Any]) -> str:
    """Return the name of a docroot that aspera_sse_info uses."""
    for kind in ("user", "group"):
        if docroot.get(kind):
            return f"{kind} {docroot[kind]}"
    return "global"


def expectation(encryption: str | None, key: str | None, scopes: list[str]) -> dict[str, t.Any]:
    """Return an entry of the option expect."""
    if encryption is None:
        return {"state": "absent", "scopes": scopes}
    keys = {"kms_key_ids": [key]} if key else {}
    return {"server_side_encryption": encryption, **keys, "scopes": scopes}


def asked_for_nothing(converted: Mapping[str, t.Any]) -> list[str]:
    """Tell what to set if neither of the two settings is there."""
    if converted.get("aspera_sse_system") or converted.get("aspera_sse_docroots"):
        return []
    return [
        "The role aspera_sse has nothing to do. Set aspera_sse_system for the whole server, such as "
        "{server_side_encryption: AWS_KMS, kms_key_id: KEY_ARN}, or aspera_sse_docroots for docroots, or both."
    ]
