# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""States of a Linux host, each as the commands that build it, with what is to be said and done about it.

Every host has eth0 (10.0.1.10/24, the primary NIC, gateway .1) and eth1 (10.0.2.10/24).
"""

from __future__ import annotations

from typing import NamedTuple

from ansible_collections.imds.azure.plugins.module_utils._routes.options import RouteOptions

NICS = (
    "link set lo up",
    "link add eth0 type veth peer name peer0",
    "link add eth1 type veth peer name peer1",
    "link set peer0 up",
    "link set peer1 up",
    "link set eth0 up",
    "link set eth1 up",
    "address add 10.0.1.10/24 dev eth0",
    "address add 10.0.2.10/24 dev eth1",
)
DEFAULT = "route add default via 10.0.1.1 dev eth0"
DHCP = (
    "route add default via 10.0.1.1 dev eth0 proto dhcp src 10.0.1.10 metric 100",
    "route add 168.63.129.16 via 10.0.1.1 dev eth0 proto dhcp src 10.0.1.10 metric 100",
)
HOST = "route add 169.254.169.254 via 10.0.1.1 dev eth0 "
TUNNEL = ("tuntap add dev wg0 mode tun", "address add 10.9.0.2/24 dev wg0", "link set wg0 up")

SATISFIED = "satisfied"
REPAIRED = "repaired"


class Scenario(NamedTuple):
    """``code``: the diagnosis' headline. ``outcome``: satisfied, repaired, or the code of the refusal."""

    name: str
    code: str
    outcome: str
    commands: tuple[str, ...]
    options: RouteOptions = RouteOptions()


NIC0 = RouteOptions(interface="eth0")

