#!/usr/bin/env python3
"""A stand-in for the Node API of a transfer server: /info and /access_keys, as "IBM Aspera Node API" 4.4.6 has them.

    node_api.py [FILE]

FILE has the options in JSON, or the first line of standard input has them:

    {"version": "4.4.6.1646", "users": {"NAME": "PASSWORD"}, "keys": [...]}

It prints the address at which it listens, on loopback, and without FILE it ends with its standard input. With
"certificate" and "key" it speaks TLS. "port" is any free one if it is not given. Users are those of the Node API;
access keys with a "secret" may log in, too, and see themselves.
"""

from __future__ import annotations

import base64
import json
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

#: What answers instead of a node, by the word in "instead".
PAGES = {
    "login page": (200, "text/html", "<!DOCTYPE html><html><body>Log in</body></html>"),
    "error page": (500, "text/html", "<html><body>Internal Server Error</body></html>"),
    "another API": (200, "application/json", '{"items": []}'),
}
#: How a node returns an error.
ERRORS = {401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}
#: Before this version, storages are returned only if they are asked for.
FIRST_WITH_STORAGES = (3, 8, 0)
SECONDS_OF_SILENCE = 60


class Handler(BaseHTTPRequestHandler):
    """Answers as the node of its server."""

    protocol_version = "HTTP/1.1"
    server: Node

    def do_GET(self) -> None:
        """Answer, or do what is wanted instead."""
        instead = self.server.options.get("instead")
        if instead in PAGES:
            status, kind, page = PAGES[instead]
            self.send(status, page.encode(), kind)
        elif instead == "redirect":
            self.send(302, b"", headers={"Location": "https://login.example/"})
        elif instead == "silence":
            time.sleep(SECONDS_OF_SILENCE)
        elif isinstance(instead, int):
            self.fail(instead)
        else:
            self.answer(cuts_off=instead == "cut off")

    def answer(self, *, cuts_off: bool) -> None:
        """Answer as the node does."""
        name = self.login()
        place = urlsplit(self.path)
        if name is None:
            self.fail(401)
        elif place.path == "/info":
            self.send_json(self.server.info())
        elif place.path == "/access_keys" and self.server.may_see_keys(name):
            embedded = parse_qs(place.query).get("embed[]", [])
            self.send_json(self.server.access_keys(name, with_storages="storage" in embedded), cuts_off=cuts_off)
        else:
            self.fail(403 if place.path == "/access_keys" else 404)

    def login(self) -> str | None:
        """Return the name of the login, if its password is right."""
        kind, _, encoded = self.headers.get("Authorization", "").partition(" ")
        try:
            name, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except ValueError:
            return None
        return name if kind == "Basic" and password and self.server.passwords.get(name) == password else None

    def fail(self, status: int) -> None:
        """Send an error in the form of the API."""
        reason = ERRORS.get(status, "Error")
        self.send_json({"error": {"code": status, "reason": reason, "user_message": reason}}, status)

    def send_json(self, value: object, status: int = 200, *, cuts_off: bool = False) -> None:
        """Send a value."""
        self.send(status, json.dumps(value).encode(), "application/json", cuts_off=cuts_off)

    def send(
        self, status: int, body: bytes, kind: str = "", headers: dict | None = None, *, cuts_off: bool = False
    ) -> None:
        """Send an answer, or the first half of one."""
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cuts_off else body)
        self.close_connection = self.close_connection or cuts_off

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


class Node(ThreadingHTTPServer):
    """A node."""

    daemon_threads = True

    def __init__(self, options: dict) -> None:
        """Listen."""
        super().__init__(("127.0.0.1", options.get("port", 0)), Handler)
        self.options = options
        self.version: str = options.get("version", "4.4.6.1646")
        self.keys: list[dict] = options.get("keys", [])
        of_keys = {key["id"]: key["secret"] for key in self.keys if "secret" in key}
        self.passwords: dict[str, str] = {**options.get("users", {}), **of_keys}
        self.scheme = "http"
        if "certificate" in options:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(options["certificate"], options["key"])
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
            self.scheme = "https"

    @property
    def url(self) -> str:
        """Its address."""
        return f"{self.scheme}://localhost:{self.server_address[1]}"

    def info(self) -> dict:
        """Return what it is."""
        return {
            "application": "node",
            "version": self.version,
            "current_time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "license_max_rate": "Unlimited",
            "os": "Linux",
            "transfer_user": self.options.get("transfer_user", "xfer"),
            "docroot": "",
            "node_id": "0b8e3cc2-9c0d-4a3c-8c4e-7a4d7d1c5a11",
            "acls": ["impersonation"],
            "access_key_configuration_capabilities": {"transfer": ["cipher"], "server": ["activity_event_logging"]},
            "capabilities": [{"name": "sync", "value": "true"}],
            "settings": [{"name": "content_protection_required", "value": "false"}],
        }

    def may_see_keys(self, name: str) -> bool:
        """Tell whether a login may see access keys: a user needs key_master."""
        return name not in self.options.get("without_key_master", [])

    def access_keys(self, name: str, *, with_storages: bool) -> list[dict]:
        """Return what a login may see: a user all, an access key itself. Secrets and credentials are never returned."""
        has_storages = with_storages or tuple(map(int, self.version.split(".")[:3])) >= FIRST_WITH_STORAGES
        seen = [key for key in self.keys if name in self.options.get("users", {}) or key["id"] == name]
        most = self.options.get("max_response_entries", 1000)
        return [public(key, with_storage=has_storages) for key in seen[:most]]


def public(key: dict, *, with_storage: bool) -> dict:
    """Return an access key as a node does."""
    shown = {name: value for name, value in key.items() if name not in ("secret", "storage")}
    if with_storage and "storage" in key:
        shown["storage"] = {name: value for name, value in key["storage"].items() if name != "credentials"}
    return {"root_file_id": "1", "license": {}, "configuration": {"transfer": {}, "server": {}}, **shown}


def main() -> None:
    """Serve until standard input ends, or with a file for good."""
    is_from_file = len(sys.argv) > 1
    text = Path(sys.argv[1]).read_text(encoding="utf-8") if is_from_file else sys.stdin.readline()
    node = Node(json.loads(text))
    serving = threading.Thread(target=node.serve_forever, daemon=True)
    serving.start()
    print(node.url, flush=True)
    if is_from_file:
        serving.join()
    sys.stdin.read()


if __name__ == "__main__":
    main()
