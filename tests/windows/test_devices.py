# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Disks and adapters of Windows hosts: both cores make the same of the same rows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._imds import facts, fields, gather
from ansible_collections.imds.azure.plugins.plugin_utils._windows_guest import Adapter, WindowsGuest
from ansible_collections.imds.azure.tests.scenarios.windows_disks import (
    FILTER,
    HOSTS,
    MANA,
    MLX5,
    NETVSC,
    SWITCH,
    rows,
)
from ansible_collections.imds.azure.tests.windows.core import Core

MAC = "00:0d:3a:00:00:01"
ODD: list[Any] = [None, "", 7, 1.5, True, [], {}, -1, "-1", "a:b", "Local", 10**30, "0x1", " \t"]

ODD_HOSTS = ["generation 1, data disks on adapter 0 too", "generation 2", "NVMe", "NVMe, remote and local"]


def both(
    core: Core, listed: Any, given: Any, device: str = "Ethernet", disks_known: bool = True
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the facts below storage, the NIC), after a look that both cores find the same."""
    document = {"compute": {"storageProfile": listed if disks_known else {**listed, "dataDisks": None}}}
    guest = WindowsGuest([Adapter(device, MAC, True, ["10.0.0.4"])], None, json.loads(json.dumps(given)))
    storage: dict[str, Any] = facts.build(document)[0]["storage"]
    meta, warnings = gather._add_disks(storage, document, guest)
    nic = guest.nics()[MAC]
    interface = {"name": device, "mac": MAC, "up": True, "addresses": ["10.0.0.4"]}
    found = core("devices", document=document, rows=given, interfaces=[interface], listed=disks_known)
    found["nics"][MAC] = {**dict.fromkeys(fields.NIC), **found["nics"][MAC]}
    assert found == {"storage": storage, "meta": meta, "nics": {MAC: nic}, "warnings": warnings}
    return storage, nic


@pytest.mark.parametrize("name", HOSTS)
def test_both_cores_find_each_disk(core: Core, name: str) -> None:
    host = HOSTS[name]
    storage, _nic = both(core, host.listed, rows(host))
    assert [(one["code"], one["lun"]) for one in storage["contradictions"]] == host.contradictions
    both(core, host.listed, rows(host), disks_known=False)


@pytest.mark.parametrize("name", ODD_HOSTS)
def test_both_cores_make_the_same_of_odd_rows(core: Core, name: str) -> None:
    host = HOSTS[name]
    for place in range(2):
        for key in host.disks[place]:
            for value in ODD:
                odd = [*host.disks]
                odd[place] = {**odd[place], key: value}
                both(core, host.listed, rows(host._replace(disks=odd)))
    for value in ODD:
        both(core, host.listed, {"disks": value, "partitions": value, "adapters": value})
        partitions = [{"DiskNumber": value, "DriveLetter": "X"}, {"DiskNumber": 1, "DriveLetter": value}, value]
        both(core, host.listed, {"disks": [*host.disks, value], "partitions": partitions})


@pytest.mark.parametrize("size", [None, "", "31", "32", 32, True, "many", "-1"])
@pytest.mark.parametrize("lun", ["0", 0, None, "", "x", True])
def test_both_cores_make_the_same_of_odd_lists(core: Core, lun: Any, size: Any) -> None:
    entry = {"lun": lun, "diskSizeGB": size}
    for entries in ([entry], [entry, entry]):
        for name in ("generation 2", "NVMe, many disks, decimal"):
            host = HOSTS[name]
            both(core, {**host.listed, "dataDisks": entries}, rows(host))


@pytest.mark.parametrize(
    "given",
    [
        [NETVSC, MLX5, FILTER],
        [FILTER, MANA, NETVSC],
        [NETVSC, {**MLX5, "InterfaceOperationalStatus": 2}, MANA],
        [NETVSC, MLX5, MANA],
        [MANA],
        [SWITCH, NETVSC, MLX5],
        ["no row", None, {}],
        "Access denied",
        *([{**NETVSC, key: value}, {**MLX5, key: value}] for key in NETVSC for value in ODD),
    ],
)
@pytest.mark.parametrize("device", ["Ethernet", MANA["Name"], SWITCH["Name"]])
def test_both_cores_find_the_adapters(core: Core, given: Any, device: str) -> None:
    both(core, {}, {"adapters": given}, device)


def test_a_virtual_function(core: Core) -> None:
    _storage, nic = both(core, {}, {"adapters": [NETVSC, MLX5]})
    assert nic == dict(zip(fields.NIC, ("Ethernet", "netvsc", True, "Ethernet 3", "mlx5")))