SCENARIOS = (
    Scenario("healthy", "ok", SATISFIED, (*DHCP, HOST + "proto dhcp src 10.0.1.10 metric 100")),
    Scenario("static", "ok_via_default", REPAIRED, (DEFAULT,)),
    Scenario(
        "zeroconf_on_primary", "ok_via_default", REPAIRED, (DEFAULT, "route add 169.254.0.0/16 dev eth0 metric 1002")
    ),
    Scenario(
        "zeroconf_on_other", "captured_by_apipa", REPAIRED, (DEFAULT, "route add 169.254.0.0/16 dev eth1 metric 1003")
    ),
    Scenario(
        "zeroconf_on_both",
        "captured_by_apipa",
        REPAIRED,
        (DEFAULT, "route add 169.254.0.0/16 dev eth0 metric 1003", "route add 169.254.0.0/16 dev eth1 metric 1002"),
    ),
    Scenario(
        "wrong_nic",
        "host_route_wrong_interface",
        REPAIRED,
        (DEFAULT, "route add 169.254.169.254 via 10.0.2.1 dev eth1"),
    ),
    Scenario(
        "wrong_nic_by_dhcp",
        "host_route_wrong_interface",
        REPAIRED,
        (DEFAULT, "route add 169.254.169.254 via 10.0.2.1 dev eth1 proto dhcp metric 200"),
        NIC0,
    ),
    Scenario(
        "wrong_nic_by_agent",
        "host_route_wrong_interface",
        "foreign_host_route",
        (DEFAULT, "route add 169.254.169.254 via 10.0.2.1 dev eth1 proto bird"),
    ),
    Scenario(
        "wrong_nic_by_agent_on_request",
        "host_route_wrong_interface",
        REPAIRED,
        (DEFAULT, "route add 169.254.169.254 via 10.0.2.1 dev eth1 proto bird"),
        RouteOptions(remove_conflicting=True),
    ),
    Scenario(
        "wrong_nic_hands_off",
        "host_route_wrong_interface",
        "foreign_host_route",
        (DEFAULT, "route add 169.254.169.254 via 10.0.2.1 dev eth1"),
        RouteOptions(remove_conflicting=False),
    ),
    Scenario(
        "duplicates",
        "host_route_wrong_interface",
        REPAIRED,
        (
            DEFAULT,
            HOST + "proto static src 10.0.1.10 metric 100",
            "route add 169.254.169.254 dev eth1 proto static metric 50",
        ),
    ),
    Scenario(
        "duplicates_that_lose",
        "ok",
        REPAIRED,
        (*DHCP, HOST + "proto dhcp src 10.0.1.10 metric 100", "route add 169.254.169.254 dev eth1 metric 500"),
    ),
    Scenario(
        "duplicates_in_one_slot",
        "host_route_wrong_interface",
        REPAIRED,
        (DEFAULT, "route add 169.254.169.254 dev eth1", "route append 169.254.169.254 via 10.0.2.9 dev eth1"),
    ),
    Scenario(
        "unreachable", "blocked_by_unreachable_route", REPAIRED, (DEFAULT, "route add unreachable 169.254.169.254")
    ),
    Scenario(
        "blocked_in_one_slot",
        "blocked_by_unreachable_route",
        REPAIRED,
        (DEFAULT, "route add unreachable 169.254.169.254 metric 1", HOST.replace("add", "append") + "metric 1"),
    ),
    Scenario(
        "unreachable_beside_dhcp",
        "blocked_by_unreachable_route",
        REPAIRED,
        (*DHCP, HOST + "proto dhcp src 10.0.1.10 metric 100", "route add unreachable 169.254.169.254"),
    ),
    Scenario(
        "unreachable_wide", "blocked_by_unreachable_route", REPAIRED, (DEFAULT, "route add unreachable 169.254.0.0/16")
    ),
    Scenario(
        "prohibit", "blocked_by_unreachable_route", REPAIRED, (DEFAULT, "route add prohibit 169.254.169.254 metric 7")
    ),
    Scenario("blackhole", "blocked_by_unreachable_route", REPAIRED, (DEFAULT, "route add blackhole 169.254.169.254")),
    Scenario(
        "wrong_source",
        "wrong_source_address",
        REPAIRED,
        (*DHCP, "address add 10.0.1.15/24 dev eth0", HOST + "src 10.0.1.15"),
    ),
    Scenario(
        "primary_configured_second",
        "wrong_source_address",
        REPAIRED,
        (
            "address del 10.0.1.10/24 dev eth0",
            "address add 10.0.1.15/24 dev eth0",
            "address add 10.0.1.10/24 dev eth0",
            DEFAULT,
        ),
        RouteOptions(primary_ip="10.0.1.10"),
    ),
    Scenario(
        "gateway_in_second_subnet",
        "ok_via_default",
        REPAIRED,
        (
            "address del 10.0.1.10/24 dev eth0",
            "address add 10.0.5.5/24 dev eth0",
            "address add 10.0.1.10/24 dev eth0",
            DEFAULT,
        ),
        RouteOptions(primary_ip="10.0.1.10"),
    ),
    Scenario(
        "narrower_scope_first",
        "ok_via_default",
        REPAIRED,
        (
            "address del 10.0.1.10/24 dev eth0",
            "address add 192.168.7.1/24 dev eth0 scope link",
            "address add 10.0.1.10/32 dev eth0",
            "route add default via 10.0.1.1 dev eth0 onlink",
        ),
        RouteOptions(primary_ip="10.0.1.10"),
    ),
    Scenario(
        "ambiguous_source",
        "ambiguous_primary_ip",
        "ambiguous_primary_ip",
        (DEFAULT, "address add 10.0.1.15/24 dev eth0"),
    ),
    Scenario("keepalived", "ok_via_default", REPAIRED, (DEFAULT, "address add 10.0.1.15/32 dev eth0")),
    Scenario(
        "local_address",
        "imds_address_is_local",
        "imds_address_is_local",
        (DEFAULT, "address add 169.254.169.254/32 dev lo"),
    ),
    Scenario(
        "nm_cloud_setup",
        "ok_via_default",
        REPAIRED,
        (
            *DHCP,
            "route add default via 10.0.2.1 dev eth1 proto dhcp src 10.0.2.10 metric 101",
            "route add default via 10.0.1.1 dev eth0 table 30400",
            "route add default via 10.0.2.1 dev eth1 table 30401",
            "rule add priority 30350 lookup main suppress_prefixlength 0",
            "rule add priority 30400 from 10.0.1.10 lookup 30400",
            "rule add priority 30401 from 10.0.2.10 lookup 30401",
        ),
    ),
    Scenario(
        "wireguard",
        "captured_by_vpn",
        REPAIRED,
        (
            DEFAULT,
            *TUNNEL,
            "route add default dev wg0 table 51820",
            "rule add priority 32765 not fwmark 0xca6c lookup 51820",
            "rule add priority 32764 lookup main suppress_prefixlength 0",
        ),
    ),
    Scenario(
        "wireguard_cured",
        "ok",
        SATISFIED,
        (
            *DHCP,
            *TUNNEL,
            HOST + "proto dhcp src 10.0.1.10 metric 100",
            "route add default dev wg0 table 51820",
            "rule add priority 32765 not fwmark 0xca6c lookup 51820",
            "rule add priority 32764 lookup main suppress_prefixlength 0",
        ),
    ),
    Scenario(
        "split_default",
        "captured_by_vpn",
        REPAIRED,
        (DEFAULT, *TUNNEL, "route add 0.0.0.0/1 dev wg0", "route add 128.0.0.0/1 dev wg0"),
    ),
    Scenario(
        "vpn_host_route",
        "captured_by_vpn",
        "foreign_host_route",
        (DEFAULT, *TUNNEL, "route add 169.254.169.254 dev wg0"),
    ),
    Scenario(
        "vpn_host_route_dear",
        "captured_by_vpn",
        REPAIRED,
        (DEFAULT, *TUNNEL, "route add 169.254.169.254 dev wg0 metric 50"),
    ),
    Scenario(
        "policy_to_imds",
        "policy_rule_override",
        "policy_rule_override",
        (
            DEFAULT,
            "route add default via 10.0.2.1 dev eth1 table 100",
            "rule add priority 100 to 169.254.169.254 lookup 100",
        ),
    ),
    Scenario(
        "policy_to_imds_over_primary",
        "ok_via_default",
        "policy_rule_override",
        (
            DEFAULT,
            "route add default via 10.0.1.1 dev eth0 table 100",
            "rule add priority 100 to 169.254.169.254 lookup 100",
        ),
    ),
    Scenario(
        "policy_from_primary",
        "policy_rule_override",
        "policy_rule_override",
        (
            DEFAULT,
            "route add default via 10.0.2.1 dev eth1 table 100",
            "rule add priority 100 from 10.0.1.10 lookup 100",
        ),
    ),
    Scenario(
        "policy_prohibits",
        "policy_rule_override",
        "policy_rule_override",
        (DEFAULT, "rule add priority 100 to 169.254.0.0/16 prohibit"),
    ),
    Scenario(
        "policy_throws",
        "ok_via_default",
        REPAIRED,
        (DEFAULT, "route add throw default table 100", "rule add priority 100 lookup 100"),
    ),
    Scenario(
        "policy_elsewhere",
        "ok_via_default",
        REPAIRED,
        (
            DEFAULT,
            "route add default via 10.0.2.1 dev eth1 table 100",
            "rule add priority 100 fwmark 0x1/0xff lookup 100",
            "rule add priority 101 iif eth1 lookup 100",
            "rule add priority 102 from 10.0.2.10 lookup 100",
            "rule add priority 103 to 10.0.0.0/8 lookup 100",
        ),
    ),
    Scenario(
        "policy_goto",
        "ok_via_default",
        REPAIRED,
        (
            DEFAULT,
            "route add default via 10.0.2.1 dev eth1 table 100",
            "rule add priority 200 nop",
            "rule add priority 100 goto 200",
            "rule add priority 150 lookup 100",
        ),
    ),
    Scenario(
        "policy_unknown_selector",
        "ok_via_default",
        "unknown_rule_selector",
        (DEFAULT, "route add default via 10.0.2.1 dev eth1 table 100", "rule add priority 100 ipproto icmp lookup 100"),
    ),
    Scenario(
        "multipath",
        "captured_by_other_interface",
        REPAIRED,
        ("route add default nexthop via 10.0.1.1 dev eth0 nexthop via 10.0.2.1 dev eth1",),
        NIC0,
    ),
    Scenario("no_default", "no_route", "no_default_route", ()),
    Scenario("no_default_named", "no_route", REPAIRED, (), NIC0),
    Scenario(
        "default_on_other", "captured_by_other_interface", REPAIRED, ("route add default via 10.0.2.1 dev eth1",), NIC0
    ),
    Scenario(
        "two_equal_defaults",
        "ambiguous_primary_nic",
        "ambiguous_primary_nic",
        (DEFAULT, "route append default via 10.0.2.1 dev eth1"),
    ),
    Scenario("on_link", "ok", REPAIRED, (DEFAULT, "route add 169.254.169.254 dev eth0 src 10.0.1.10")),
    Scenario(
        "replace", "ok", REPAIRED, (DEFAULT, HOST + "metric 50", "route replace 169.254.169.254 dev eth0 metric 60")
    ),
    Scenario(
        "bad_next_hop",
        "host_route_bad_next_hop",
        REPAIRED,
        (DEFAULT, "route add 169.254.169.254 via 10.7.7.7 dev eth0 onlink"),
    ),
    Scenario(
        "not_the_gateway",
        "host_route_bad_next_hop",
        REPAIRED,
        (DEFAULT, "route add 169.254.169.254 via 10.0.1.77 dev eth0"),
    ),
    Scenario(
        "gateway_off_subnet",
        "ok_via_default",
        REPAIRED,
        ("route add default via 172.16.0.1 dev eth0 onlink",),
    ),
    Scenario(
        "options_on_link",
        "ok",
        REPAIRED,
        (DEFAULT, HOST + "proto static src 10.0.1.10"),
        RouteOptions(next_hop="on_link"),
    ),
    Scenario(
        "options_on_link_but_dhcp",
        "ok",
        SATISFIED,
        (*DHCP, HOST + "proto dhcp src 10.0.1.10 metric 100"),
        RouteOptions(next_hop="on_link"),
    ),
    Scenario("options_bad_next_hop", "ok_via_default", "bad_next_hop", (DEFAULT,), RouteOptions(next_hop="10.99.0.1")),
    Scenario(
        "options_no_such_nic", "no_such_interface", "no_such_interface", (DEFAULT,), RouteOptions(interface="eth7")
    ),
)
