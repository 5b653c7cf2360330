"""Aspera roots in a sandbox, each at the start of a case."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controllers import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"

#: A setting that nobody asked to see, beside the one that is edited.
FOREIGN_VALUE = "DUMMY-VALUE-NOT-TO-BE-SHOWN"
FOREIGN_LINE = f"s3service.dummy-credential={FOREIGN_VALUE}\n"

ENCRYPTION_TEMPLATE = "# server-side-encryption=NONE\n"
KEY_TEMPLATE = "# server-side-encryption-aws-kms-key-id\n"


def shipped_properties() -> str:
    """Return the properties as the sandbox ships them, with a foreign setting on both sides of ours."""
    text = (PROJECT / "examples/sandbox/etc/trapd/s3.properties").read_text(encoding="utf-8")
    assert ENCRYPTION_TEMPLATE in text
    assert KEY_TEMPLATE in text
    return text.replace(ENCRYPTION_TEMPLATE, FOREIGN_LINE + ENCRYPTION_TEMPLATE + FOREIGN_LINE)


@dataclass
class AsperaRoot:
    """One Aspera root, as a server's /opt/aspera."""

    folder: Path
    #: The bytes of s3.properties before anything ran; None for no file.
    before: bytes | None = field(default=None)

    @property
    def properties(self) -> Path:
        """The file that the module edits."""
        return self.folder / "etc/trapd/s3.properties"

    @property
    def conf(self) -> Path:
        """The file with the docroots."""
        return self.folder / "etc/aspera.conf"

    def write_conf(self, content: bytes | None) -> None:
        """Give it the docroots of a case; None for no file. Only its owner may read it, as it holds credentials."""
        self.conf.unlink()
        if content is not None:
            self.conf.write_bytes(content)
            self.conf.chmod(0o600)

    @classmethod
    def lay_out(cls, folder: Path, properties: str | None, ascp_version: str | None = "4.4.5.1646") -> AsperaRoot:
        """Copy the sandbox and give it the properties and the version of a case."""
        shutil.copytree(PROJECT / "examples/sandbox", folder)
        root = cls(folder)
        ascp = folder / "bin/ascp"
        if ascp_version is None:
            ascp.unlink()
        else:
            ascp.write_text(ascp.read_text(encoding="utf-8").replace("4.4.5.1646", ascp_version), encoding="utf-8")
        if properties is None:
            root.properties.unlink()
        else:
            root.before = properties.encode("iso-8859-1")
            root.properties.write_bytes(root.before)
            # As a file with credentials is kept: only its owner may read it.
            root.properties.chmod(0o600)
        return root
