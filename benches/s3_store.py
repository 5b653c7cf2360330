"""A store on loopback for the benchmark of objects, with TLS: s3_store.py CERTIFICATE KEY KEYS.

It prints its port, and ends with its standard input. It answers a listing of so many keys, and HEAD of any of them, as
S3 does, and does nothing else, so that its own time hardly counts.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from urllib.parse import parse_qs, urlsplit

KMS_KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
DATE = "Date: Thu, 20 Nov 2025 12:00:00 GMT"
OBJECT = (
    f'HTTP/1.1 200 OK\r\n{DATE}\r\nContent-Length: 1\r\nETag: "0"\r\nLast-Modified: Thu, 20 Nov 2025 10:00:00 GMT\r\n'
    f"x-amz-server-side-encryption: aws:kms\r\nx-amz-server-side-encryption-aws-kms-key-id: {KMS_KEY}\r\n\r\n"
).encode()
PAGE = 1000


def page(keys: int, query: dict[str, list[str]]) -> bytes:
    """Give a page of the listing."""
    start = int(query.get("continuation-token", ["0"])[0])
    end = min(keys, start + min(PAGE, int(query.get("max-keys", [PAGE])[0])))
    owner = "<ETag>&quot;0&quot;</ETag><Size>1</Size><StorageClass>STANDARD</StorageClass>"
    found = "".join(
        f"<Contents><Key>in/2025/11/{number:08}.mxf</Key><LastModified>2025-11-20T10:00:00.000Z</LastModified>{owner}"
        "</Contents>"
        for number in range(start, end)
    )
    more = f"<NextContinuationToken>{end}</NextContinuationToken>" if end < keys else ""
    body = (
        '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>media</Name><Prefix>in/</Prefix><KeyCount>{end - start}</KeyCount><MaxKeys>{PAGE}</MaxKeys>"
        f"<IsTruncated>{str(bool(more)).lower()}</IsTruncated>{more}{found}</ListBucketResult>"
    ).encode()
    head = f"HTTP/1.1 200 OK\r\n{DATE}\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def main() -> None:
    """Serve."""
    certificate, key, keys = sys.argv[1:]
    denied = b"<Error><Code>AccessDenied</Code></Error>"
    refusal = f"HTTP/1.1 403 Forbidden\r\n{DATE}\r\nContent-Length: {len(denied)}\r\n\r\n".encode() + denied

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                method, target, _ = head.split(b" ", 2)
                query = parse_qs(urlsplit(target.decode()).query, keep_blank_values=True)
                if method == b"HEAD":
                    writer.write(OBJECT)
                elif "list-type" in query:
                    writer.write(page(int(keys), query))
                else:
                    writer.write(refusal)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()

    async def serve() -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)

    asyncio.run(serve())


main()
