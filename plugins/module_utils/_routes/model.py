# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Routes, rules, addresses and interfaces of one host. Pure, the same for Linux and Windows.

What differs between the two is said where it differs. An on-link next hop is the empty string. Interfaces are known by
name; each report reader makes sure that names are unique.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple, Optional

from . import ipv4
from .reply import ImdsReply

LINUX = "linux"
WINDOWS = "windows"

# Linux: the smaller the number, the wider an address is valid; an address serves routes of its own scope or narrower.
SCOPES = {"global": 0, "site": 200, "link": 253, "host": 254, "nowhere": 255}

# What the kernel answers to `ip route get` when a lookup ends in an error (fib_props and fib4_rule_action).
ERRORS = {
    "none": "Network is unreachable",
    "unreachable": "No route to host",
    "prohibit": "Permission denied",
    "blackhole": "Invalid argument",
}


DISABLED = "is down"
NO_CARRIER = "has no carrier"


class Interface(NamedTuple):
    """One network interface.

    ``kind``: ``ethernet`` (may carry a VM's traffic), ``loopback``, ``tunnel`` (VPN, ppp), ``virtual`` (container
    bridges, internal NAT switches, dummies) or ``cluster`` (the failover cluster's NetFT adapter).
    ``metric`` is Windows' interface metric; Linux has none. ``present`` is false for an index that only a stored route
    still mentions. ``dhcp``: configured by DHCP, ``None`` where nobody knows. ``master``: what the device is a port or
    a VF of, which then is the NIC, not this device. ``fault``: why nothing can be sent through it, `DISABLED` or
    `NO_CARRIER`; empty where nothing is known against it.
    """

    name: str
    ifindex: int = 0
    mac: str = ""
    kind: str = "ethernet"
    up: bool = True
    metric: int = 0
    dhcp: Optional[bool] = None
    present: bool = True
    master: str = ""
    fault: str = ""


class Address(NamedTuple):
    """One address of an interface, in the order in which the system lists them.

    ``peer`` is the other end of a point-to-point address, whose subnet is the peer's. ``secondary`` is Linux' flag,
    ``skip_as_source`` Windows'. ``virtual``: an address that moves between hosts (cluster VIP). ``usable``: past
    duplicate detection.
    """

    address: str
    prefix_length: int
    interface: str
    peer: str = ""
    scope: str = "global"
    dhcp: bool = False
    secondary: bool = False
    skip_as_source: bool = False
    virtual: bool = False
    usable: bool = True


class Route(NamedTuple):
    """One row of a table; a multipath route is one row per leg, each with its ``weight``.

    ``kind``: ``unicast``, ``local``, ``unreachable``, ``prohibit``, ``blackhole``, ``throw`` ...
    ``table``: Linux' table by name or number; on Windows the store, ``active`` or ``persistent``.
    ``metric`` is the route's own: Windows adds the interface's (`effective_metric`).
    ``opaque`` names attributes that this record does not hold, so that the row could not be put back as it was.
    """

    prefix: str
    interface: str = ""
    next_hop: str = ""
    metric: int = 0
    kind: str = "unicast"
    table: str = "main"
    protocol: str = ""
    source: str = ""
    scope: str = "global"
    onlink: bool = False
    usable: bool = True
    weight: int = 0
    opaque: tuple[str, ...] = ()


class Rule(NamedTuple):
    """One Linux policy rule. ``unknown`` names the selectors that this module can't evaluate."""

    priority: int
    action: str = "lookup"
    table: str = ""
    source: str = ipv4.DEFAULT_PREFIX
    destination: str = ipv4.DEFAULT_PREFIX
    invert: bool = False
    fwmark: str = ""
    iif: str = ""
    oif: str = ""
    tos: str = ""
    suppress_prefixlen: int = -1
    goto: int = 0
    unknown: tuple[str, ...] = ()


