"""The role asks S3: whether it takes uploads before anything is set, and how objects are encrypted in the end."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import pytest
from aws import Aws, running_aws
from role_hosts import Hosts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from controllers import Controller, Screen

USER = (
    "<user><name>{}</name><file_system><access><paths><path><absolute>{}</absolute>"
    "</path></paths></access></file_system></user>"
)
CONF = '<CONF version="2"><aaa><realms><realm><users>{}</users></realm></realms></aaa></CONF>\n'
TRIED = "TASK [aspera_sse : Try whether S3 accepts uploads with what is to be set]"


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    """Give a running server."""
    with running_aws() as server:
        yield server


def a_host(folder: Path, aws: Aws, **docroots: tuple[str, str]) -> Hosts:
    """Lay out a host with users, each with the place of its docroot and the user of AWS in it."""
    hosts = Hosts(folder, "one", version="4.3.1.100")
    users = [USER.format(name, escape(aws.docroot(*docroot))) for name, docroot in docroots.items()]
    hosts.roots["one"].write_conf(CONF.format("".join(users)).encode())
    return hosts


def settings(aws: Aws, **more: object) -> dict[str, object]:
    """Give the variables of the role for all docroots, and for the user two with another key."""
    key = {"server_side_encryption": "AWS_KMS", "kms_key_id": aws.key}
    return {
        "aspera_sse_system": key,
        "aspera_sse_docroots": [{"user": "two", **key}],
        "aspera_sse_s3": {"ca_file": str(aws.authority.authority)},
        **more,
    }


def files(hosts: Hosts) -> list[bytes]:
    """Give the two files of the host."""
    root = hosts.roots["one"]
    return [root.properties.read_bytes(), root.conf.read_bytes()]


def no_secrets_on(screen: Screen, aws: Aws) -> None:
    """Nobody's secret was shown."""
    for parts in aws.users.values():
        assert parts[1] not in screen.text


def test_a_refused_upload_stops_the_host_before_anything_is_set(controller: Controller, folder: Path, aws: Aws) -> None:
    """One docroot that S3 refuses is enough. The message has the statement to ask for."""
    hosts = a_host(folder, aws, one=("media/trial", "admin"), two=("media/trial/two", "auditor"))
    before = files(hosts)
    wanted = settings(aws, aspera_sse_try_key="yes")
    refused = hosts.run(controller, "role.yml", "-vvv", **wanted)
    assert refused.recap["one"] | {"failed": 1, "changed": 0} == refused.recap["one"], refused.text
    assert "user two: S3 does not accept uploads with AWS_KMS with arn:aws:kms:" in refused.as_one_line
    assert "arn:aws:s3:::media/trial/two/*" in refused.as_one_line
    assert "Nothing was set on this host." in refused.as_one_line
    assert files(hosts) == before
    no_secrets_on(refused, aws)
    # In check mode nothing is uploaded, and nothing fails.
    checked = hosts.run(controller, "role.yml", "--check", **wanted)
    assert (checked.exit_status, TRIED in checked.text) == (0, False), checked.text
    # Without the trial, it would have been set.
    done = hosts.run(controller, "role.yml", **settings(aws))
    assert (done.exit_status, done.recap["one"]["changed"], TRIED in done.text) == (0, 2, False), done.text


def test_what_s3_takes_is_set_and_tried_once(controller: Controller, folder: Path, aws: Aws) -> None:
    """A second run tries nothing. Each step that runs alone tries before it sets, too."""
    hosts = a_host(folder, aws, one=("media/trial", "admin"), two=("media/trial/two", "admin"))
    wanted = settings(aws, aspera_sse_try_key=True)
    done = hosts.run(controller, "role.yml", "--tags", "aspera_sse_configure", "-v", **wanted)
    assert (done.exit_status, done.recap["one"]["changed"]) == (0, 2), done.text
    tried = [one.answer["docroots"] for one in done.results if one.answer and "accepted" in one.answer]
    assert [(one["name"], one["accepted"], one["left"]) for one in tried[0]] == [
        ("one", True, False),
        ("two", True, False),
    ]
    again = hosts.run(controller, "role_step.yml", "-v", step="configure", **wanted)
    assert (again.exit_status, again.recap["one"]["changed"]) == (0, 0), again.text
    tried = [one.answer["docroots"] for one in again.results if one.answer and "accepted" in one.answer]
    assert tried == [[]]


