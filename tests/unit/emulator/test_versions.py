# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every api-version shows exactly its own fields. The table is written from the documentation, not from the code."""

from __future__ import annotations

from typing import Any

import pytest

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
# Version -> leaves of the instance document that it introduced ("*": any element of an array).
INTRODUCED = {
    "2017-03-01": "",
    "2017-04-02": """
        compute.location compute.name compute.offer compute.osType compute.platformFaultDomain
        compute.platformUpdateDomain compute.publisher compute.sku compute.version compute.vmId compute.vmSize
        network.interface.*.ipv4.ipAddress.*.privateIpAddress network.interface.*.ipv4.ipAddress.*.publicIpAddress
        network.interface.*.ipv4.subnet.*.address network.interface.*.ipv4.subnet.*.prefix
        network.interface.*.ipv6.ipAddress network.interface.*.macAddress""",
    "2017-08-01": "compute.placementGroupId compute.resourceGroupName compute.subscriptionId compute.tags",
    "2017-10-01": "",
    "2017-12-01": "compute.vmScaleSetName compute.zone",
    "2018-02-01": "",
    "2018-04-02": """compute.plan.name compute.plan.product compute.plan.publisher
        compute.publicKeys.*.keyData compute.publicKeys.*.path""",
    "2018-10-01": "compute.azEnvironment compute.provider",
    "2019-02-01": "compute.customData",
    "2019-03-11": "compute.resourceId",
    "2019-04-30": "",
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
    "2019-08-01": "",
    "2019-08-15": "",
    "2019-11-01": "",
    "2020-06-01": """compute.isHostCompatibilityLayerVm compute.securityProfile.secureBootEnabled
        compute.securityProfile.virtualTpmEnabled""",
    "2020-07-15": "compute.osProfile.adminUsername compute.osProfile.computerName",
    "2020-09-01": "compute.licenseType",
    "2020-10-01": "compute.osProfile.disablePasswordAuthentication",
    "2020-12-01": "compute.evictionPolicy compute.priority",
    "2021-01-01": "compute.userData",
    "2021-02-01": "compute.storageProfile.resourceDisk.size",
    "2021-03-01": "compute.extendedLocation.type compute.extendedLocation.name compute.virtualMachineScaleSet.id",
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
    "2021-08-01": "",
    "2021-10-01": "compute.platformSubFaultDomain",
    "2021-11-01": " ".join(
        ["compute.additionalCapabilities.hibernationEnabled", "compute.securityProfile.encryptionAtHost"]
        + [f"compute.storageProfile.osDisk.encryptionSettings.{key}" for key in DISK_KEYS]
    ),
    "2021-11-15": "compute.host.id compute.hostGroup.id",
    "2021-12-13": "compute.securityProfile.securityType",
    "2023-07-01": " ".join(
        f"compute.storageProfile.imageReference.{name}"
        for name in ("communityGalleryImageId", "sharedGalleryImageId", "exactVersion")
    ),
    "2023-11-15": "compute.physicalZone compute.isVmInStandbyPool",
    "2024-03-15": "",
    "2024-07-17": "",
    "2025-04-07": "",
}


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
    return set(" ".join(fields for since, fields in INTRODUCED.items() if since <= until).split())


def test_there_are_35_versions(imds: Any) -> None:
    assert len(INTRODUCED) == 35
    assert imds.get("/metadata/versions").json() == {"apiVersions": sorted(INTRODUCED)}


@pytest.mark.parametrize("version", INTRODUCED)
def test_fields(imds: Any, version: str) -> None:
    assert leaves(imds.instance(version=version).json()) == expected(version)


def test_the_oldest_real_sample_has_eleven_keys(imds: Any) -> None:
    assert len(imds.instance(version="2017-04-02").json()["compute"]) == 11


@pytest.mark.parametrize("version", ["2017-12-01", "2018-02-01"])
def test_keys_of_a_real_sample(imds: Any, version: str) -> None:
    added = {"placementGroupId", "resourceGroupName", "subscriptionId", "tags", "vmScaleSetName", "zone"}
    old = set(imds.instance(version="2017-04-02").json()["compute"])
    assert set(imds.instance(version=version).json()["compute"]) == old | added


@pytest.mark.parametrize("version", INTRODUCED)
def test_extended_has_real_booleans_and_starts_in_2021(imds: Any, version: str) -> None:
    document = imds.instance(version=version, more="&extended=true").json()
    if version < "2021-03-01":
        assert "extended" not in document
    else:
        assert document.pop("extended") == {"compute": {"hasCustomData": False, "ppsType": "None"}}
    assert document == imds.instance(version=version).json()


@pytest.mark.parametrize("version", INTRODUCED)
def test_a_field_is_no_route_before_its_version(imds: Any, version: str) -> None:
    known = "compute.userData" in expected(version)
    assert imds.instance("/compute/userData", version, "&format=text").status == (200 if known else 404)


@pytest.mark.parametrize("version", INTRODUCED)
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
    imds = start([{"name": "a", "overrides": {"compute": {"systemFaultDomain": "7"}}}])
    for version in ("2017-04-02", "2025-04-07"):
        assert imds.instance(version=version).json()["compute"]["systemFaultDomain"] == "7"
