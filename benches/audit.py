"""Measure the audit of very many users and groups with many expectations: time and memory, and how both grow."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median

from controller import Controller, controller
from measure import median_seconds, peak_bytes
from tables import megabytes, milliseconds, table

MODULE = Path(__file__).parent.parent / "library/aspera_sse_info"
RUNS = 11
EXPECTATIONS = 50
#: The number of users for each group. Each user is in three groups: that of its account, and two that list it.
USERS_OF_A_GROUP = 10
KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
#: Runs a command with the accounts of the benchmark as those of the operating system.
WITH_ACCOUNTS = 'mount --bind "$1" /etc/passwd && mount --bind "$2" /etc/group && shift 2 && exec "$@"'


def run(folder: Path) -> str:
    """Measure and return the report."""
    rows = []
    with controller(folder) as ansible:
        idle = cpu_of_controller(ansible, "ansible.builtin.debug", {"msg": ""})
        for users in (1_000, 10_000, 20_000, 40_000):
            place = folder / str(users)
            conf = write_server(place, users)
            task = arguments(place, users)
            audit = [*in_namespace(place), MODULE, task]
            time, peak = median_seconds(audit, RUNS), peak_bytes(audit)
            options = {name: value for name, value in json.loads(task.read_text()).items() if name[0] != "_"}
            cpu = cpu_of_controller(ansible, "aspera_ops.sse.aspera_sse_info", options) - idle
            rows.append(
                [
                    f"{users:,} ({users // USERS_OF_A_GROUP:,})",
                    megabytes(conf.stat().st_size),
                    milliseconds(time),
                    f"{time / users * 1e6:.1f} µs",
                    megabytes(peak),
                    f"{peak / conf.stat().st_size:.1f}",
                    f"{cpu:.2f} s",
                ]
            )
    without = median_seconds([*in_namespace(folder / "1000"), "/bin/true"], RUNS)
    head = ["users (groups)", "aspera.conf", "time", "a user", "peak", "peak/file", "CPU of the controller"]
    return f"{table(head, rows)}\n\nEach time includes {milliseconds(without)} for the namespace with these accounts."


def cpu_of_controller(ansible: Controller, module: str, options: dict) -> float:
    """Return the seconds of CPU that a playbook of one task takes, with those of the module."""
    play = {"hosts": "all", "gather_facts": False, "tasks": [{module: options}]}
    inventory = {"all": {"hosts": {"here": {"ansible_connection": "local"}}}}
    return median(ansible.run([play], inventory).cpu for _ in range(3))


def in_namespace(place: Path) -> list[str | Path]:
    """Return the start of a command that sees the accounts in a folder as those of the host."""
    unshare = ["unshare", "--mount", "--propagation", "private"]
    return [*unshare, "sh", "-c", WITH_ACCOUNTS, "sh", place / "passwd", place / "group"]


def write_server(place: Path, users: int) -> Path:
    """Write a server with a docroot for every other user, and one for each group; return its aspera.conf."""
    groups = users // USERS_OF_A_GROUP
    properties = place / "aspera/etc/trapd/s3.properties"
    properties.parent.mkdir(parents=True)
    properties.write_text("s3service.https-only=true\n")
    members: dict[int, list[str]] = {group: [] for group in range(groups)}
    for user in range(users):
        for group in {user * 7 % groups, (user * 13 + 1) % groups}:
            members[group].append(f"user{user}")
    accounts = (f"user{user}:x:{user + 2000}:{user % groups + 2000}::/home:/bin/sh\n" for user in range(users))
    (place / "passwd").write_text("root:x:0:0::/root:/bin/sh\n" + "".join(accounts))
    lines = (f"group{group}:x:{group + 2000}:{','.join(names)}\n" for group, names in members.items())
    (place / "group").write_text("root:x:0:\n" + "".join(lines))
    conf = place / "aspera/etc/aspera.conf"
    of_groups = (block("group", group, f"<precedence>{group}</precedence>{docroot(group)}") for group in range(groups))
    of_users = (block("user", user, docroot(user) if user % 2 else "") for user in range(users))
    realm = f"<groups>\n{''.join(of_groups)}</groups>\n<users>\n{''.join(of_users)}</users>"
    conf.write_text(f'<CONF version="2"><aaa><realms><realm>\n{realm}\n</realm></realms></aaa></CONF>\n')
    return conf


def block(kind: str, number: int, content: str) -> str:
    """Return the block of a user or group."""
    token = f"<token><encryption_key>DUMMY-SECRET-{number:05}</encryption_key></token>"
    return f"<{kind}><name>{kind}{number}</name><authorization>{token}</authorization>{content}</{kind}>\n"


def docroot(number: int) -> str:
    """Return the element that holds an S3 docroot."""
    query = f"server-side-encryption=AWS_KMS&amp;server-side-encryption-aws-kms-key-id={KEY}"
    uri = f"s3://DUMMYKEY:DUMMY%2FSECRET@s3.us-east-1.amazonaws.com/bucket-{number:05}/media?{query}"
    path = f"<path><absolute>{uri}</absolute><read_allowed>true</read_allowed></path>"
    return f"<file_system><access><paths>{path}</paths></access></file_system>"


def arguments(place: Path, users: int) -> Path:
    """Write the arguments of an audit with many expectations, of which the last one is for everybody."""
    wanted = {"server_side_encryption": "AWS_KMS", "kms_key_ids": [KEY]}
    step = users // EXPECTATIONS
    expect = [{**wanted, "scopes": [f"user user{number * step}"]} for number in range(EXPECTATIONS - 1)]
    path = place / "arguments.json"
    task = {"aspera_root": str(place / "aspera"), "expect": [*expect, wanted], "_ansible_no_log": True}
    path.write_text(json.dumps(task))
    return path
