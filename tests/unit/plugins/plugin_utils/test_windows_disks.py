# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which disk of a Windows host is which disk of Azure, and which adapter works for which."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._imds import disks, facts, fields, gather
from ansible_collections.imds.azure.plugins.plugin_utils._windows_disks import WindowsDisk
from ansible_collections.imds.azure.plugins.plugin_utils._windows_guest import Adapter, WindowsGuest
from ansible_collections.imds.azure.tests.scenarios.windows_disks import (
    FILTER,
    HOSTS,
    MANA,
    MLX5,
    NETVSC,
    SWITCH,
    WindowsHost,
    rows,
    scsi,
)


def paired(host: WindowsHost) -> tuple[dict[str, Any], dict[str, str | None]]:
    """(the facts below storage, meta.disks)."""
    document = {"compute": {"storageProfile": host.listed}}
    storage: dict[str, Any] = facts.build(document)[0]["storage"]
    unread, _warnings = gather._add_disks(storage, document, WindowsGuest([], None, rows(host)))
    return storage, unread


def number(part: dict[str, Any]) -> int | None:
    return part["device"]["number"] if part["device"] else None


def devices(storage: dict[str, Any]) -> list[dict[str, Any]]:
    parts = [storage["os_disk"], storage["resource_disk"], *storage["data_disks"], *storage["local_disks"]]
    return [part["device"] for part in parts if part["device"]]


@pytest.mark.parametrize("name", HOSTS)
def test_each_disk_is_found(name: str) -> None:
    host = HOSTS[name]
    storage, unread = paired(host)
    assert unread["reason"] == host.reason
    assert number(storage["os_disk"]) == host.os_disk
    assert {disk["lun"]: number(disk) for disk in storage["data_disks"]} == host.data_disks
    assert number(storage["resource_disk"]) == host.resource_disk
    assert [number(disk) for disk in storage["local_disks"]] == host.local_disks
    assert [(one["code"], one["lun"]) for one in storage["contradictions"]] == host.contradictions
    assert {one["number"] for one in devices(storage) if one["confidence"] == "guessed"} == host.guessed
    assert {tuple(device) for device in devices(storage)} <= {fields.WINDOWS_DEVICE}


@pytest.mark.parametrize("name", HOSTS)
def test_the_order_of_the_rows_is_nothing(name: str) -> None:
    host = HOSTS[name]
    if isinstance(host.disks, list):
        backwards = host._replace(disks=host.disks[::-1], partitions=host.partitions[::-1])
        assert paired(backwards) == paired(host)


def test_what_is_shown_of_a_disk() -> None:
    storage, _unread = paired(HOSTS["generation 2"])
    new, _second, third = storage["data_disks"]
    assert third["device"] == {
        "number": 3,
        "path": scsi(3, 1, 63)["Path"],
        "unique_id": "60022480123456781234567812340003",
        "partition_style": "GPT",
        "offline": False,
        "drive_letters": ["F", "G"],
        "confidence": "exact",
    }
    assert (new["device"]["partition_style"], new["device"]["offline"]) == ("RAW", True)
    assert storage["os_disk"]["device"]["drive_letters"] == ["C"]


def test_messages_call_a_disk_by_its_number() -> None:
    storage, _unread = paired(HOSTS["a size that contradicts"])
    (contradiction,) = storage["contradictions"]
    assert contradiction["message"].startswith("IMDS says that the disk has 32 GiB, and Disk 1 has ")
    assert contradiction["path"] == scsi(1, 1, 0)["Path"]


def test_a_message_of_the_host_does_not_control_a_terminal() -> None:
    message = paired(HOSTS["disks can't be read"])[1]["message"]
    assert message == rf"{disks.UNREADABLE['unreadable']} (Access denied\x1b)"


@pytest.mark.parametrize("value", [None, "", 7, [], {}, True, "x" * 1000, 1.5, -1, 10**30])
@pytest.mark.parametrize("name", ["NVMe", "generation 2"])
def test_any_value_of_any_property_does_no_harm(name: str, value: Any) -> None:
    host = HOSTS[name]
    for place, row in enumerate(host.disks):
        for key in row:
            odd = [*host.disks[:place], {**row, key: value}, *host.disks[place + 1 :]]
            storage, _unread = paired(host._replace(disks=odd))
            for disk in storage["data_disks"]:
                assert number(disk) in (host.data_disks[disk["lun"]], None) or key == "Number"


def test_no_rows() -> None:
    storage, unread = paired(WindowsHost({"dataDisks": [{"lun": "0"}]}, None))
    assert (unread["reason"], devices(storage)) == ("unreadable", [])


def test_a_disk_has_no_place_before_the_others_are_known() -> None:
    assert WindowsDisk(scsi(1, 1, 0), ()).place() == ("unplaced", None, False)


# --- network interfaces ---------------------------------------------------------------------------------------------

ADAPTER = Adapter("Ethernet", "000D3A000001", True, ["10.0.0.4"])


@pytest.mark.parametrize(
    ("adapter", "given", "driver", "accelerated", "vf"),
    [
        (ADAPTER, [NETVSC, MLX5, FILTER], "netvsc", True, ("Ethernet 3", "mlx5")),
        (ADAPTER, [FILTER, MANA, NETVSC], "netvsc", True, ("Ethernet 4", "mana")),
        (ADAPTER, [NETVSC, FILTER], "netvsc", False, (None, None)),
        (ADAPTER, [NETVSC, {**MLX5, "PermanentAddress": "000D3A000002"}], "netvsc", False, (None, None)),
        (ADAPTER, [NETVSC, {**MLX5, "InterfaceOperationalStatus": 2}], "netvsc", False, ("Ethernet 3", "mlx5")),
        (ADAPTER, [NETVSC, {**MLX5, "InterfaceOperationalStatus": "Up"}], "netvsc", True, ("Ethernet 3", "mlx5")),
        # on the way from one host to another
        (
            ADAPTER,
            [NETVSC, {**MLX5, "Name": "Ethernet 2", "InterfaceOperationalStatus": 2}, MANA],
            "netvsc",
            True,
            ("Ethernet 4", "mana"),
        ),
        (ADAPTER._replace(name="Ethernet 4"), [MANA], "mana", True, (None, None)),
        (ADAPTER._replace(name=SWITCH["Name"]), [SWITCH, NETVSC, MLX5], "vmsnpxy", True, ("Ethernet 3", "mlx5")),
        (ADAPTER, [{**NETVSC, "DriverName": None}], None, False, (None, None)),
        (ADAPTER, [{**NETVSC, "DriverName": "netvsc63"}], "netvsc63", False, (None, None)),
        (ADAPTER, [], None, None, (None, None)),
        (ADAPTER, "Access denied", None, None, (None, None)),
        (ADAPTER, ["no row", {}, {"Name": 5}], None, None, (None, None)),
    ],
)
def test_adapters_with_one_address(
    adapter: Adapter, given: Any, driver: str | None, accelerated: bool | None, vf: tuple[str | None, str | None]
) -> None:
    nic = next(iter(WindowsGuest([adapter], None, {"adapters": given}).nics().values()))
    assert tuple(nic) == fields.NIC
    assert nic == dict(zip(fields.NIC, (adapter.name, driver, accelerated, *vf)))
