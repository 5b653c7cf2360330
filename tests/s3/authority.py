"""A certificate authority of our own, and a certificate of it for loopback."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Authority:
    """The files."""

    folder: Path
    name: str

    @property
    def authority(self) -> Path:
        """The certificate of the authority."""
        return self.folder / "ca.pem"

    @property
    def certificate(self) -> Path:
        """The certificate of the server."""
        return self.folder / "server.pem"

    @property
    def key(self) -> Path:
        """The private key of the server."""
        return self.folder / "server.key"


def make_authority(folder: Path, name: str, *, days: int = 1, address: str = "127.0.0.1") -> Authority:
    """Make an authority, and a certificate that is good for some days, or was until some days ago."""
    made = Authority(folder, name)
    now = datetime.datetime.now(datetime.timezone.utc)
    own_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    begin = now - datetime.timedelta(days=10)

    def builder(subject: x509.Name, key: ec.EllipticCurvePrivateKey, end: datetime.datetime) -> x509.CertificateBuilder:
        start = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
        start = start.serial_number(x509.random_serial_number())
        return start.not_valid_before(begin).not_valid_after(end)

    authority = builder(issuer, own_key, now + datetime.timedelta(days=1))
    authority = authority.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "s3.test")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(address))]
    server = builder(subject, server_key, now + datetime.timedelta(days=days))
    server = server.add_extension(x509.SubjectAlternativeName(names), critical=False)
    write = {
        made.authority: authority.sign(own_key, hashes.SHA256()),
        made.certificate: server.sign(own_key, hashes.SHA256()),
    }
    for path, certificate in write.items():
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    made.key.write_bytes(server_key.private_bytes(*plain))
    return made
