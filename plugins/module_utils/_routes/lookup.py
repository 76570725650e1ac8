# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which route wins for an address, and which source address its traffic gets. Pure, the same for Linux and Windows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Optional

from . import ipv4
from .model import (
    DEFAULT_RULES,
    ERRORS,
    SCOPES,
    WINDOWS,
    Route,
    RouteVerdict,
    Rule,
    State,
    addresses_of,
    effective_metric,
    find_interface,
    subnet_of,
)


def decide(state: State, target: str = ipv4.IMDS, source: str = "") -> RouteVerdict:
    """Which route traffic to ``target`` takes, and from which address.

    ``source`` is the address a socket is bound to; empty means that the system chooses. A connection that is not bound
    is looked up a second time on Linux, from the address that the first lookup chose: ask for both.
    """
    return _decide_windows(state, target, source) if state.system == WINDOWS else _decide_linux(state, target, source)


def best_rows(state: State, routes: Iterable[Route], target: str) -> list[Route]:
    """The rows that win in one table: longest prefix, then lowest effective metric, then the table's own order.

    Several rows are the legs of one multipath route or, on Windows, a tie. Empty: the table has no answer.
    """
    usable = [route for route in routes if route.usable and ipv4.covers(route.prefix, target)]
    if not usable:
        return []

    def rank(route: Route) -> tuple[int, bool, int]:
        # "local" before "main" matters only where the kernel keeps both in one trie.
        return (-prefix_length(route), route.table != "local", effective_metric(state, route))

    ranks = [rank(route) for route in usable]
    best = min(ranks)
    first = usable[ranks.index(best)]
    if state.system == WINDOWS:
        return [route for route, own in zip(usable, ranks) if own == best]
    if not first.weight:
        return [first]
    return [route for route, own in zip(usable, ranks) if route.weight and own == best]


def _decide_windows(state: State, target: str, source: str) -> RouteVerdict:
    if any(address.address == target for address in state.addresses):
        return RouteVerdict("local", source=target)
    legs = best_rows(state, (route for route in state.routes if _carries_traffic(state, route)), target)
    if not legs:
        return RouteVerdict("none")
    return RouteVerdict("unicast", legs[0], source or choose_source(state, legs[0], target), legs=tuple(legs))


def _carries_traffic(state: State, route: Route) -> bool:
    interface = find_interface(state, route.interface)
    return interface is None or (interface.present and interface.up)


def _decide_linux(state: State, target: str, source: str) -> RouteVerdict:
    rules = DEFAULT_RULES if state.rules is None else state.rules
    for rule, tables in _walk(rules, target, source):
        if tables is None and not _could_answer(state, rule, target):
            continue
        if not tables:
            # A rule's "unreachable" reads like no route at all; only a route's says "no route to host".
            kind = "none" if rule.action == "unreachable" else rule.action
            return RouteVerdict("unknown" if tables is None else kind, source=source, rule=rule)
        legs = best_rows(state, (route for route in state.routes if route.table in tables), target)
        if not legs or legs[0].kind == "throw":
            continue
        winner = legs[0]
        if winner.kind in ERRORS:
            return RouteVerdict(winner.kind, winner, source, rule, tuple(legs))
        if prefix_length(winner) <= rule.suppress_prefixlen:
            continue
        kind = "local" if winner.kind == "local" else "unicast"
        return RouteVerdict(kind, winner, source or choose_source(state, winner, target), rule, tuple(legs))
    return RouteVerdict("none", source=source)


def _could_answer(state: State, rule: Rule, target: str) -> bool:
    """Whether it matters that a rule can't be evaluated: not where its table has nothing to say about the target."""
    if rule.action != "lookup":
        return True
    legs = best_rows(state, (route for route in state.routes if route.table == rule.table), target)
    if not legs or legs[0].kind == "throw":
        return False
    return legs[0].kind in ERRORS or prefix_length(legs[0]) > rule.suppress_prefixlen


def prefix_length(route: Route) -> int:
    """The length of a row's prefix."""
    return ipv4.prefix_length(route.prefix)


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
    priorities = {rule.priority for rule in rules}
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
            if rule.goto in priorities:
                skip_below = rule.goto
        else:
            yield rule, (rule.table,) if rule.action == "lookup" else ()


def rule_matches(rule: Rule, target: str, source: str = "") -> Optional[bool]:
    """Whether a rule applies to unmarked traffic of this host; ``None`` where that hangs on an unknown selector."""
    mark, _slash, mask = rule.fwmark.partition("/")
    known = (
        ipv4.covers(rule.destination, target)
        and ipv4.covers(rule.source, source or "0.0.0.0")
        and (not mark or int(mark, 0) & int(mask or "0xffffffff", 0) == 0)
        and rule.iif in ("", "lo")  # what a host itself sends enters through the loopback interface
        and not rule.oif  # set only for a socket bound to a device
        and (not rule.tos or int(rule.tos, 0) == 0)
    )
    if "l3mdev" in rule.unknown:
        return rule.invert  # only for sockets bound to a VRF
    if known and rule.unknown:
        return None
    return known != rule.invert


# --- which source address -----------------------------------------------------------------------------------------


def choose_source(state: State, route: Route, target: str = ipv4.IMDS) -> str:
    """The source address of traffic that takes ``route`` from an unbound socket; empty where there is none."""
    return _source_windows(state, route, target) if state.system == WINDOWS else _source_linux(state, route, target)


def _source_windows(state: State, route: Route, target: str) -> str:
    """Of the outgoing interface: most bits in common with the next hop, then with the target, then the lowest number.

    Source: Microsoft knowledge base 969029 (IPv4 rules) and 4040882 (a tie goes to the numerically lowest).
    """
    towards = route.next_hop if ipv4.is_ipv4(route.next_hop) else target
    candidates = [a.address for a in addresses_of(state, route.interface) if a.usable and not a.skip_as_source]
    return min(
        candidates,
        key=lambda own: (-ipv4.common_bits(own, towards), -ipv4.common_bits(own, target), ipv4.number(own)),
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
    near = [a for a in own if ipv4.covers(subnet_of(a), route.next_hop)] if route.next_hop else []
    elsewhere = [a for a in primaries if a.scope != "link" and SCOPES.get(a.scope, 0) <= scope]
    return next((a.address for a in near + own + elsewhere), "")
