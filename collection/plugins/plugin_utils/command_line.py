# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which options of a task may stand in a command on the host.

Everybody on the host can read a command there: in the list of processes, in the log of sudo, in the audit log of the
kernel. What goes by standard input nobody sees, but with OpenSSH that takes another round trip: sshd takes no data
before it has answered that the command runs. So a task saves it whose options can hold no secret, whatever somebody
typed into them by mistake.
"""

from __future__ import annotations

import json
import re
import typing as t

#: The longest text of options that stands in a command, in bytes.
BYTES_AT_MOST = 4096

Test = t.Callable[[t.Any], bool]


def _text(pattern: str) -> Test:
    whole = re.compile(pattern, re.ASCII)
    return lambda value: isinstance(value, str) and whole.fullmatch(value) is not None


def _list_of(test: Test) -> Test:
    return lambda value: isinstance(value, list) and all(map(test, value))


def _each_by(table: dict[str, Test]) -> Test:
    return lambda value: isinstance(value, dict) and all(name in table and table[name](value[name]) for name in value)


_is_word_for_flag = _text("(?i:true|false|yes|no|on|off)")


def _is_flag(value: object) -> bool:
    return isinstance(value, bool) or _is_word_for_flag(value)


def _is_small_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 1000


#: A folder whose name is no secret in the wrong place: those are written in letters of both cases, or do not begin so.
_is_plain_path = _text(r"(/[a-z0-9][a-z0-9._-]{0,63}){1,16}")
_is_state = _text("present|absent")
_is_encryption = _text("NONE|AES256|AWS_KMS")
_is_key_arn = _text(
    r"arn:aws[a-z-]{0,16}:kms:[a-z0-9-]{1,32}:[0-9]{12}:key/"
    r"([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})"
)
_is_kind_of_scope = _text("system|user|group|global|access_key")

#: The rule: the options that may stand in a command, each with the values that may. Any other option or value, such as
#: a name, the path of a file, a bare key id or a docroot, sends all options of its task by standard input.
OPTIONS: dict[str, Test] = {
    "aspera_root": _is_plain_path,
    "state": _is_state,
    "server_side_encryption": _is_encryption,
    "kms_key_id": _is_key_arn,
    "aws_managed_key": _is_flag,
    "validate_kms_key_id": _is_flag,
    "create": _is_flag,
    "backup": _is_flag,
    "backup_keep": _is_small_number,
    "unsafe_writes": _is_flag,
    "ignore_metadata_changes": _is_flag,
    "global": _is_flag,
    "all": _is_flag,
    "multipart": _is_flag,
    "system_wide": _is_flag,
    "unless_set": _is_flag,
    "uploaded_by_aspera": _is_flag,
    "show_keys": _is_flag,
    "validate_certs": _is_flag,
    "expect": _list_of(
        _each_by(
            {
                "state": _is_state,
                "server_side_encryption": _is_encryption,
                "kms_key_ids": _list_of(_is_key_arn),
                "validate_kms_key_id": _is_flag,
                "docroots_follow": _is_flag,
                "scopes": _list_of(_is_kind_of_scope),
            }
        )
    ),
}

#: What a module reads of the settings that Ansible adds to the options. With no_log, nothing stands in a command.
SETTINGS: dict[str, Test] = {
    "_ansible_check_mode": _is_flag,
    "_ansible_diff": _is_flag,
    "_ansible_no_log": lambda value: value is False,
    "_ansible_ignore_unknown_opts": _is_flag,
    "_ansible_inject_invocation": _is_flag,
    "_ansible_syslog_facility": _text("LOG_[A-Z0-9]{1,16}"),
    "_ansible_target_log_info": lambda value: value is None,
}


def for_command(arguments: dict[str, t.Any]) -> str | None:
    """Give the arguments as a module reads them from its command, or nothing if one of them may not stand there."""
    arguments = {name: arguments[name] for name in arguments if name in SETTINGS or not name.startswith("_ansible_")}
    if not _each_by({**OPTIONS, **SETTINGS})(arguments):
        return None
    text = json.dumps(arguments, separators=(",", ":"))
    return text if len(text) <= BYTES_AT_MOST else None
