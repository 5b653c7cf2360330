"""The tests of the scripts for a host bite: with each of these faults in the scripts, the named test fails."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import test_kept_builds as kept
from ansible_collections.aspera_ops.sse.plugins.plugin_utils import compiled_module

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SHELL = "dash"
#: Tests that run in one shell.
WITHOUT_SHELL = (kept.test_another_system, kept.test_only_selinux_in_force_is_said_to_refuse)


@dataclass(frozen=True)
class Fault:
    """A change of a script, and the test that notices it."""

    says: str
    file: str
    #: Pieces of text, each of which is in the script once, and what takes their place.
    replacements: dict[str, str]
    noticed_by: Callable[..., None]
    #: What the test is called with, after the folder and the shell.
    arguments: tuple[object, ...] = ()


def plant(one: Callable[[kept.Host], object]) -> dict[str, object]:
    """Name the test that plants something, and what it plants."""
    return {"noticed_by": kept.test_nothing_that_was_planted_is_run, "arguments": (one,)}


FAULTS = [
    Fault(
        "the owner of a folder does not count",
        "places.sh",
        {'[ "$owner" = 0 ] || is_us "$1" "$owner" || exit 1': ":"},
        **plant(kept.a_home_in_a_folder_of_another),
    ),
    Fault(
        "the group may write a folder",
        "places.sh",
        {"d????-??-*)": "d???????-*)"},
        **plant(kept.a_folder_that_the_group_may_write),
    ),
    Fault(
        "others may write a folder",
        "places.sh",
        {"d????-??-*)": "d????-????)"},
        **plant(kept.a_folder_that_others_but_not_the_group_may_write),
    ),
    Fault(
        "a link may be on the way",
        "places.sh",
        {"*) exit 1 ;;\n            esac": "l*) ;; *) exit 1 ;;\n            esac"},
        **plant(kept.a_link_to_an_own_folder_below_one_of_another),
    ),
    Fault(
        "the owner of a build does not count",
        "places.sh",
        {'[ "$bytes" = "$size" ] && is_us "$1" "$owner"': '[ "$bytes" = "$size" ]'},
        **plant(kept.a_file_of_another),
    ),
    Fault(
        "a build of root counts for another user",
        "places.sh",
        {'is_us "$1" "$owner"; } || exit 1': '{ [ "$owner" = 0 ] || is_us "$1" "$owner"; }; } || exit 1'},
        **plant(kept.a_file_of_root),
    ),
    Fault(
        "the size of a build does not count",
        "places.sh",
        {'[ "$bytes" = "$size" ] && is_us': "is_us"},
        **plant(kept.a_file_in_part),
    ),
    Fault(
        "the mode of a build does not count",
        "places.sh",
        {"-rwx------*)": "-rwx*)"},
        **plant(kept.a_file_that_others_may_write),
    ),
    Fault(
        "the root folder is not looked at",
        "places.sh",
        {'set -- / "$@"': ":"},
        kept.test_a_root_folder_that_others_may_write,
    ),
    Fault(
        "names may have blanks",
        "places.sh",
        {"*[!A-Za-z0-9/._@+-]*) return 1": "*[!A-Za-z0-9/._@+\\ -]*) return 1"},
        kept.test_a_folder_of_a_name_that_could_be_taken_for_something_else,
        ("of keeper",),
    ),
    Fault(
        "names may have any sign",
        "places.sh",
        {"*[!A-Za-z0-9/._@+-]*) return 1": "'') return 1"},
        kept.test_a_folder_of_a_name_that_could_be_taken_for_something_else,
        ("of;keeper",),
    ),
    Fault(
        "the way to a home is taken by its words",
        "places.sh",
        {'cd -P "$base"': 'cd "$base"'},
        kept.test_a_home_behind_a_link_and_back,
    ),
    Fault(
        "links are left on the way to a home",
        "places.sh",
        {'cd -P "$base" 2>/dev/null && pwd -P': 'cd "$base" && pwd'},
        kept.test_a_home_behind_a_link_of_root,
    ),
    Fault(
        "the home is that of the environment",
        "places.sh",
        {'eval "home=~$user"': "home=$HOME"},
        kept.test_what_is_left_beside_a_build,
    ),
    Fault(
        "root has one place",
        "places.sh",
        {'"$1" /var/cache//aspera_ops.sse ;;': ";;"},
        kept.test_no_program_may_run_in_the_home,
    ),
    Fault(
        "whoever owns the first folder is taken for the account",
        "places.sh",
        {'[ -z "$uid" ] && [ -O "$1" ]': '[ -z "$uid" ]'},
        kept.test_a_home_of_another_in_the_environment_of_root,
    ),
    Fault(
        "only the home of the environment is looked at",
        "run.sh",
        {"ask_for_account\n": ""},
        kept.test_what_is_left_beside_a_build,
    ),
    Fault(
        "the account is always asked for",
        "run.sh",
        {"home=$HOME": "ask_for_account"},
        kept.test_a_run_starts_one_program_beside_the_build,
    ),
    Fault(
        "input is waited for that does not come",
        "places.sh",
        {'[ -z "$arguments" ] || exec </dev/null': ""},
        kept.test_arguments_in_the_command,
    ),
    Fault(
        "a terminal is not reported",
        "places.sh",
        {"[ -t 0 ] && report terminal && exit 0": ""},
        kept.test_a_terminal_is_reported,
    ),
    Fault(
        "what is sent is not read", "places.sh", {"&& cat >/dev/null && exit 0": "&& exit 0"}, kept.test_another_system
    ),
    Fault(
        "a build is run unseen",
        "run.sh",
        {"|| ! is_kept": ""},
        **plant(kept.a_file_that_others_may_write),
    ),
    Fault(
        "a build that cannot be started is a run",
        "run.sh",
        {"126 | 127) ;;": "127) ;;"},
        kept.test_a_build_that_can_no_longer_run_is_not_there,
    ),
    Fault(
        "a run that fails is not a run",
        "run.sh",
        {'case $status in 126 | 127) ;; *) exit "$status" ;; esac': '[ "$status" != 0 ] || exit 0'},
        kept.test_a_run_that_fails_is_a_run,
    ),
    Fault(
        "the umask is that of the account", "keep.sh", {"umask 077": ""}, kept.test_what_is_kept_is_for_the_keeper_alone
    ),
    Fault(
        "folders are made in any home",
        "keep.sh",
        {'|| ! is_ours "$base"': ""},
        kept.test_nothing_is_made_where_nothing_can_be_kept,
    ),
    Fault(
        "a build is kept in any folder",
        "keep.sh",
        {'is_ours "$place" || return': ""},
        **plant(kept.a_folder_for_all_as_tmp_is),
    ),
    Fault(
        "the sum does not count",
        "keep.sh",
        {'"$(sha256sum <"$new" 2>/dev/null)" = "$build  -"': "1"},
        kept.test_what_arrives_is_held_against_its_sum,
        (kept.CONTENT[:-1],),
    ),
    Fault(
        "a build is not tried",
        "keep.sh",
        {"&& can_run": ""},
        kept.test_no_program_may_run_in_the_home,
    ),
    Fault(
        "what no place takes is lost",
        "keep.sh",
        {'{ true >"$new"; } 2>/dev/null || return': ""},
        kept.test_a_place_that_takes_no_file_leaves_the_build_to_the_next,
    ),
    Fault(
        "SELinux makes no difference",
        "places.sh",
        {'[ ! -e /sys/fs/selinux/enforce ] || "$1" "$home//.ansible/aspera_ops.sse"': ":"},
        kept.test_no_program_may_run_from_a_cache_under_selinux,
        ("root",),
    ),
    Fault(
        "SELinux is not said to refuse",
        "keep.sh",
        {'leave nowhere "$refused"': "leave nowhere"},
        kept.test_only_selinux_in_force_is_said_to_refuse,
    ),
    Fault(
        "a policy that is not in force is said to refuse",
        "keep.sh",
        {'[ "$enforced" != 1 ]': "false"},
        kept.test_only_selinux_in_force_is_said_to_refuse,
    ),
    Fault(
        "what could not be kept stays",
        "keep.sh",
        {'[ -z "$received" ] || rm -f "$received"': ""},
        kept.test_what_arrives_is_held_against_its_sum,
        (kept.CONTENT[:-1],),
    ),
    Fault(
        "older builds stay",
        "keep.sh",
        {'else rm -f "$old"; fi': "fi"},
        kept.test_controllers_of_three_versions_do_not_take_away_what_the_others_keep,
    ),
    Fault(
        "builds of other versions go",
        "keep.sh",
        {"left=2": "left=0"},
        kept.test_controllers_of_three_versions_do_not_take_away_what_the_others_keep,
    ),
    Fault(
        "the builds that came last go",
        "keep.sh",
        {"ls -td": "ls -trd"},
        kept.test_controllers_of_three_versions_do_not_take_away_what_the_others_keep,
    ),
    Fault(
        "builds of other architectures go",
        "keep.sh",
        {'*" ${old##*-} "*) continue ;;': '*" $build "*-) continue ;;', "left=2": "left=0"},
        kept.test_what_is_left_beside_a_build,
    ),
    Fault(
        "parts of lost connections stay",
        "keep.sh",
        {"-mtime +0 -exec": "-mtime +99999 -exec"},
        kept.test_what_is_left_beside_a_build,
    ),
    Fault("parts on their way go", "keep.sh", {"-mtime +0 -exec": "-exec"}, kept.test_what_is_left_beside_a_build),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.says)
def test_a_fault_in_a_script_is_noticed(fault: Fault, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The named test passes with the scripts as they are, and fails with the fault."""
    scripts = folder / "scripts"
    shutil.copytree(compiled_module.SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(compiled_module, "SCRIPTS", scripts)
    file = scripts / fault.file

    def is_passed(name: str) -> bool:
        compiled_module.script.cache_clear()
        host = folder / name
        host.mkdir(mode=0o755)
        shell = () if fault.noticed_by in WITHOUT_SHELL else (SHELL,)
        try:
            fault.noticed_by(host, *shell, *fault.arguments)
        except (AssertionError, OSError, IndexError, ValueError):
            return False
        return True

    try:
        assert is_passed("without")
        text = file.read_text()
        for old, new in fault.replacements.items():
            assert text.count(old) == 1, f"{fault.file} has {old!r} {text.count(old)} times"
            text = text.replace(old, new)
        file.write_text(text)
        assert not is_passed("with"), "the fault was not noticed"
    finally:
        compiled_module.script.cache_clear()
