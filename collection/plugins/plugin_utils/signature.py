# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures of the sums in a folder of evidence, by `ssh-keygen -Y`."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

#: A signature that was made for another purpose does not count.
NAMESPACE = "aspera-sse-evidence"
SECONDS_AT_MOST = 60
FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")


class SignatureError(Exception):
    """A signature is missing, wrong, or cannot be made. The text says why."""


@dataclass(frozen=True)
class SigningKey:
    """A private key without a passphrase, or a public key whose private key the agent has."""

    path: Path

    def sign(self, content: bytes) -> bytes:
        """Sign a text."""
        finished = _ssh_keygen("-Y", "sign", "-n", NAMESPACE, "-f", str(self.path), content=content)
        if finished.returncode != 0 or not finished.stdout.startswith(b"-----BEGIN SSH SIGNATURE-----"):
            raise SignatureError(
                f"ssh-keygen could not sign with {self.path}{_said(finished)}. Name a private key without a "
                "passphrase, or a public key whose private key the agent has"
            )
        return finished.stdout

    def check_own(self, content: bytes, signature: bytes) -> None:
        """Raise an error unless this key has signed a text."""
        if not signature:
            raise SignatureError("there is no signature")
        finished = _with_signature(signature, "-Y", "check-novalidate", "-n", NAMESPACE, content=content)
        signed_with = FINGERPRINT.search(finished.stdout.decode("utf-8", "replace"))
        if finished.returncode != 0 or not signed_with:
            raise SignatureError("the signature is wrong")
        own = _ssh_keygen("-l", "-f", str(self.path)).stdout.decode("utf-8", "replace")
        if signed_with[0] not in FINGERPRINT.findall(own):
            raise SignatureError("it is signed with another key")


def check_signature(content: bytes, signature: bytes, allowed_signers: Path) -> str:
    """Return who signed a text. Raise an error unless a file of allowed signers names the signer."""
    if not signature:
        raise SignatureError("there is no signature")
    allowed = ("-f", str(allowed_signers))
    found = _with_signature(signature, "-Y", "find-principals", *allowed, content=content)
    principals = found.stdout.decode("utf-8", "replace").splitlines()
    if found.returncode != 0 or not principals:
        raise SignatureError(f"{allowed_signers} names nobody who signed it{_said(found)}")
    for principal in principals:
        identity = ("-I", principal, "-n", NAMESPACE)
        if _with_signature(signature, "-Y", "verify", *allowed, *identity, content=content).returncode == 0:
            return principal
    raise SignatureError("the signature is wrong: what was signed has changed since")


def _with_signature(signature: bytes, *arguments: str, content: bytes) -> subprocess.CompletedProcess[bytes]:
    with tempfile.NamedTemporaryFile(prefix="aspera_sse_") as file:
        file.write(signature)
        file.flush()
        return _ssh_keygen(*arguments, "-s", file.name, content=content)


def _ssh_keygen(*arguments: str, content: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    # It must not wait for a passphrase.
    environment = {**os.environ, "LC_ALL": "C", "SSH_ASKPASS": "/bin/false", "SSH_ASKPASS_REQUIRE": "force"}
    command = ("ssh-keygen", *arguments)
    try:
        return subprocess.run(
            command,
            input=content,
            capture_output=True,
            check=False,
            timeout=SECONDS_AT_MOST,
            env=environment,
            start_new_session=True,
        )
    except FileNotFoundError:
        raise SignatureError("ssh-keygen is missing on the controller; install the OpenSSH client") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SignatureError("ssh-keygen could not be run, or did not end within a minute") from error


def _said(finished: subprocess.CompletedProcess[bytes]) -> str:
    lines = finished.stderr.decode("utf-8", "replace").strip().splitlines()
    return f" ({lines[-1]})" if lines else ""