class RouteVerdict(NamedTuple):
    """How a lookup ends.

    ``kind``: ``unicast``, ``local``, ``unreachable``, ``prohibit``, ``blackhole``, ``none`` (no route, or ``rule`` says
    so) or ``unknown`` (``rule`` can't be evaluated). ``legs`` are all rows that share the traffic, ``route`` the first.
    """

    kind: str
    route: Optional[Route] = None
    source: str = ""
    rule: Optional[Rule] = None
    legs: tuple[Route, ...] = ()

    @property
    def error(self) -> str:
        """The kernel's error text, empty when traffic leaves."""
        return ERRORS.get(self.kind, "")


class Asked(NamedTuple):
    """``unbound``: what other programs get, ``None`` where it was not asked. ``bound``: interface, address and reply of
    each candidate that was asked from, bound to both.
    """

    unbound: Optional[ImdsReply] = None
    bound: tuple[tuple[str, str, ImdsReply], ...] = ()


class GuestAgent(NamedTuple):
    """``state``: how far it guards IMDS (Enforce, Audit, Disabled); ``rule_id`` of the access rules in force;
    ``refused``: programs that it refused, each as user and process.
    """

    state: str = ""
    rule_id: str = ""
    refused: tuple[str, ...] = ()


class _Reported(NamedTuple):
    """The fields of `State`.

    ``persistent``: the routes to IMDS that come back after a reboot (Windows: PersistentStore; Linux: our own file);
    ``None`` where that can't be known. ``registry`` are Windows' stored routes without an interface.
    ``rules`` is ``None`` where the rules can't be read: then the kernel's three are assumed.
    ``kernel_verdict``, ``kernel_verdict_bound``: the system's own, for an unbound socket and from the primary address.
    ``imds``: what IMDS said when it was asked, ``None`` where nobody asked. ``agent``: what the guest proxy agent of
    the Metadata Security Protocol says about itself. ``firewall``: lines of the host's firewall that name IMDS.
    ``azure``, ``elevated``: ``None`` is unknown. ``persistence``: name of the network stack that will keep the route,
    ``none`` where there is none, empty where it was not found out.
    """

    system: str
    interfaces: tuple[Interface, ...] = ()
    addresses: tuple[Address, ...] = ()
    routes: tuple[Route, ...] = ()
    rules: Optional[tuple[Rule, ...]] = None
    persistent: Optional[tuple[Route, ...]] = None
    registry: tuple[Route, ...] = ()
    kernel_verdict: Optional[RouteVerdict] = None
    kernel_verdict_bound: Optional[RouteVerdict] = None
    imds: Optional[Asked] = None
    agent: Optional[GuestAgent] = None
    firewall: tuple[str, ...] = ()
    azure: Optional[bool] = None
    elevated: Optional[bool] = None
    container: bool = False
    compartments: int = 1
    persistence: str = ""
    errors: tuple[str, ...] = ()


class State(_Reported):
    """Everything that was reported about one host, indexed by interface."""

    @cached_property
    def interface_named(self) -> Mapping[str, Interface]:
        """The interfaces by name."""
        return {interface.name: interface for interface in reversed(self.interfaces)}

    @cached_property
    def addresses_on(self) -> Mapping[str, list[Address]]:
        """The addresses by interface name, in the system's order."""
        found: dict[str, list[Address]] = {}
        for address in self.addresses:
            found.setdefault(address.interface, []).append(address)
        return found

    @cached_property
    def routes_over(self) -> Mapping[str, list[Route]]:
        """The rows in use by interface name."""
        found: dict[str, list[Route]] = {}
        for route in self.routes:
            found.setdefault(route.interface, []).append(route)
        return found

    @cached_property
    def imds_rows(self) -> list[Route]:
        """The rows in use for exactly 169.254.169.254/32."""
        return [route for route in self.routes if route.prefix == ipv4.IMDS_PREFIX and route.table != "local"]

    @cached_property
    def gateways(self) -> dict[str, list[str]]:
        """What `gateways_of` found, by interface name."""
        return {}

    @cached_property
    def stored_keys(self) -> set[tuple[object, ...]]:
        """Windows: keys of the stored rows. What is stored with an own address as next hop is on-link when in use."""
        own = {address.address for address in self.addresses}
        rows = self.persistent or ()
        return {row[:3] for row in rows} | {row._replace(next_hop="")[:3] for row in rows if row.next_hop in own}

    @cached_property
    def looked_up_tables(self) -> set[str]:
        """The tables that some rule refers to; on Windows the one in use."""
        if self.system == WINDOWS:
            return {"active"}
        rules = DEFAULT_RULES if self.rules is None else self.rules
        return {rule.table for rule in rules if rule.table}


