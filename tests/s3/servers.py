"""Servers on loopback beside that of S3: the metadata service, a proxy, and one with a bad certificate."""

from __future__ import annotations

import contextlib
import http.server
import json
import secrets
import socket
import socketserver
import ssl
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authority import Authority

TOKEN = "X-aws-ec2-metadata-token"  # noqa: S105
ROLE = "/latest/meta-data/iam/security-credentials/"
#: The longest life of a token, in seconds.
LONGEST_LIFE = 21_600


@contextlib.contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[str]:
    """Serve in a thread; give the address."""
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        host, port = server.server_address[:2]
        yield f"{host}:{port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Metadata(http.server.ThreadingHTTPServer):
    """Version 2 of the metadata service alone, as an instance has it that demands tokens."""

    daemon_threads = True

    def __init__(self, credentials: tuple[str, ...] | None, region: str = "us-east-1") -> None:
        """Give these credentials to the role, or have no role."""
        super().__init__(("127.0.0.1", 0), MetadataHandler)
        self.tokens: dict[str, float] = {}
        self.asked: list[str] = []
        self.answers = {"/latest/meta-data/placement/region": region}
        if credentials:
            names = ("AccessKeyId", "SecretAccessKey", "Token")
            found = dict(zip(names, credentials, strict=False))
            self.answers |= {ROLE: "aspera", f"{ROLE}aspera": json.dumps({"Code": "Success", **found})}


class MetadataHandler(http.server.BaseHTTPRequestHandler):
    """Answers a request for metadata."""

    server: Metadata

    def do_PUT(self) -> None:
        """Give a token."""
        life = self.headers.get(f"{TOKEN}-ttl-seconds") or ""
        is_asked_for = self.path == "/latest/api/token" and life.isdigit() and 1 <= int(life) <= LONGEST_LIFE
        if not is_asked_for or "X-Forwarded-For" in self.headers:
            return self.answer(400)
        token = secrets.token_urlsafe(32)
        self.server.tokens[token] = time.monotonic() + int(life)
        return self.answer(200, token)

    def do_GET(self) -> None:
        """Answer to those with a token."""
        self.server.asked.append(self.path)
        if self.server.tokens.get(self.headers.get(TOKEN, ""), 0) < time.monotonic():
            return self.answer(401)
        found = self.server.answers.get(self.path)
        return self.answer(404) if found is None else self.answer(200, found)

    def answer(self, status: int, body: str = "") -> None:
        """Send an answer."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Write nothing."""


class Proxy(socketserver.ThreadingTCPServer):
    """A proxy that makes tunnels, or shows a login page to everybody."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, *, is_open: bool = True) -> None:
        """Let everybody through, or nobody."""
        super().__init__(("127.0.0.1", 0), ProxyHandler)
        self.is_open = is_open
        #: What was asked for, with the lines about authorization.
        self.asked: list[tuple[str, list[str]]] = []


class ProxyHandler(socketserver.StreamRequestHandler):
    """Answers a request for a tunnel."""

    server: Proxy

    def handle(self) -> None:
        """Make a tunnel."""
        method, target, *_ = self.rfile.readline().decode().split()
        lines = list(iter(lambda: self.rfile.readline().decode().strip(), ""))
        self.server.asked.append((f"{method} {target}", [line for line in lines if "authorization" in line.lower()]))
        if method != "CONNECT" or not self.server.is_open:
            page = b"<html>Log in</html>"
            head = f"HTTP/1.1 407 Login\r\nContent-Type: text/html\r\nContent-Length: {len(page)}\r\n\r\n"
            self.wfile.write(head.encode() + page)
            return
        host, _, port = target.rpartition(":")
        with socket.create_connection((host, int(port))) as there:
            self.wfile.write(b"HTTP/1.1 200 Here\r\n\r\n")
            back = threading.Thread(target=pump, args=(there, self.request), daemon=True)
            back.start()
            pump(self.request, there)
            back.join()


def pump(source: socket.socket, target: socket.socket) -> None:
    """Carry all bytes from one socket to another."""
    with contextlib.suppress(OSError):
        while piece := source.recv(65_536):
            target.sendall(piece)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def tls_server(authority: Authority) -> http.server.ThreadingHTTPServer:
    """Return a server with a certificate."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), MetadataHandler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate, authority.key)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    return server
