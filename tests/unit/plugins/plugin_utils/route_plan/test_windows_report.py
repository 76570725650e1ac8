# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reader of Windows reports: partial, numeric and odd ones."""

from __future__ import annotations

import pytest
from ansible_collections.imds.azure.plugins.module_utils._routes import lookup, model
from ansible_collections.imds.azure.plugins.module_utils._routes.options import RouteOptions
from ansible_collections.imds.azure.plugins.module_utils._routes.primary import find_primary
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.windows_report import read_windows_report
from ansible_collections.imds.azure.tests.scenarios.judged import codes, findings_of, plan_of
from ansible_collections.imds.azure.tests.scenarios.windows_reports import (
    CLUSTER,
    CLUSTER_ADDRESS,
    CLUSTER_ROUTE,
    DHCP_HOST,
    ETHERNET,
    ETHERNET_DHCP,
    IMDS,
    LOWER,
    NETFT,
    OWN,
    STATIC_DEFAULT,
    TWO_NICS,
    WANTED,
    Row,
    address,
    report,
    route,
)


@pytest.mark.parametrize(("nic", "said"), [(ETHERNET, True), (ETHERNET_DHCP, False)], ids=["static", "DHCP"])
def test_only_a_static_nic_is_said_to_be_configured_statically(nic: Row, said: bool) -> None:
    given = report([STATIC_DEFAULT, CLUSTER_ROUTE], nics=(nic, NETFT), addresses=(OWN, CLUSTER_ADDRESS))
    found = findings_of(read_windows_report(given))
    assert found[0].code == "captured_by_cluster_adapter"
    assert any("configured statically" in one.message for one in found) == said
    assert any("Renew" in (one.remedy or "") or "renew" in (one.remedy or "") for one in found) != said


def test_vip_is_told_by_its_store() -> None:
    state = read_windows_report(CLUSTER)
    assert [a.address for a in state.addresses if a.virtual] == ["10.0.1.15"]
    unknown = read_windows_report(
        {**CLUSTER, "addresses": {"active": CLUSTER["addresses"]["active"], "persistent": None}}
    )
    assert not any(a.virtual for a in unknown.addresses)


def test_leftover_in_the_registry_is_reported() -> None:
    names = ["169.254.169.254,255.255.255.255,10.9.9.9,1", "10.0.0.0,255.0.0.0,10.0.1.1,1", "nonsense", "a,b,c,d"]
    given = {**report([STATIC_DEFAULT, WANTED], [WANTED]), "persistent_route_values": names}
    assert codes(given) == ["ok", "leftover_registry_route"]
    given["persistent_route_values"] = ["169.254.169.254,255.255.255.255,10.0.1.10,1"]
    assert codes(given) == ["ok"]


def find_route(index: int, next_hop: str, source: str) -> list[Row]:
    return [address(source, 26, index), route(IMDS, index, next_hop, 1)]


def test_the_systems_own_verdict_wins() -> None:
    given = {
        **report([STATIC_DEFAULT, WANTED], [WANTED], addresses=(OWN, LOWER)),
        "find_route": find_route(5, "0.0.0.0", "10.0.1.10"),
    }
    options = RouteOptions(primary_ip="10.0.1.10")
    assert codes(given, options) == ["ok", "kernel_disagrees"]
    given["find_route"] = list(reversed(find_route(5, "0.0.0.0", "10.0.1.7")))
    assert codes(given, options) == ["wrong_source_address"]


def test_source_choice_prefers_bits_in_common_with_the_next_hop_then_the_lowest() -> None:
    gateway = report([STATIC_DEFAULT, DHCP_HOST], addresses=(OWN, address("10.0.1.3", 26, 5), LOWER))
    assert lookup.decide(read_windows_report(gateway)).source == "10.0.1.3"
    on_link = report([STATIC_DEFAULT, WANTED], addresses=(address("172.16.0.4", 24, 5), OWN, LOWER))
    assert lookup.decide(read_windows_report(on_link)).source == "172.16.0.4"


def test_enumerations_as_numbers_single_objects_and_ghosts() -> None:
    given = report([STATIC_DEFAULT, WANTED], [WANTED])
    given["interfaces"][1].update(Dhcp=1, AddressFamily=2, ConnectionState=1)
    given["interfaces"].append(
        {"InterfaceIndex": 5, "InterfaceAlias": "Ethernet", "InterfaceMetric": 99, "AddressFamily": 23}
    )
    given["adapters"] = given["adapters"][0]
    given["routes"]["persistent"] = [{**WANTED, "InterfaceIndex": 40, "InterfaceAlias": None}]
    state = read_windows_report(given)
    ethernet = model.find_interface(state, "Ethernet")
    assert ethernet
    assert (ethernet.dhcp, ethernet.metric) == (True, 10)
    assert state.persistent
    ghost = model.find_interface(state, state.persistent[0].interface)
    assert ghost
    assert (ghost.ifindex, ghost.present) == (40, False)


@pytest.mark.parametrize(
    "part", ["adapters", "find_route", "persistent_route_values", "cluster_service", "elevated", "interfaces"]
)
def test_a_missing_part_is_survived(part: str) -> None:
    given = {**CLUSTER, part: None, "errors": [f"{part}: refused"]}
    assert read_windows_report(given).errors == (f"{part}: refused",)
    assert plan_of(read_windows_report(given)).steps


def test_cluster_adapter_without_its_description() -> None:
    assert codes({**CLUSTER, "adapters": None, "cluster_service": "Running"}) == ["captured_by_cluster_adapter"]
    assert codes({**CLUSTER, "adapters": None, "cluster_service": None}) == ["captured_by_apipa"]


@pytest.mark.parametrize("part", ["routes", "addresses"])
def test_without_netttcpip_the_error_says_so(part: str) -> None:
    with pytest.raises(model.ReportError, match="2012"):
        read_windows_report({**CLUSTER, part: {"active": None}, "errors": ["Get-NetRoute is not recognized"]})


def test_disconnected_nic_carries_nothing() -> None:
    given = report([STATIC_DEFAULT, route("0.0.0.0/0", 7, "10.0.2.1", 1)], **TWO_NICS)
    assert codes(given) == ["ok_via_default"] or lookup.decide(read_windows_report(given)).route
    given["adapters"][1]["Status"] = "Disconnected"
    winner = lookup.decide(read_windows_report(given))
    assert winner.route
    assert winner.route.interface == "Ethernet"


@pytest.mark.parametrize(
    ("status", "listed", "said"),
    [
        ("Disabled", False, "Enable-NetAdapter -Name 'Ethernet'"),
        ("Disconnected", True, "still attached"),
        ("Not Present", False, ""),
    ],
)
def test_adapter_that_is_down_is_named(status: str, listed: bool, said: str) -> None:
    given = report([])
    given["adapters"][0].update({"Status": status, "MacAddress": "00-0D-3A-00-00-01"})
    given["addresses"]["active"] = []
    if not listed:
        given["interfaces"] = [row for row in given["interfaces"] if row["InterfaceAlias"] != "Ethernet"]
    for options in (RouteOptions(), RouteOptions(interface="Ethernet")):
        problems = find_primary(read_windows_report(given), options).problems
        down = [one.remedy for one in problems if one.code == "nic_down"]
        assert [said in remedy for remedy in down] == ([True] if said else [])
