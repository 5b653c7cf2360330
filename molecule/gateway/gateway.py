"""The store of the scenario, a gateway of Ceph at the address of the controller, and what its owner does there.

gateway.py FOLDER serve: runs it, and writes gateway.json when it is ready. It ends with the run, as all processes do.
gateway.py FOLDER policy read|all: what the server that uploads may do.
gateway.py FOLDER upload KEY encrypted|plain: an upload of Aspera's. delete KEY: takes it away.
"""

from __future__ import annotations

import json
import signal
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests/s3"))

from authority import Authority
from ceph import KEY, Gateway, running_ceph

BUCKET = "media"
READ = ["s3:ListBucket", "s3:GetObject"]
ALL = [*READ, "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:AbortMultipartUpload"]
#: Aspera marks what it uploads.
MARK = {"aspera.transfer": "true"}


def serve(folder: Path) -> None:
    """Run the gateway until the process ends."""
    # Its sockets need a short path, and what is there ends with the hosts, even if nothing ends this in order.
    with (
        tempfile.TemporaryDirectory(dir="/run/aspera-sse-hosts") as name,
        running_ceph(Path(name), "10.77.0.1", "10.77.0.0/24") as gateway,
    ):
        gateway.client().create_bucket(Bucket=BUCKET)
        there_is = {"url": gateway.url, "users": gateway.users, "authority": str(gateway.authority.folder), "key": KEY}
        there_is["ca"] = gateway.authority.authority.read_text(encoding="ascii")
        made = folder / "gateway.json.new"
        made.write_text(json.dumps(there_is), encoding="utf-8")
        made.rename(folder / "gateway.json")
        signal.pause()


def main() -> None:
    """Do what the command says."""
    folder, command, *arguments = sys.argv[1:]
    if command == "serve":
        serve(Path(folder))
    there_is = json.loads((Path(folder) / "gateway.json").read_text(encoding="utf-8"))
    users = {name: tuple(keys) for name, keys in there_is["users"].items()}
    gateway = Gateway(there_is["url"], Authority(Path(there_is["authority"]), ""), users)
    s3 = gateway.client()
    if command == "policy":
        actions = {"read": READ, "all": ALL}[arguments[0]]
        everything = [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
        gateway.let_in(BUCKET, {"Effect": "Allow", "Action": actions, "Resource": everything})
    elif command == "upload":
        key, how = arguments
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": KEY} if how == "encrypted" else {}
        # Its owner is the one who may look at it, so the owner of the bucket uploads for the server.
        gateway.client().put_object(Bucket=BUCKET, Key=key, Body=b"x", Metadata=MARK, **encryption)
    else:
        s3.delete_object(Bucket=BUCKET, Key=arguments[0])


main()
