"""Writes what the binaries of a built collection are made of, as CycloneDX: sbom.py VERSION DATE COLLECTION FILE.

The packages are those that cargo links into the modules for Linux, without what only builds or tests them. The same
commit gives the same file.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import subprocess
import sys
import uuid
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

PROJECT = Path(__file__).resolve().parents[1]
TARGETS = ("x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl")
SCHEMA = SchemaVersion.V1_6


def main(version: str, date: str, collection: Path, file: Path) -> None:
    """Write the file, which follows the schema."""
    sha256 = hashlib.sha256(collection.read_bytes()).hexdigest()
    whole = Component(
        name="aspera_ops.sse",
        version=version,
        type=ComponentType.APPLICATION,
        bom_ref="aspera_ops.sse",
        licenses=[LicenseFactory().make_from_string("GPL-3.0-or-later")],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=sha256)],
    )
    packages: dict[str, dict] = {}
    needs: dict[str, set[str]] = {}
    for target in TARGETS:
        linked(target, packages, needs)
    components = {name: component_of(package) for name, package in packages.items()}
    bom = Bom(
        components=components.values(),
        serial_number=uuid.uuid5(uuid.NAMESPACE_OID, sha256),
        metadata=BomMetaData(component=whole, timestamp=datetime.datetime.fromisoformat(f"{date}T00:00:00+00:00")),
    )
    for name, needed in needs.items():
        bom.register_dependency(components.get(name, whole), [components[one] for one in sorted(needed)])
    text = make_outputter(bom, OutputFormat.JSON, SCHEMA).output_as_string(indent=1)
    if wrong := JsonStrictValidator(SCHEMA).validate_str(text):
        sys.exit(f"The list of packages does not follow the schema of CycloneDX: {wrong}")
    file.write_text(text + "\n", encoding="utf-8")


def linked(target: str, packages: dict[str, dict], needs: dict[str, set[str]]) -> None:
    """Add the packages that the modules for one target are linked with, and which of them need which."""
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", target]
    read = subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.PIPE, encoding="utf-8")
    metadata = json.loads(read.stdout)
    by_id = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    root = metadata["resolve"]["root"]
    waiting, seen = [root], {root}
    while waiting:
        one = waiting.pop()
        needed = {
            dependency["pkg"]
            for dependency in nodes[one]["deps"]
            if any(kind["kind"] is None for kind in dependency["dep_kinds"]) and not is_macro(by_id[dependency["pkg"]])
        }
        needs.setdefault(one, set()).update(needed)
        packages.update({name: by_id[name] for name in needed})
        waiting += needed - seen
        seen |= needed


def is_macro(package: dict) -> bool:
    """Say whether a package runs in the compiler alone."""
    return any("proc-macro" in target["kind"] for target in package["targets"])


def component_of(package: dict) -> Component:
    """Describe a package."""
    return Component(
        name=package["name"],
        version=package["version"],
        bom_ref=f"{package['name']}@{package['version']}",
        purl=PackageURL("cargo", name=package["name"], version=package["version"]),
        licenses=[LicenseFactory().make_from_string(package["license"])] if package["license"] else [],
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
