# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Routes, rules, addresses and interfaces of one host, and which route wins for an address.

Everything here is IPv4, pure, and the same for Linux and Windows; what differs is said where it differs.
Addresses are dotted text, prefixes canonical text with a length (``0.0.0.0/0``, ``169.254.169.254/32``), an on-link
next hop is the empty string. Interfaces are known by name; each reader makes sure that names are unique.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Optional

IMDS = "169.254.169.254"
IMDS_PREFIX = "169.254.169.254/32"
WIRESERVER_PREFIX = "168.63.129.16/32"
DEFAULT_PREFIX = "0.0.0.0/0"
LINK_LOCAL_PREFIX = "169.254.0.0/16"
LOOPBACK_PREFIX = "127.0.0.0/8"

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


class Interface(NamedTuple):
    """One network interface.

    ``kind``: ``ethernet`` (may carry a VM's traffic), ``loopback``, ``tunnel`` (VPN, ppp), ``virtual`` (container
    bridges,
    internal NAT switches, dummies) or ``cluster`` (the failover cluster's NetFT adapter).
    ``metric`` is Windows' interface metric; Linux has none. ``present`` is false for an index that only a stored route
    still mentions. ``dhcp``: configured by DHCP, ``None`` where nobody knows.
    """

    name: str
    ifindex: int = 0
    mac: str = ""
    kind: str = "ethernet"
    up: bool = True
    metric: int = 0
    dhcp: Optional[bool] = None
    present: bool = True


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
    ``opaque``: the row has attributes that this record does not hold, so it could not be put back as it was.
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
    opaque: bool = False


class Rule(NamedTuple):
    """One Linux policy rule. ``unknown`` names the selectors that this module can't evaluate."""

    priority: int
    action: str = "lookup"
    table: str = ""
    source: str = DEFAULT_PREFIX
    destination: str = DEFAULT_PREFIX
    invert: bool = False
    fwmark: str = ""
    iif: str = ""
    oif: str = ""
    tos: str = ""
    suppress_prefixlen: int = -1
    goto: int = 0
    unknown: tuple[str, ...] = ()


class Verdict(NamedTuple):
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


class State(NamedTuple):
    """All that was reported about one host.

    ``persistent``: the routes to IMDS that come back after a reboot (Windows: PersistentStore; Linux: our own file);
    ``None`` where that can't be known. ``registry`` are Windows' stored routes without an interface.
    ``rules`` is ``None`` where the rules can't be read: then the kernel's three are assumed.
    ``oracle``, ``oracle_bound``: the system's own verdict, unbound and from the primary address.
    ``imds_mac``, ``imds_address``: the first interface by IMDS' own answer, where it answers.
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
    oracle: Optional[Verdict] = None
    oracle_bound: Optional[Verdict] = None
    imds_mac: str = ""
    imds_address: str = ""
    azure: Optional[bool] = None
    elevated: Optional[bool] = None
    container: bool = False
    compartments: int = 1
    persistence: str = ""
    errors: tuple[str, ...] = ()


class ReportError(ValueError):
    """A host's report can't be read; the text names the part."""


DEFAULT_RULES = (Rule(0, table="local"), Rule(32766, table="main"), Rule(32767, table="default"))


# --- addresses and prefixes ---------------------------------------------------------------------------------------


def number(address: str) -> int:
    """The address as an integer. ValueError where it is not dotted IPv4 text."""
    parts = address.split(".")
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() and int(part) < 256 for part in parts):
        raise ValueError(f"not an IPv4 address: {address!r}")
    value = 0
    for part in parts:
        value = value << 8 | int(part)
    return value


def is_ipv4(address: str) -> bool:
    """Whether the text is a dotted IPv4 address."""
    try:
        number(address)
    except ValueError:
        return False
    return True


def text(value: int) -> str:
    """An integer as dotted text."""
    return ".".join(str(value >> shift & 255) for shift in (24, 16, 8, 0))


def make_prefix(address: str, length: int) -> str:
    """The canonical prefix that holds ``address``: host bits cleared. ValueError for a bad address or length."""
    if not 0 <= length <= 32:
        raise ValueError(f"not a prefix length: {length}")
    return f"{text(number(address) & _mask(length))}/{length}"


def parse_prefix(value: str) -> str:
    """``default``, ``all``, ``10.0.0.1`` or ``10.0.0.0/8`` in canonical form. ValueError for anything else."""
    if value in ("default", "all", "any"):
        return DEFAULT_PREFIX
    address, slash, length = value.partition("/")
    if slash and not (length.isascii() and length.isdigit()):
        raise ValueError(f"not a prefix: {value!r}")
    return make_prefix(address, int(length) if slash else 32)


def mask_length(mask: str) -> int:
    """Length of a netmask. ValueError where its ones are not at the left."""
    value = number(mask)
    length = bin(value).count("1")
    if _mask(length) != value:
        raise ValueError(f"not a netmask: {mask!r}")
    return length


def prefix_length(prefix: str) -> int:
    """The number after the slash."""
    return int(prefix.partition("/")[2])


def covers(prefix: str, address: str) -> bool:
    """Whether the prefix contains the address; false for text that is no IPv4 address (an IPv6 next hop)."""
    network, _slash, length = prefix.partition("/")
    return is_ipv4(address) and (number(network) ^ number(address)) & _mask(int(length)) == 0


def common_bits(first: str, second: str) -> int:
    """How many leading bits two addresses share."""
    return 32 - (number(first) ^ number(second)).bit_length()


def _mask(length: int) -> int:
    return 0xFFFFFFFF << (32 - length) & 0xFFFFFFFF


# --- what belongs to what -----------------------------------------------------------------------------------------


def find_interface(state: State, name: str) -> Optional[Interface]:
    """The interface of that name."""
    return next((interface for interface in state.interfaces if interface.name == name), None)


def addresses_of(state: State, interface: str) -> list[Address]:
    """The addresses of one interface, in the system's order."""
    return [address for address in state.addresses if address.interface == interface]


