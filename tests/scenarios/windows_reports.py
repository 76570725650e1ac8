# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Windows hosts report: rows, whole cases, and what is to be said and done about them.

Every host has Ethernet (index 5, 10.0.1.10/26, the primary NIC, gateway .1).
"""

from __future__ import annotations

import copy
from typing import Any, Optional

from ansible_collections.imds.azure.plugins.module_utils._routes import ipv4
from ansible_collections.imds.azure.plugins.module_utils._routes.options import RouteOptions

IMDS = ipv4.IMDS_PREFIX
Row = dict[str, Any]


def route(prefix: str, index: int, next_hop: str = "0.0.0.0", metric: int = 256) -> Row:
    return {
        "DestinationPrefix": prefix,
        "InterfaceIndex": index,
        "NextHop": next_hop,
        "RouteMetric": metric,
        "Protocol": "NetMgmt",
    }


def address(text: str, length: int, index: int, origin: str = "Manual", skip: bool = False) -> Row:
    return {
        "IPAddress": text,
        "PrefixLength": length,
        "InterfaceIndex": index,
        "PrefixOrigin": origin,
        "SkipAsSource": skip,
        "AddressState": "Preferred",
    }


def nic(
    index: int, alias: str, metric: int = 10, dhcp: str = "Disabled", about: str = "Microsoft Hyper-V Network Adapter"
) -> Row:
    return {"index": index, "alias": alias, "metric": metric, "dhcp": dhcp, "about": about}


LOOPBACK = nic(1, "Loopback Pseudo-Interface 1", 75, about="")
ETHERNET = nic(5, "Ethernet")
ETHERNET_DHCP = nic(5, "Ethernet", dhcp="Enabled")
SECOND = nic(7, "Ethernet 2")
NETFT = nic(9, "Local Area Connection* 1", 15, about="Microsoft Failover Cluster Virtual Adapter")
VPN = nic(12, "Work", 5, about="WireGuard Tunnel")

OWN = address("10.0.1.10", 26, 5)
VIP = address("10.0.1.15", 26, 5)
STATIC_DEFAULT = route("0.0.0.0/0", 5, "10.0.1.1", 256)
DHCP_DEFAULT = route("0.0.0.0/0", 5, "10.0.1.1", 0)
WIRESERVER = route("168.63.129.16/32", 5, "10.0.1.1", 1)
DHCP_HOST = route(IMDS, 5, "10.0.1.1", 1)
CLUSTER_ROUTE = route("169.254.0.0/16", 9)
CLUSTER_ADDRESS = address("169.254.1.156", 16, 9, "WellKnown")
WANTED = route(IMDS, 5, metric=1)


def report(
    active: list[Row],
    persistent: Optional[list[Row]] = None,
    nics: tuple[Row, ...] = (ETHERNET,),
    addresses: tuple[Row, ...] = (OWN,),
    moving: tuple[Row, ...] = (),
    **more: object,
) -> Row:
    """``moving`` are addresses in use that are not stored."""
    nics = (LOOPBACK, *nics)
    return copy.deepcopy(
        {
            "routes": {"active": active, "persistent": persistent or []},
            "interfaces": [
                {
                    "InterfaceIndex": n["index"],
                    "InterfaceAlias": n["alias"],
                    "InterfaceMetric": n["metric"],
                    "Dhcp": n["dhcp"],
                }
                for n in nics
            ],
            "adapters": [
                {"InterfaceIndex": n["index"], "Name": n["alias"], "InterfaceDescription": n["about"], "Status": "Up"}
                for n in nics
                if n["about"]
            ],
            "addresses": {
                "active": [address("127.0.0.1", 8, 1, "WellKnown"), *addresses, *moving],
                "persistent": [row for row in addresses if row["PrefixOrigin"] == "Manual"],
            },
            "elevated": True,
            **more,
        }
    )


BOTH_ON_LINK = [("active", 5, "0.0.0.0"), ("persistent", 5, "0.0.0.0")]

CLUSTER = report(
    [STATIC_DEFAULT, CLUSTER_ROUTE], nics=(ETHERNET, NETFT), addresses=(OWN, CLUSTER_ADDRESS), moving=(VIP,)
)
GHOST = route(IMDS, 33, "10.0.9.1", 1)
LOOPBACK_TWIN = [route(IMDS, 1, "192.168.9.1", 3)]
OFF_SUBNET = [route(IMDS, 5, "192.168.9.1", 3)]
ON_SECOND = route(IMDS, 7, "10.0.2.1", 1)
TWO_NICS: Row = {"nics": (ETHERNET, SECOND), "addresses": (OWN, address("10.0.2.10", 24, 7))}
LOWER = address("10.0.1.7", 26, 5)

# name -> (report, options, findings, rows of 169.254.169.254/32 afterwards)
REPAIRS: dict[str, tuple[Row, RouteOptions, list[str], list[tuple[str, int, str]]]] = {
    "failover_cluster": (CLUSTER, RouteOptions(), ["captured_by_cluster_adapter"], BOTH_ON_LINK),
    "failover_cluster_runtime_only": (
        CLUSTER,
        RouteOptions(persistent=False),
        ["captured_by_cluster_adapter"],
        [("active", 5, "0.0.0.0")],
    ),
    "failover_cluster_by_gateway": (
        CLUSTER,
        RouteOptions(next_hop="gateway"),
        ["captured_by_cluster_adapter"],
        [("active", 5, "10.0.1.1"), ("persistent", 5, "10.0.1.1")],
    ),
    "orphan": (
        report([STATIC_DEFAULT], [GHOST]),
        RouteOptions(),
        ["ok_via_default", "orphaned_persistent_route"],
        BOTH_ON_LINK,
    ),
    "orphan_beside_dhcp": (
        report(
            [DHCP_DEFAULT, WIRESERVER, DHCP_HOST],
            [GHOST],
            nics=(ETHERNET_DHCP,),
            addresses=(address("10.0.1.10", 26, 5, "Dhcp"),),
        ),
        RouteOptions(),
        ["ok", "orphaned_persistent_route"],
        [("active", 5, "10.0.1.1")],
    ),
    "loopback_trap": (
        report([STATIC_DEFAULT, *LOOPBACK_TWIN], OFF_SUBNET),
        RouteOptions(),
        ["host_route_bad_next_hop", "stale_persistent_route"],
        BOTH_ON_LINK,
    ),
    "off_subnet_active": (
        report([STATIC_DEFAULT, *OFF_SUBNET], OFF_SUBNET),
        RouteOptions(),
        ["host_route_bad_next_hop", "stale_persistent_route"],
        BOTH_ON_LINK,
    ),
    "static_on_wrong_nic": (
        report([STATIC_DEFAULT, ON_SECOND], [ON_SECOND], **TWO_NICS),
        RouteOptions(),
        ["host_route_wrong_interface", "stale_persistent_route"],
        BOTH_ON_LINK,
    ),
    "active_on_wrong_nic": (
        report([STATIC_DEFAULT, ON_SECOND], **TWO_NICS),
        RouteOptions(),
        ["host_route_wrong_interface"],
        BOTH_ON_LINK,
    ),
    "stored_on_wrong_nic": (
        report([STATIC_DEFAULT], [ON_SECOND], **TWO_NICS),
        RouteOptions(),
        ["ok_via_default", "stale_persistent_route"],
        BOTH_ON_LINK,
    ),
    "stores_differ_in_metric": (
        report([STATIC_DEFAULT, ON_SECOND], [{**ON_SECOND, "RouteMetric": 40}], **TWO_NICS),
        RouteOptions(),
        ["host_route_wrong_interface", "stale_persistent_route"],
        BOTH_ON_LINK,
    ),
    "duplicates": (
        report([STATIC_DEFAULT, WANTED, {**ON_SECOND, "RouteMetric": 0}], [WANTED], **TWO_NICS),
        RouteOptions(),
        ["host_route_wrong_interface", "duplicate_host_routes"],
        BOTH_ON_LINK,
    ),
    "active_only_on_static_nic": (report([STATIC_DEFAULT, WANTED]), RouteOptions(), ["ok"], BOTH_ON_LINK),
    "active_only_via_gateway": (
        report([STATIC_DEFAULT, DHCP_HOST]),
        RouteOptions(),
        ["ok"],
        [("active", 5, "10.0.1.1"), ("persistent", 5, "10.0.1.1")],
    ),
    "lost_its_active_twin": (
        report(
            [STATIC_DEFAULT, CLUSTER_ROUTE],
            [WANTED],
            nics=(ETHERNET, NETFT),
            addresses=(OWN, CLUSTER_ADDRESS),
            moving=(VIP,),
        ),
        RouteOptions(),
        ["captured_by_cluster_adapter"],
        BOTH_ON_LINK,
    ),
    "vpn_default": (
        report(
            [STATIC_DEFAULT, route("128.0.0.0/1", 12)],
            nics=(ETHERNET, VPN),
            addresses=(OWN, address("10.9.0.2", 24, 12)),
        ),
        RouteOptions(),
        ["captured_by_vpn"],
        BOTH_ON_LINK,
    ),
    "apipa_nic": (
        report(
            [STATIC_DEFAULT, route("169.254.0.0/16", 7)],
            nics=(ETHERNET, SECOND),
            addresses=(OWN, address("169.254.9.9", 16, 7, "WellKnown")),
        ),
        RouteOptions(),
        ["captured_by_apipa"],
        BOTH_ON_LINK,
    ),
    "lower_secondary": (
        report([STATIC_DEFAULT, WANTED], [WANTED], addresses=(OWN, LOWER)),
        RouteOptions(primary_ip="10.0.1.10", fix_source=True),
        ["wrong_source_address"],
        BOTH_ON_LINK,
    ),
    "lower_secondary_and_no_route": (
        report([STATIC_DEFAULT], addresses=(OWN, LOWER)),
        RouteOptions(primary_ip="10.0.1.10", fix_source=True),
        ["wrong_source_address"],
        BOTH_ON_LINK,
    ),
}


DHCP_VM = report(
    [DHCP_DEFAULT, WIRESERVER, DHCP_HOST], nics=(ETHERNET_DHCP,), addresses=(address("10.0.1.10", 26, 5, "Dhcp"),)
)
VPN_HOST_ROUTE = report(
    [STATIC_DEFAULT, route(IMDS, 12, metric=0)], nics=(ETHERNET, VPN), addresses=(OWN, address("10.9.0.2", 24, 12))
)
LOW_VIP = report([STATIC_DEFAULT, WANTED], [WANTED], addresses=(OWN,), moving=(LOWER,))
CLUSTER_HOST_ROUTE = report(
    [STATIC_DEFAULT, CLUSTER_ROUTE, route(IMDS, 9, metric=0)],
    [route(IMDS, 9, metric=0)],
    nics=(ETHERNET, {**NETFT, "metric": 5}),
    addresses=(OWN, CLUSTER_ADDRESS),
)
# The loopback is so cheap here that its row wins until it is removed, and it could not be put back.
CHEAP_LOOPBACK = report([STATIC_DEFAULT, *LOOPBACK_TWIN], OFF_SUBNET, nics=({**ETHERNET, "metric": 90},))

REFUSALS: dict[str, tuple[Row, RouteOptions, str]] = {
    "vpn_host_route": (VPN_HOST_ROUTE, RouteOptions(), "foreign_host_route"),
    "host_route_on_cluster_adapter": (
        CLUSTER_HOST_ROUTE,
        RouteOptions(remove_conflicting=True),
        "protected_host_route",
    ),
    "lower_vip": (LOW_VIP, RouteOptions(fix_source=True), "wrong_source_address"),
    "lower_secondary_unasked": (
        report([STATIC_DEFAULT, WANTED], [WANTED], addresses=(OWN, LOWER)),
        RouteOptions(primary_ip="10.0.1.10"),
        "wrong_source_address",
    ),
    "two_addresses": (report([STATIC_DEFAULT], addresses=(OWN, LOWER)), RouteOptions(), "ambiguous_primary_ip"),
    "cheap_loopback": (CHEAP_LOOPBACK, RouteOptions(), "irreversible"),
    "wrong_nic_hands_off": (
        report([STATIC_DEFAULT, {**ON_SECOND, "RouteMetric": 0}], **TWO_NICS),
        RouteOptions(remove_conflicting=False),
        "foreign_host_route",
    ),
    "not_elevated": ({**CLUSTER, "elevated": False}, RouteOptions(), "not_elevated"),
    "not_azure": ({**CLUSTER, "azure": False}, RouteOptions(), "not_azure"),
    "compartments": ({**CLUSTER, "compartments": 2}, RouteOptions(), "compartments"),
    "imds_is_local": (
        report([STATIC_DEFAULT], addresses=(OWN, address("169.254.169.254", 32, 1))),
        RouteOptions(),
        "imds_address_is_local",
    ),
    "dhcp_failed": (
        report([route("169.254.0.0/16", 5)], addresses=(address("169.254.7.7", 16, 5, "WellKnown"),)),
        RouteOptions(interface="Ethernet"),
        "primary_nic_link_local",
    ),
    "no_default": (report([CLUSTER_ROUTE], nics=(ETHERNET, NETFT)), RouteOptions(), "no_default_route"),
    "two_defaults": (
        report([STATIC_DEFAULT, route("0.0.0.0/0", 7, "10.0.2.1")], **TWO_NICS),
        RouteOptions(),
        "ambiguous_primary_nic",
    ),
    "cluster_adapter_named": (CLUSTER, RouteOptions(interface="Local Area Connection* 1"), "no_such_interface"),
    "no_such_address": (CLUSTER, RouteOptions(interface="5", primary_ip="10.0.1.99"), "no_such_address"),
    "bad_next_hop": (CLUSTER, RouteOptions(next_hop="10.0.1.77"), "bad_next_hop"),
}
