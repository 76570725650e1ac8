# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""States of a VM's routes to IMDS, each as the commands that build it, and what the route fix has to do about it.

Every VM has two NICs: eth0, the primary, 10.77.N.4, and eth1, 10.78.N.4, whose packets IMDS never answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .asking import ANSWER, AT_ONCE, NO_CONNECTION, SILENCE

REPAIRED = "repaired"
SATISFIED = "satisfied"

# What the primary NIC has: what Azure gives by DHCP; what a static configuration leaves of it; nothing.
DHCP: Mapping[str, Any] = {}
STATIC: Mapping[str, Any] = {"azure_routes": False}
BARE: Mapping[str, Any] = {"azure_routes": False, "default_route": False}
# IMDS would tell which NIC is the primary one, if it were reached on any path.
DEAF: Mapping[str, Any] = {**BARE, "reaches_imds": False}

HOST = "route add 169.254.169.254 via 10.77.{n}.1 dev eth0"
OTHER = "route add 169.254.169.254 via 10.78.{n}.1 dev eth1"
TUNNEL = (
    "link add wg0 type veth peer name wg1",
    "link set wg0 up",
    "route add default dev wg0 table 51820",
)
CLOUD_SETUP = (
    "route add default via 10.77.{n}.1 dev eth0 table 30400",
    "route add default via 10.78.{n}.1 dev eth1 table 30401",
    "rule add pref 30350 table main suppress_prefixlength 0",
    "rule add pref 30400 from 10.77.{n}.4 table 30400",
    "rule add pref 30401 from 10.78.{n}.4 table 30401",
)


class RouteState(NamedTuple):
    """``before``: how asking IMDS ends. ``code``: the diagnosis' headline. ``outcome``: repaired, satisfied, or the
    code of the refusal. Commands and options hold ``{n}`` for the VM's number. ``by_tables``: code and outcome where
    nobody may ask and the tables alone are judged, if those are others.
    """

    before: str
    code: str
    outcome: str
    nic: Mapping[str, Any]
    commands: tuple[str, ...] = ()
    options: Mapping[str, Any] = {}
    by_tables: tuple[str, str] = ("", "")


NIC0 = {"interface": "eth0"}

