# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every api-version shows exactly its own fields.

Simple fields are compared with the table of facts, which knows nothing of the emulator; the others are listed here,
from the documentation.
"""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._imds import fields
from ansible_collections.imds.azure.plugins.module_utils._imds.versions import INSTANCE as VERSIONS

DISK_KEYS = (
    "diskEncryptionKey.secretUrl",
    "diskEncryptionKey.sourceVault.id",
    "keyEncryptionKey.keyUrl",
    "keyEncryptionKey.sourceVault.id",
)
DISK_FIELDS = (
    "caching",
    "createOption",
    "diskSizeGB",
    "image.uri",
    "managedDisk.id",
    "managedDisk.storageAccountType",
    "name",
    "vhd.uri",
    "writeAcceleratorEnabled",
)
# The kinds of facts whose source is one leaf.
SIMPLE = {"blob", "boolean", "environment", "integer", "location", "string"}
# Version -> other leaves of the instance document that it introduced ("*": any element of an array).
OTHERS = {
    "2017-04-02": """
        network.interface.*.ipv4.ipAddress.*.privateIpAddress network.interface.*.ipv4.ipAddress.*.publicIpAddress
        network.interface.*.ipv4.subnet.*.address network.interface.*.ipv4.subnet.*.prefix
        network.interface.*.ipv6.ipAddress network.interface.*.macAddress""",
    "2017-08-01": "compute.tags",
    "2018-04-02": "compute.publicKeys.*.keyData compute.publicKeys.*.path",
    "2019-06-01": " ".join(
        [f"compute.storageProfile.imageReference.{name}" for name in ("id", "offer", "publisher", "sku", "version")]
        + [f"compute.storageProfile.{disk}.{name}" for disk in ("dataDisks.*", "osDisk") for name in DISK_FIELDS]
        + [
            "compute.storageProfile.dataDisks.*.lun",
            "compute.storageProfile.osDisk.diffDiskSettings.option",
            "compute.storageProfile.osDisk.encryptionSettings.enabled",
            "compute.storageProfile.osDisk.osType",
        ]
    ),
    "2019-06-04": "compute.tagsList.*.name compute.tagsList.*.value",
    "2021-02-01": "compute.storageProfile.resourceDisk.size",
    "2021-05-01": " ".join(
        f"compute.storageProfile.dataDisks.*.{name}"
        for name in (
            "bytesPerSecondThrottle",
            "diskCapacityBytes",
            "isSharedDisk",
            "isUltraDisk",
            "opsPerSecondThrottle",
        )
    ),
    "2021-11-01": " ".join(f"compute.storageProfile.osDisk.encryptionSettings.{key}" for key in DISK_KEYS),
    "2023-07-01": " ".join(
        f"compute.storageProfile.imageReference.{name}"
        for name in ("communityGalleryImageId", "sharedGalleryImageId", "exactVersion")
    ),
}
# What nobody documents, and the oldest version that it was seen with.
UNDOCUMENTED = {"compute.isVmInStandbyPool": "2023-11-15"}


def leaves(node: Any, path: str = "") -> set[str]:
    """The paths of all leaves; an empty array counts as one."""
    if isinstance(node, dict):
        return set().union(*(leaves(value, f"{path}.{key}" if path else key) for key, value in node.items()))
    if isinstance(node, list) and node:
        return set().union(*(leaves(item, f"{path}.*") for item in node))
    return {path}


def expected(version: str) -> set[str]:
    """What a version shows. 2017-03-01 is older than the first documented field set and shows that."""
    until = max(version, "2017-04-02")
    simple = {
        field.source
        for field in fields.FIELDS
        if field.kind in SIMPLE and UNDOCUMENTED.get(field.source, field.since) <= until
    }
    return simple.union(*(leaves.split() for since, leaves in OTHERS.items() if since <= until))


@pytest.mark.parametrize("field", fields.FIELDS, ids=lambda field: str(field.fact))
def test_every_fact_is_sent(imds: Any, field: fields.Field) -> None:
    node = imds.instance().json()
    for key in field.source.split("."):
        assert key in node, f"the emulator never sends {field.source}: add it to profiles/linux.json"
        node = node[key]


def test_there_are_35_versions(imds: Any) -> None:
    assert len(VERSIONS) == 35
    assert imds.get("/metadata/versions").json() == {"apiVersions": sorted(VERSIONS)}


@pytest.mark.parametrize("version", VERSIONS)
def test_each_field_appears_with_its_version(imds: Any, version: str) -> None:
    assert leaves(imds.instance(version=version).json()) == expected(version)


def test_the_oldest_real_sample_has_eleven_keys(imds: Any) -> None:
    assert len(imds.instance(version="2017-04-02").json()["compute"]) == 11


@pytest.mark.parametrize("version", ["2017-12-01", "2018-02-01"])
def test_keys_of_a_real_sample(imds: Any, version: str) -> None:
    added = {"placementGroupId", "resourceGroupName", "subscriptionId", "tags", "vmScaleSetName", "zone"}
    old = set(imds.instance(version="2017-04-02").json()["compute"])
    assert set(imds.instance(version=version).json()["compute"]) == old | added


@pytest.mark.parametrize("version", VERSIONS)
def test_extended_has_real_booleans_and_starts_in_2021(imds: Any, version: str) -> None:
    document = imds.instance(version=version, more="&extended=true").json()
    if version < "2021-03-01":
        assert "extended" not in document
    else:
        assert document.pop("extended") == {"compute": {"hasCustomData": False, "ppsType": "None"}}
    assert document == imds.instance(version=version).json()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_field_is_no_route_before_its_version(imds: Any, version: str) -> None:
    known = "compute.userData" in expected(version)
    assert imds.instance("/compute/userData", version, "&format=text").status == (200 if known else 404)


@pytest.mark.parametrize("version", VERSIONS)
def test_all_values_are_strings(imds: Any, version: str) -> None:
    def check(node: Any) -> None:
        if isinstance(node, dict):
            for key, value in node.items():
                assert isinstance(key, str)
                check(value)
        elif isinstance(node, list):
            for item in node:
                check(item)
        else:
            assert isinstance(node, str)

    check(imds.instance(version=version).json())


def test_fields_that_a_user_adds_are_in_every_version(start: Any) -> None:
    overrides = {"compute": {"systemFaultDomain": "7"}}
    imds = start([{"name": "a", "overrides": overrides, "extra": ["compute.systemFaultDomain"]}])
    for version in ("2017-04-02", "2025-04-07"):
        assert imds.instance(version=version).json()["compute"]["systemFaultDomain"] == "7"