def test_a_trial_that_stays_is_reported(controller: Controller, folder: Path, aws: Aws) -> None:
    """What the server uploads is taken, and it may not delete it."""
    hosts = a_host(folder, aws, two=("shared/role", "uploader"))
    wanted = settings(aws, aspera_sse_system={}, aspera_sse_try_key=True)
    done = hosts.run(controller, "role.yml", **wanted)
    assert done.exit_status == 0, done.text
    assert 'A trial of one byte is, or may be, left in S3: "role/.aspera-sse-trial-' in done.as_one_line


def test_a_docroot_that_cannot_be_tried_is_reported(controller: Controller, folder: Path, aws: Aws) -> None:
    """It leads each member of a group to another place. No server at all is no reason to go on."""
    hosts = a_host(folder, aws, two=("media/trial", "admin"))
    root = hosts.roots["one"]
    default = USER.format("", escape(aws.docroot("media/$(name)", "admin"))).replace("<name></name>", "")
    default = default.replace("user>", "default>")
    root.write_conf(root.conf.read_bytes().replace(b"<aaa>", default.encode() + b"<aaa>"))
    wanted = settings(aws, aspera_sse_try_key=True)
    silent = hosts.run(controller, "role.yml", **(wanted | {"aspera_sse_s3": {"endpoint_url": "https://127.0.0.1:1"}}))
    assert silent.recap["one"] | {"failed": 1, "changed": 0} == silent.recap["one"], silent.text
    assert "user two: it is not known whether S3 accepts uploads with AWS_KMS" in silent.as_one_line
    done = hosts.run(controller, "role.yml", **wanted)
    assert done.exit_status == 0, done.text
    assert "global: it is not known whether S3 accepts uploads" in done.as_one_line
    assert "the docroot leads each user to a different place" in done.as_one_line


#: Without the init system of this machine, services are those of the installation that run.
NO_INIT = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /run && exec "$@"', "sh")


@contextlib.contextmanager
def running_services(hosts: Hosts) -> Iterator[None]:
    """Run the services of the installation, which start after its files were written."""
    folder = hosts.roots["one"].folder / "bin"
    # Times of S3 are whole seconds, and two seconds between its clock and ours are allowed for.
    time.sleep(3)
    services = []
    try:
        for name in ("asperatrapd", "asperanoded"):
            if not (folder / name).exists():
                shutil.copy("/bin/sleep", folder / name)
            services.append(subprocess.Popen([folder / name, "600"]))
        time.sleep(3)
        yield
    finally:
        for service in services:
            service.kill()
            service.wait()


