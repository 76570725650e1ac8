# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Interfaces and addresses as Windows tells them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.plugin_utils._windows_guest import Adapter, WindowsGuest
from ansible_collections.imds.azure.tests.windows.core import Core

MAC = "00:0d:3a:00:00:01"


def interface(name: str, mac: str, *addresses: str, up: bool = True) -> dict[str, Any]:
    return {"name": name, "mac": mac, "up": up, "addresses": list(addresses)}


def as_the_controller_sees_it(interfaces: list[dict[str, Any]], default_address: str | None = None) -> WindowsGuest:
    """MAC addresses as Windows spells them."""
    adapters = [
        Adapter(one["name"], one["mac"].replace(":", "").upper(), one["up"], one["addresses"]) for one in interfaces
    ]
    return WindowsGuest(adapters, default_address)


LOOPBACK = interface("Loopback Pseudo-Interface 1", "", "::1", "127.0.0.1")
ETHERNET = interface("Ethernet", MAC, "fe80::1", "10.1.0.4", "10.1.0.5")
HARDWARE = interface("Ethernet 3", MAC)
CLUSTER = interface("Local Area Connection* 1", "02:00:00:00:00:01", "169.254.1.214")
SECOND = interface("Ethernet 2", "00:0d:3a:00:00:02", "10.2.0.4")


@pytest.mark.parametrize(
    ("interfaces", "devices"),
    [
        ([], {}),
        ([LOOPBACK], {}),
        ([interface("teredo", "00:00:00:00:00:00", "2001::1")], {}),
        ([LOOPBACK, ETHERNET, SECOND], {MAC: "Ethernet", SECOND["mac"]: "Ethernet 2"}),
        # accelerated networking, in either order
        ([HARDWARE, ETHERNET], {MAC: "Ethernet"}),
        ([ETHERNET, HARDWARE], {MAC: "Ethernet"}),
        # with a virtual switch the host's own adapter bears the address
        ([interface("Ethernet", MAC), interface("vEthernet (Switch)", MAC, "10.1.0.4")], {MAC: "vEthernet (Switch)"}),
        ([interface("b", MAC, up=False), interface("c", MAC)], {MAC: "c"}),
        ([interface("b", MAC), interface("a", MAC)], {MAC: "a"}),
    ],
)
def test_mac_addresses_are_mapped_to_interfaces_alike(
    core: Core, interfaces: list[Any], devices: dict[str, str]
) -> None:
    assert core("guest", interfaces=interfaces)["devices"] == devices
    assert {mac: nic["device"] for mac, nic in as_the_controller_sees_it(interfaces).nics().items()} == devices


def test_addresses_of_a_cluster_come_last(core: Core) -> None:
    found = core("guest", interfaces=[CLUSTER, LOOPBACK, ETHERNET, SECOND, ETHERNET])
    assert found["addresses"] == ["10.1.0.4", "10.1.0.5", "10.2.0.4", "169.254.1.214"]


@pytest.mark.parametrize(("address", "device"), [("10.2.0.4", "Ethernet 2"), ("10.9.9.9", None), (None, None)])
def test_the_device_of_an_address(core: Core, address: str | None, device: str | None) -> None:
    assert core("guest", interfaces=[ETHERNET, SECOND], address=address)["device_of"] == device
    assert as_the_controller_sees_it([ETHERNET, SECOND], address).default_device() == device


def test_the_interfaces_of_this_machine_can_be_read(core: Core) -> None:
    addresses = [address for entry in core("interfaces") for address in entry["addresses"]]
    assert "127.0.0.1" in addresses
    default = core("default_address")
    assert default is None or default in addresses
