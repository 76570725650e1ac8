# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The api-versions of the instance metadata, and the version that introduced each field."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

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
ATTESTED_SINCE = "2018-10-01"
LOADBALANCER_SINCE = "2020-10-01"
IDENTITY_SINCE = "2018-02-01"

# What each version brought, as the profile that the others extend shows it.
LAYERS: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "profiles" / "linux.json").read_text(encoding="utf-8")
)["introduced"]


def _first_seen() -> dict[str, str]:
    """Path of each field that is not of the first layer -> the version that brought it; its parts came with it."""
    seen: dict[str, str] = {}

    def compare(known: dict[str, Any], added: dict[str, Any], version: str, path: str) -> None:
        for key, value in added.items():
            if key not in known:
                seen[path + key] = version
                known[key] = value
            elif isinstance(value, dict):
                compare(known[key], value, version, f"{path}{key}.")

    first, *others = sorted(LAYERS)
    document = copy.deepcopy(LAYERS[first])
    for version in others:
        compare(document, copy.deepcopy(LAYERS[version]), version, "")
    return seen


# Path of a field in the instance document ("*": any element of an array) -> the version that introduced it.
# A field that is not listed is of the first field set, or the user's own: always there. (2017-03-01 is older than the
# first documented field set, that of 2017-04-02; nobody recorded what it shows.)
INTRODUCED: dict[str, str] = {
    **_first_seen(),
    "compute.storageProfile.dataDisks.*.bytesPerSecondThrottle": "2021-05-01",
    "compute.storageProfile.dataDisks.*.diskCapacityBytes": "2021-05-01",
    "compute.storageProfile.dataDisks.*.encryptionSettings.diskEncryptionKey": "2021-11-01",
    "compute.storageProfile.dataDisks.*.encryptionSettings.keyEncryptionKey": "2021-11-01",
    "compute.storageProfile.dataDisks.*.isSharedDisk": "2021-05-01",
    "compute.storageProfile.dataDisks.*.isUltraDisk": "2021-05-01",
    "compute.storageProfile.dataDisks.*.opsPerSecondThrottle": "2021-05-01",
    "compute.tags": "2017-08-01",  # made of tagsList
}

# The same for the fields of the attested document.
ATTESTED: dict[str, str] = {
    "licenseType": "2020-09-01",
    "nonce": "2018-10-01",
    "plan": "2018-10-01",
    "sku": "2019-11-01",
    "subscriptionId": "2019-04-30",
    "timeStamp": "2018-10-01",
    "vmId": "2018-10-01",
}