@pytest.mark.needs("root", "namespaces")
def test_objects_are_looked_at_in_the_end(controller: Controller, folder: Path, aws: Aws) -> None:
    """None yet is a note, and a wrong one fails the host with its key, algorithm and key ARN."""
    hosts = a_host(folder, aws, one=("media/verify/one", "auditor"), two=("media/verify/two", "uploader"))
    wanted = settings(aws, aspera_sse_verify_objects="true")
    s3, right = aws.client("s3"), {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": aws.key}
    s3.put_object(Bucket="media", Key="verify/one/old", Body=b"x")
    done = hosts.run(controller, "role.yml", around=NO_INIT, **wanted)
    assert (done.exit_status, done.recap["one"]["changed"]) == (0, 2), done.text
    # On this host no service runs yet.
    assert "user one is not known to be as expected: it is not known since when the services run" in done.as_one_line
    with running_services(hosts):
        none_yet = hosts.run(controller, "role.yml", around=NO_INIT, **wanted)
        assert (none_yet.exit_status, none_yet.recap["one"]["changed"]) == (0, 0), none_yet.text
        assert "there is no object to look at" in none_yet.as_one_line
        s3.put_object(Bucket="media", Key="verify/one/new", Body=b"x", **right)
        s3.put_object(Bucket="media", Key="verify/two/new", Body=b"x", **right)
        seen = hosts.run(controller, "role.yml", around=NO_INIT, **wanted)
        assert seen.exit_status == 0, seen.text
        assert "Objects: Not known to be compliant. Judged docroots: 2. Objects looked at: 1." in seen.as_one_line
        assert "user two is not known to be as expected: S3 denies the request" in seen.as_one_line
        # Another identity may look where that of the server may not.
        access = {**wanted["aspera_sse_s3"], **aws.options("auditor")}
        wider = {**wanted, "aspera_sse_s3": access}
        seen = hosts.run(controller, "role_step.yml", "-vvv", around=NO_INIT, step="verify", **wider)
        assert seen.exit_status == 0, seen.text
        assert "Objects: Compliant. Judged docroots: 2. Objects looked at: 2." in seen.as_one_line
        no_secrets_on(seen, aws)
        other = {**right, "SSEKMSKeyId": aws.other_key}
        s3.put_object(Bucket="media", Key="verify/one/{{ x }}\x1b[31m", Body=b"x", **other)
        checked = hosts.run(controller, "role.yml", "--check", around=NO_INIT, **wanted)
        failed = hosts.run(controller, "role.yml", around=NO_INIT, **wanted)
    assert failed.recap["one"] | {"failed": 1, "changed": 0} == failed.recap["one"], failed.text
    # The key is data, and its escape a text. In check mode that is one of JSON.
    said = f"with aws:kms with {aws.other_key}, not AWS_KMS with {aws.key}: another key is used."
    for screen in (failed, checked):
        assert said in screen.as_one_line, screen.text
        assert "{{ x }}" in screen.text
        assert "u{1b}[31m" in screen.text
    assert checked.exit_status == 0


@pytest.mark.needs("root", "namespaces")
def test_an_object_settles_what_the_vendor_leaves_open(folder: Path, aws: Aws) -> None:
    """Docroot and file differ, the store is not Amazon's, and HTTPS is not forced: one upload decides all of it."""
    place = "media/settle"
    query = f"?server-side-encryption=AWS_KMS&server-side-encryption-aws-kms-key-id={aws.key}"
    hosts = a_host(folder, aws, one=(place + query, "auditor"))
    root = hosts.roots["one"]
    root.properties.write_text("server-side-encryption=AES256\n", encoding="utf-8")
    access = {"ca_file": str(aws.authority.authority)}
    expected = aws.expect()

    def run(module: str, **options: object) -> dict:
        return aws.run_on(root.folder, module, around=NO_INIT, **options)

    def audit(**options: object) -> dict:
        (row,) = run("aspera_sse_info", expect=expected, **options)["docroots"]
        return row

    open_points = {"docroot_and_file", "https_not_forced", "key_without_kms", "not_amazon"}
    assert (audit()["verdict"], set(audit()["effective"]["reasons"])) == ("unknown", open_points)
    s3, right = aws.client("s3"), {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": aws.key}
    with running_services(hosts):
        s3.put_object(Bucket="media", Key="settle/theirs", Body=b"x", **right)
        # Nothing says that Aspera has uploaded it.
        assert run("aspera_s3_objects_info", **access)["settles"] == []
        (told,) = run("aspera_s3_objects_info", keys=["theirs"], uploaded_by_aspera=True, **access)["settles"]
        s3.put_object(Bucket="media", Key="settle/ours", Body=b"x", Metadata={"aspera.transfer": "true"}, **right)
        (settles,) = run("aspera_s3_objects_info", **access)["settles"]
        settled = audit(settled=[settles])
        # An object that differs from another one settles nothing.
        s3.put_object(Bucket="media", Key="settle/wrong", Body=b"x", Metadata={"aspera.transfer": "true"})
        other = {**right, "SSEKMSKeyId": aws.other_key}
        s3.put_object(Bucket="media", Key="settle/other", Body=b"x", Metadata={"aspera.transfer": "true"}, **other)
        assert run("aspera_s3_objects_info", **access)["settles"] == []
    assert told["rules_out"] == settles["rules_out"]
    assert open_points <= set(settles["settles"])
    assert "AES256" in settles["rules_out"]
    assert (settles["server_side_encryption"], settles["kms_key_id"]) == ("AWS_KMS", aws.key)
    assert (settled["verdict"], settled["effective"]["certain"]) == ("met", True)
    # After the services have ended it counts as before, until a file or the docroot changes.
    after = run("aspera_sse_info", expect=expected, settled=[settles])
    assert [(one["where"], one["counts"], one["age_days"]) for one in after["settled"]] == [("user one", True, 0)]
    elsewhere = run("aspera_sse_info", expect=expected, settled=[{**settles, "uri": "s3://other/media"}])
    assert (elsewhere["settled"][0]["where"], elsewhere["settled"][0]["counts"]) == (None, False)
    root.properties.write_text("server-side-encryption=NONE\n", encoding="utf-8")
    changed = run("aspera_sse_info", expect=expected, settled=[settles])
    assert (changed["settled"][0]["counts"], changed["docroots"][0]["verdict"]) == (False, "unknown")
    assert "was changed after the services that uploaded the object had started" in changed["settled"][0]["why"]