class ReportError(ValueError):
    """A host's report can't be read; the text names the part."""


DEFAULT_RULES = (Rule(0, table="local"), Rule(32766, table="main"), Rule(32767, table="default"))


# --- what belongs to what -----------------------------------------------------------------------------------------


def find_interface(state: State, name: str) -> Optional[Interface]:
    """The interface of that name."""
    return state.interface_named.get(name)


def addresses_of(state: State, interface: str) -> list[Address]:
    """The addresses of one interface, in the system's order."""
    return state.addresses_on.get(interface, [])


def subnet_of(address: Address) -> str:
    """The prefix that an address puts on its link."""
    return ipv4.make_prefix(address.peer or address.address, address.prefix_length)


def gateways_of(state: State, interface: str) -> list[str]:
    """The gateways of an interface, best first: by its default routes, then by its route to the wire server.

    Where the table that everybody uses names one, no other counts: a policy table may hold a bogus one. Tables that no
    rule refers to say nothing.
    """
    if interface not in state.gateways:
        state.gateways[interface] = _gateways(state, interface)
    return state.gateways[interface]


def _gateways(state: State, interface: str) -> list[str]:
    rows = [row for row in state.routes_over.get(interface, ()) if row.table in state.looked_up_tables]
    rows = [row for row in rows if row.prefix in (ipv4.DEFAULT_PREFIX, ipv4.WIRESERVER_PREFIX)]
    rows = [row for row in rows if ipv4.is_ipv4(row.next_hop)]
    rows = [row for row in rows if is_common(row)] or rows
    rows.sort(key=lambda row: (row.prefix != ipv4.DEFAULT_PREFIX, effective_metric(state, row)))
    return list(dict.fromkeys(row.next_hop for row in rows))


def is_common(route: Route) -> bool:
    """Whether the row stands where every lookup goes: Linux' main table, Windows' active store."""
    return route.table in ("main", "active")


def dhcp_learned(state: State, route: Route) -> bool:
    """Whether a row of the running table came by DHCP.

    Linux marks it. On Windows nothing on the row tells it: it is one that is not stored, on a NIC configured by DHCP.
    What is stored with an own address as next hop is on-link when in use.
    """
    if state.system == LINUX:
        return route.protocol == "dhcp"
    interface = find_interface(state, route.interface)
    return (
        route.table == "active"
        and interface is not None
        and interface.dhcp is True
        and route[:3] not in state.stored_keys
    )


def same_route(first: Route, second: Route) -> bool:
    """Whether two rows have the same key on Windows: prefix, interface and next hop."""
    return first[:3] == second[:3]


def effective_metric(state: State, route: Route) -> int:
    """What competes: on Windows the route's metric plus its interface's, on Linux the route's alone."""
    interface = find_interface(state, route.interface)
    return route.metric + (interface.metric if interface else 0)


def host_routes(state: State) -> list[Route]:
    """The rows for exactly 169.254.169.254/32 that the system uses now, whatever their table."""
    return list(state.imds_rows)


def as_row(state: State, route: Route) -> dict[str, object]:
    """A route as plain data for a result or as evidence."""
    interface = find_interface(state, route.interface)
    return {
        "prefix": route.prefix,
        "interface": route.interface,
        "index": interface.ifindex if interface else 0,
        "next_hop": route.next_hop,
        "metric": route.metric,
        "effective_metric": effective_metric(state, route),
        "store": route.table,
        "type": route.kind,
        "protocol": route.protocol,
        "source": route.source,
    }