STATES: Mapping[str, RouteState] = {
    "healthy": RouteState(ANSWER, "ok", SATISFIED, DHCP),
    "default-only": RouteState(ANSWER, "ok_via_default", REPAIRED, STATIC),
    "no-route": RouteState(AT_ONCE, "no_route", REPAIRED, BARE, by_tables=("", "no_default_route")),
    "no-route-named": RouteState(AT_ONCE, "no_route", REPAIRED, BARE, options=NIC0),
    "on-link": RouteState(ANSWER, "ok", SATISFIED, STATIC, ("route add 169.254.169.254 dev eth0",)),
    "zeroconf": RouteState(SILENCE, "captured_by_apipa", REPAIRED, STATIC, ("route add 169.254.0.0/16 dev eth1",)),
    "zeroconf-twice": RouteState(
        SILENCE,
        "captured_by_apipa",
        REPAIRED,
        STATIC,
        ("route add 169.254.0.0/16 dev eth0 metric 1003", "route add 169.254.0.0/16 dev eth1 metric 1002"),
    ),
    "cluster-address": RouteState(
        NO_CONNECTION, "captured_by_apipa", REPAIRED, STATIC, ("address add 169.254.1.156/16 dev eth1",)
    ),
    "wrong-nic": RouteState(SILENCE, "host_route_wrong_interface", REPAIRED, STATIC, (OTHER,)),
    "wrong-nic-hands-off": RouteState(
        SILENCE,
        "host_route_wrong_interface",
        "foreign_host_route",
        STATIC,
        (OTHER,),
        {"remove_conflicting": False},
    ),
    "wrong-nic-of-an-agent": RouteState(
        SILENCE, "host_route_wrong_interface", "foreign_host_route", STATIC, (OTHER + " proto bird",)
    ),
    "bad-next-hop": RouteState(
        NO_CONNECTION,
        "host_route_bad_next_hop",
        REPAIRED,
        STATIC,
        ("route add 169.254.169.254 via 10.7.7.7 dev eth0 onlink",),
    ),
    "duplicates": RouteState(
        SILENCE,
        "host_route_wrong_interface",
        REPAIRED,
        STATIC,
        (HOST + " src 10.77.{n}.4 metric 100", OTHER + " metric 50"),
    ),
    "duplicates-beside-dhcp": RouteState(
        SILENCE, "host_route_wrong_interface", REPAIRED, DHCP, (OTHER + " proto static metric 1",)
    ),
    "duplicates-that-lose": RouteState(ANSWER, "ok", REPAIRED, DHCP, (OTHER + " metric 900",)),
    "unreachable": RouteState(
        AT_ONCE, "blocked_by_unreachable_route", REPAIRED, STATIC, ("route add unreachable 169.254.169.254",)
    ),
    "blackhole": RouteState(
        AT_ONCE, "blocked_by_unreachable_route", REPAIRED, STATIC, ("route add blackhole 169.254.169.254",)
    ),
    "prohibit": RouteState(
        AT_ONCE, "blocked_by_unreachable_route", REPAIRED, STATIC, ("route add prohibit 169.254.169.254 metric 7",)
    ),
    "unreachable-wide": RouteState(
        AT_ONCE, "blocked_by_unreachable_route", REPAIRED, STATIC, ("route add unreachable 169.254.0.0/16",)
    ),
    "wrong-source": RouteState(
        SILENCE,
        "wrong_source_address",
        REPAIRED,
        {**DHCP, "secondary_addresses": ["10.77.{n}.9"]},
        (HOST + " src 10.77.{n}.9",),
    ),
    "secondary-first": RouteState(
        SILENCE,
        "wrong_source_address",
        REPAIRED,
        {**STATIC, "default_route": False, "secondary_addresses": ["10.77.{n}.9"]},
        ("route add default via 10.77.{n}.1 dev eth0 src 10.77.{n}.9",),
        {"primary_ip": "10.77.{n}.4"},
    ),
    "local-address": RouteState(
        AT_ONCE, "imds_address_is_local", "imds_address_is_local", STATIC, ("address add 169.254.169.254/32 dev lo",)
    ),
    "cloud-setup": RouteState(ANSWER, "ok_via_default", REPAIRED, STATIC, CLOUD_SETUP),
    "wireguard": RouteState(
        NO_CONNECTION,
        "policy_rule_override",
        "policy_rule_override",
        STATIC,
        (*TUNNEL, "rule add pref 32764 not fwmark 0xca6c table 51820"),
    ),
    "wireguard-host-routes-first": RouteState(
        NO_CONNECTION,
        "policy_rule_override",
        REPAIRED,
        STATIC,
        (
            *TUNNEL,
            "rule add pref 32764 not fwmark 0xca6c table 51820",
            "rule add pref 32763 table main suppress_prefixlength 0",
        ),
    ),
    "rule-to-a-dead-end": RouteState(
        AT_ONCE,
        "blocked_by_unreachable_route",
        "blocked_by_unreachable_route",
        DHCP,
        ("route add unreachable default table 77", "rule add pref 100 to 169.254.169.254 table 77"),
    ),
    "rule-prohibits": RouteState(
        AT_ONCE,
        "policy_rule_override",
        "policy_rule_override",
        DHCP,
        ("rule add pref 100 to 169.254.0.0/16 prohibit",),
    ),
    "rule-of-a-protocol": RouteState(
        ANSWER,
        "ok_via_default",
        "unknown_rule_selector",
        STATIC,
        ("route add default via 10.78.{n}.1 dev eth1 table 100", "rule add pref 100 ipproto icmp table 100"),
    ),
    "split-default": RouteState(
        SILENCE,
        "captured_by_other_interface",
        REPAIRED,
        STATIC,
        ("route add 0.0.0.0/1 via 10.78.{n}.1 dev eth1", "route add 128.0.0.0/1 via 10.78.{n}.1 dev eth1"),
    ),
    "multipath": RouteState(
        "",  # the kernel picks a leg
        "captured_by_other_interface",
        REPAIRED,
        BARE,
        ("route add default nexthop via 10.77.{n}.1 dev eth0 nexthop via 10.78.{n}.1 dev eth1",),
        NIC0,
    ),
    "default-on-the-other": RouteState(
        SILENCE,
        "captured_by_other_interface",
        REPAIRED,
        BARE,
        ("route add default via 10.78.{n}.1 dev eth1",),
        NIC0,
    ),
    "two-equal-defaults": RouteState(
        NO_CONNECTION,
        "ambiguous_primary_nic",
        "ambiguous_primary_nic",
        DEAF,
        ("route add default via 10.77.{n}.1 dev eth0", "route append default via 10.78.{n}.1 dev eth1"),
    ),
    "two-equal-addresses": RouteState(
        NO_CONNECTION,
        "silent_although_routed",
        "ambiguous_primary_ip",
        {**DEAF, "secondary_addresses": ["10.77.{n}.9"]},
        ("route add default via 10.77.{n}.1 dev eth0 src 10.77.{n}.9",),
        by_tables=("ambiguous_primary_ip", ""),
    ),
    "no-such-nic": RouteState(ANSWER, "no_such_interface", "no_such_interface", DHCP, options={"interface": "eth7"}),
    "no-such-address": RouteState(
        ANSWER, "no_such_address", "no_such_address", DHCP, options={"interface": "eth0", "primary_ip": "10.77.{n}.77"}
    ),
    "next-hop-elsewhere": RouteState(
        ANSWER, "ok_via_default", "bad_next_hop", STATIC, options={"next_hop": "10.99.0.1"}
    ),
    "on-link-wished": RouteState(ANSWER, "ok_via_default", REPAIRED, STATIC, options={"next_hop": "on_link"}),
}


def vm(name: str, number: int) -> dict[str, Any]:
    """The VM of that state in a lab's topology; ``number`` is its place in the list."""
    state = STATES[name]
    commands = [command.split() for command in state.commands]
    document = {"name": name, "nics": [state.nic, {}], "ip": commands, "vars": {"route_options": state.options}}
    return dict(numbered(document, number))


def numbered(value: Any, number: int) -> Any:
    """The same with every ``{n}`` replaced."""
    if isinstance(value, Mapping):
        return {key: numbered(item, number) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [numbered(item, number) for item in value]
    return value.replace("{n}", str(number)) if isinstance(value, str) else value
