# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the software bill of materials (CycloneDX) of a collection's archive, beside it.

sbom.py ARCHIVE

It lists every file with its SHA-256, and what the controller needs with the versions that are accepted. Nothing is
vendored, and hosts need nothing that pip installs, so there is nothing else to list. The same archive always gives the
same bytes.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tarfile
import uuid
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import yaml
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.requirements import Requirement

LICENSE = "GPL-3.0-or-later"
REQUIREMENTS = "meta/ee-requirements.txt"


def materials(archive: Path) -> str:
    """The bill of materials as JSON.

    :raises ValueError: where it does not conform to the schema of CycloneDX
    """
    with tarfile.open(archive) as tar:
        files, manifest = _json(tar, "FILES.json"), _json(tar, "MANIFEST.json")
        requires_ansible = yaml.safe_load(_read(tar, "meta/runtime.yml"))["requires_ansible"]
        requirements = _read(tar, REQUIREMENTS).decode().splitlines()
        built = datetime.fromtimestamp(tar.getmember("MANIFEST.json").mtime, timezone.utc)
    needed = [Requirement(line) for line in requirements if line.strip() and not line.startswith("#")]
    needed.append(Requirement(f"ansible-core{requires_ansible}"))
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    collection = _collection(manifest["collection_info"], digest)
    bom = Bom(
        serial_number=uuid.uuid5(uuid.NAMESPACE_URL, f"{collection.purl}#{digest}"),
        metadata=BomMetaData(component=collection, timestamp=built),
    )
    for component in (*_packages(needed), *_files(files)):
        bom.components.add(component)
        if component.type is not ComponentType.FILE:
            bom.register_dependency(collection, [component])
    text = JsonV1Dot6(bom).output_as_string(indent=2)
    wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if wrong:
        raise ValueError(f"not a CycloneDX document: {wrong}")
    return text


def _collection(about: dict[str, Any], digest: str) -> Component:
    name = f"{about['namespace']}.{about['name']}"
    return Component(
        name=name,
        bom_ref=name,
        type=ComponentType.LIBRARY,
        version=about["version"],
        description=about["description"],
        licenses=[LicenseExpression(LICENSE)],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
        purl=PackageURL("generic", about["namespace"], about["name"], about["version"]),
        external_references=[ExternalReference(type=ExternalReferenceType.VCS, url=XsUri(about["repository"]))],
    )


def _packages(needed: list[Requirement]) -> Iterator[Component]:
    """What has to be installed on the controller. Which version it is, the controller knows."""
    for requirement in needed:
        yield Component(
            name=requirement.name,
            bom_ref=requirement.name,
            type=ComponentType.LIBRARY,
            scope=ComponentScope.REQUIRED,
            purl=PackageURL("pypi", None, requirement.name),
            properties=[Property(name="accepted-versions", value=str(requirement.specifier) or "any")],
        )


def _files(listed: dict[str, Any]) -> Iterator[Component]:
    for entry in listed["files"]:
        if entry["ftype"] == "file":
            content = HashType(alg=HashAlgorithm.SHA_256, content=entry["chksum_sha256"])
            name = entry["name"]
            yield Component(name=name, bom_ref=f"file:{name}", type=ComponentType.FILE, hashes=[content])


def _read(tar: tarfile.TarFile, name: str) -> bytes:
    file = tar.extractfile(name)
    assert file is not None, name
    return file.read()


def _json(tar: tarfile.TarFile, name: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(_read(tar, name))
    return value


def main(archive: Path) -> None:
    target = archive.with_name(archive.name.removesuffix(".tar.gz") + ".cdx.json")
    target.write_text(materials(archive), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