def subnet_of(address: Address) -> str:
    """The prefix that an address puts on its link."""
    return make_prefix(address.peer or address.address, address.prefix_length)


def gateways_of(state: State, interface: str) -> list[str]:
    """The gateways of an interface, best first: by its default routes, then by its route to the wire server.

    A default route of Linux' main table counts before one of another table.
    """
    rows = [row for row in state.routes if row.prefix in (DEFAULT_PREFIX, WIRESERVER_PREFIX)]
    rows = [row for row in rows if row.interface == interface and is_ipv4(row.next_hop)]
    rows.sort(key=lambda row: (row.prefix != DEFAULT_PREFIX, not is_common(row), effective_metric(state, row)))
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
    own = {address.address for address in state.addresses}
    stored = [row._replace(next_hop="") if row.next_hop in own else row for row in state.persistent or ()]
    return (
        route.table == "active"
        and interface is not None
        and interface.dhcp is True
        and not any(same_route(route, row) for row in (*(state.persistent or ()), *stored))
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
    return [route for route in state.routes if route.prefix == IMDS_PREFIX and route.table != "local"]


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


# --- who wins -----------------------------------------------------------------------------------------------------


def decide(state: State, target: str = IMDS, source: str = "") -> Verdict:
    """Which route traffic to ``target`` takes, and from which address.

    ``source`` is the address a socket is bound to; empty means that the system chooses. A connection that is not bound
    is looked up a second time on Linux, from the address that the first lookup chose: ask for both.
    """
    return _decide_windows(state, target, source) if state.system == WINDOWS else _decide_linux(state, target, source)


def lookup(state: State, routes: Iterable[Route], target: str) -> list[Route]:
    """The rows that win in one table: longest prefix, then lowest effective metric, then the table's own order.

    Several rows are the legs of one multipath route or, on Windows, a tie. Empty: the table has no answer.
    """
    usable = [route for route in routes if route.usable and covers(route.prefix, target)]
    if not usable:
        return []

    def rank(route: Route) -> tuple[int, bool, int]:
        # "local" before "main" matters only where the kernel keeps both in one trie.
        return (-prefix_length(route.prefix), route.table != "local", effective_metric(state, route))

    best = min(usable, key=rank)
    if state.system == WINDOWS:
        return [route for route in usable if rank(route) == rank(best)]
    if not best.weight:
        return [best]
    return [route for route in usable if route.weight and rank(route) == rank(best)]


def _decide_windows(state: State, target: str, source: str) -> Verdict:
    if any(address.address == target for address in state.addresses):
        return Verdict("local", source=target)
    legs = lookup(state, (route for route in state.routes if _carries_traffic(state, route)), target)
    if not legs:
        return Verdict("none")
    return Verdict("unicast", legs[0], source or choose_source(state, legs[0], target), legs=tuple(legs))


def _carries_traffic(state: State, route: Route) -> bool:
    interface = find_interface(state, route.interface)
    return interface is None or (interface.present and interface.up)


def _decide_linux(state: State, target: str, source: str) -> Verdict:
    for rule, tables in _walk(state.rules or DEFAULT_RULES, target, source):
        if not tables:
            # A rule's "unreachable" reads like no route at all; only a route's says "no route to host".
            kind = "none" if rule.action == "unreachable" else rule.action
            return Verdict("unknown" if tables is None else kind, source=source, rule=rule)
        legs = lookup(state, (route for route in state.routes if route.table in tables), target)
        if not legs or legs[0].kind == "throw":
            continue
        winner = legs[0]
        if winner.kind in ERRORS:
            return Verdict(winner.kind, winner, source, rule, tuple(legs))
        if prefix_length(winner.prefix) <= rule.suppress_prefixlen:
            continue
        kind = "local" if winner.kind == "local" else "unicast"
        return Verdict(kind, winner, source or choose_source(state, winner, target), rule, tuple(legs))
    return Verdict("none", source=source)


def _walk(rules: tuple[Rule, ...], target: str, source: str) -> Iterator[tuple[Rule, Optional[tuple[str, ...]]]]:
    """Yield each rule that matches with the tables to look in.

    No table: the rule itself ends the lookup. ``None``: nobody can say whether it matches.
    """
    if rules == DEFAULT_RULES:
        # Until the first rule is added, the kernel keeps local and main in one trie: the longer prefix wins in both.
        yield rules[1], ("local", "main")
        yield rules[2], ("default",)
        return
    skip_below = 0
    for rule in rules:
        if rule.priority < skip_below:
            continue
        matches = rule_matches(rule, target, source)
        if matches is False or rule.action == "nop":
            continue
        if matches is None:
            yield rule, None
        elif rule.action == "goto":
            # A goto without a rule to land on is skipped by the kernel.
            if any(other.priority == rule.goto for other in rules):
                skip_below = rule.goto
        else:
            yield rule, (rule.table,) if rule.action == "lookup" else ()


def rule_matches(rule: Rule, target: str, source: str = "") -> Optional[bool]:
    """Whether a rule applies to unmarked traffic of this host; ``None`` where that hangs on an unknown selector."""
    mark, _slash, mask = rule.fwmark.partition("/")
    known = (
        covers(rule.destination, target)
        and covers(rule.source, source or "0.0.0.0")
        and (not mark or int(mark, 0) & int(mask or "0xffffffff", 0) == 0)
        and rule.iif in ("", "lo")  # what a host itself sends enters through the loopback interface
        and not rule.oif  # set only for a socket bound to a device
        and (not rule.tos or int(rule.tos, 0) == 0)
    )
    if known and rule.unknown:
        return None
    return known != rule.invert


# --- which source address -----------------------------------------------------------------------------------------


def choose_source(state: State, route: Route, target: str = IMDS) -> str:
    """The source address of traffic that takes ``route`` from an unbound socket; empty where there is none."""
    return _source_windows(state, route, target) if state.system == WINDOWS else _source_linux(state, route, target)


def _source_windows(state: State, route: Route, target: str) -> str:
    """Of the outgoing interface: most bits in common with the next hop, then with the target, then the lowest number.

    Source: Microsoft knowledge base 969029 (IPv4 rules) and 4040882 (a tie goes to the numerically lowest).
    """
    towards = route.next_hop if is_ipv4(route.next_hop) else target
    candidates = [a.address for a in addresses_of(state, route.interface) if a.usable and not a.skip_as_source]
    return min(
        candidates,
        key=lambda own: (-common_bits(own, towards), -common_bits(own, target), number(own)),
        default="",
    )


def _source_linux(state: State, route: Route, target: str) -> str:
    """The route's own, else by the kernel's ``inet_select_addr``: in order, those in the next hop's subnet first."""
    if route.source:
        return route.source
    if route.kind == "local":
        return target
    scope = SCOPES.get(route.scope, 0)
    primaries = [a for a in state.addresses if not a.secondary]
    own = [a for a in primaries if a.interface == route.interface and SCOPES.get(a.scope, 0) <= scope]
    near = [a for a in own if covers(subnet_of(a), route.next_hop)] if route.next_hop else []
    elsewhere = [a for a in primaries if a.scope != "link" and SCOPES.get(a.scope, 0) <= scope]
    return next((a.address for a in near + own + elsewhere), "")
