# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The api-versions of the instance metadata, and the version that introduced each field."""

from __future__ import annotations

# Oldest first: the order in which the service itself lists them.
VERSIONS: tuple[str, ...] = (
    "2017-03-01",
    "2017-04-02",
    "2017-08-01",
    "2017-10-01",
    "2017-12-01",
    "2018-02-01",
    "2018-04-02",
    "2018-10-01",
    "2019-02-01",
    "2019-03-11",
    "2019-04-30",
    "2019-06-01",
    "2019-06-04",
    "2019-08-01",
    "2019-08-15",
    "2019-11-01",
    "2020-06-01",
    "2020-07-15",
    "2020-09-01",
    "2020-10-01",
    "2020-12-01",
    "2021-01-01",
    "2021-02-01",
    "2021-03-01",
    "2021-05-01",
    "2021-08-01",
    "2021-10-01",
    "2021-11-01",
    "2021-11-15",
    "2021-12-13",
    "2023-07-01",
    "2023-11-15",
    "2024-03-15",
    "2024-07-17",
    "2025-04-07",
)
NEWEST: tuple[str, ...] = tuple(reversed(VERSIONS[-3:]))

EXTENDED_SINCE = "2021-03-01"
LOADBALANCER_SINCE = "2020-10-01"
IDENTITY_SINCE = "2018-02-01"

# Path of a field in the instance document ("*": any element of an array) -> the version that introduced it.
# A field that is not listed is of the first field set, or the user's own: always there. (2017-03-01 is older than the
# first documented field set, that of 2017-04-02; nobody recorded what it shows.)
INTRODUCED: dict[str, str] = {
    "compute.additionalCapabilities": "2021-11-01",
    "compute.azEnvironment": "2018-10-01",
    "compute.customData": "2019-02-01",
    "compute.evictionPolicy": "2020-12-01",
    "compute.extendedLocation": "2021-03-01",
    "compute.host": "2021-11-15",
    "compute.hostGroup": "2021-11-15",
    "compute.isHostCompatibilityLayerVm": "2020-06-01",
    "compute.isVmInStandbyPool": "2023-11-15",  # undocumented: the oldest version it was seen with
    "compute.licenseType": "2020-09-01",
    "compute.osProfile": "2020-07-15",
    "compute.osProfile.disablePasswordAuthentication": "2020-10-01",
    "compute.physicalZone": "2023-11-15",
    "compute.placementGroupId": "2017-08-01",
    "compute.plan": "2018-04-02",
    "compute.platformSubFaultDomain": "2021-10-01",
    "compute.priority": "2020-12-01",
    "compute.provider": "2018-10-01",
    "compute.publicKeys": "2018-04-02",
    "compute.resourceGroupName": "2017-08-01",
    "compute.resourceId": "2019-03-11",
    "compute.securityProfile": "2020-06-01",
    "compute.securityProfile.encryptionAtHost": "2021-11-01",
    "compute.securityProfile.securityType": "2021-12-13",
    "compute.storageProfile": "2019-06-01",
    "compute.storageProfile.dataDisks.*.bytesPerSecondThrottle": "2021-05-01",
    "compute.storageProfile.dataDisks.*.diskCapacityBytes": "2021-05-01",
    "compute.storageProfile.dataDisks.*.encryptionSettings.diskEncryptionKey": "2021-11-01",
    "compute.storageProfile.dataDisks.*.encryptionSettings.keyEncryptionKey": "2021-11-01",
    "compute.storageProfile.dataDisks.*.isSharedDisk": "2021-05-01",
    "compute.storageProfile.dataDisks.*.isUltraDisk": "2021-05-01",
    "compute.storageProfile.dataDisks.*.opsPerSecondThrottle": "2021-05-01",
    "compute.storageProfile.imageReference.communityGalleryImageId": "2023-07-01",
    "compute.storageProfile.imageReference.exactVersion": "2023-07-01",
    "compute.storageProfile.imageReference.sharedGalleryImageId": "2023-07-01",
    "compute.storageProfile.osDisk.encryptionSettings.diskEncryptionKey": "2021-11-01",
    "compute.storageProfile.osDisk.encryptionSettings.keyEncryptionKey": "2021-11-01",
    "compute.storageProfile.resourceDisk": "2021-02-01",
    "compute.subscriptionId": "2017-08-01",
    "compute.tags": "2017-08-01",
    "compute.tagsList": "2019-06-04",
    "compute.userData": "2021-01-01",
    "compute.virtualMachineScaleSet": "2021-03-01",
    "compute.vmScaleSetName": "2017-12-01",
    "compute.zone": "2017-12-01",
}
