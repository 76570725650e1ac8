# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong between a host and 169.254.169.254: from its tables to findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, Optional

from ansible_collections.imds.azure.plugins.module_utils._routes import table
from ansible_collections.imds.azure.plugins.module_utils._routes.findings import Finding, finding
from ansible_collections.imds.azure.plugins.module_utils._routes.options import DEFAULT, Wishes
from ansible_collections.imds.azure.plugins.module_utils._routes.primary import Primary, find_primary
from ansible_collections.imds.azure.plugins.module_utils._routes.table import Route, Rule, State, Verdict

# What can be wrong with a next hop.
OFF_SUBNET = "no subnet of the primary NIC holds"
NOT_THE_GATEWAY = "is not the gateway of the primary NIC"


class Diagnosis(NamedTuple):
    """``findings``: errors first, then how the traffic goes, then warnings.

    ``bound`` is the verdict for a socket bound to the primary address.
    """

    primary: Primary
    winner: Verdict
    bound: Verdict
    findings: tuple[Finding, ...]

    @property
    def code(self) -> str:
        """The headline: the first finding's code."""
        return self.findings[0].code if self.findings else ""


def diagnose(state: State, wishes: Wishes = DEFAULT) -> Diagnosis:
    """Judge the host as it is. Where the system's own verdict was reported, it counts more than what we work out."""
    primary = find_primary(state, wishes)
    winner, bound = verdicts(state, primary)
    case = _Case(state, primary, winner, bound)
    found = [one for check in _CHECKS for one in check(case)]
    if any(one.severity == "error" for one in found):
        found = [one for one in found if one.code not in ("ok", "ok_via_default")]
    order = ("error", "refusal", "ok", "warning")
    found.sort(key=lambda one: 2 if one.code == "ok_via_default" else order.index(one.severity))
    return Diagnosis(primary, winner, bound, tuple(found))


def verdicts(state: State, primary: Primary) -> tuple[Verdict, Verdict]:
    """The verdict for an unbound socket and for one bound to the primary address."""
    winner = _settle(state, table.decide(state), state.oracle)
    source = primary.address or winner.source
    return winner, _settle(state, table.decide(state, source=source), state.oracle_bound) if source else winner


def next_hop_fault(state: State, primary: Primary, route: Route) -> str:
    """Why a next hop on the primary NIC is not one that leads to IMDS; empty where it is.

    Good are: on-link, an own address (which means on-link), the NIC's gateway, and whatever DHCP has put there. Where
    the NIC has no known gateway, any address of its subnets.
    """
    own = table.addresses_of(state, primary.name)
    if (
        not route.next_hop
        or any(address.address == route.next_hop for address in own)
        or table.dhcp_learned(state, route)
    ):
        return ""
    gateways = table.gateways_of(state, primary.name)
    if route.next_hop in gateways:
        return ""
    if all(address.prefix_length == 32 for address in own):
        return ""  # the subnet is unknown or has no on-link part
    if not any(table.covers(table.subnet_of(address), route.next_hop) for address in own):
        return OFF_SUBNET
    return NOT_THE_GATEWAY if gateways else ""


# --- the system's own verdict -------------------------------------------------------------------------------------


def _settle(state: State, ours: Verdict, oracle: Optional[Verdict]) -> Verdict:
    """Our verdict where the system agrees (it knows the prefix and the rule), else the system's."""
    if oracle is None or _agrees(ours, oracle):
        return ours
    if oracle.route is None or oracle.route.prefix:
        return oracle
    # Linux does not say which row it took: the longest that leads the same way.
    same = [r for r in state.routes if _same_way(r, oracle.route) and table.covers(r.prefix, table.IMDS)]
    row = max(
        same, key=lambda r: table.prefix_length(r.prefix), default=oracle.route._replace(prefix=table.IMDS_PREFIX)
    )
    return oracle._replace(route=row, legs=(row,))


def _agrees(ours: Verdict, oracle: Verdict) -> bool:
    if ours.error or oracle.error:
        return ours.error == oracle.error
    # Each leg of a multipath route may have a source of its own.
    if ours.kind != oracle.kind or (oracle.source and ours.source != oracle.source and len(ours.legs) < 2):
        return False
    return ours.kind == "local" or any(oracle.route and _same_way(leg, oracle.route) for leg in ours.legs)


def _same_way(first: Route, second: Route) -> bool:
    return (first.interface, first.next_hop) == (second.interface, second.next_hop)


# --- the checks ---------------------------------------------------------------------------------------------------


class _Case(NamedTuple):
    state: State
    primary: Primary
    winner: Verdict
    bound: Verdict

    def rows(self, *routes: Optional[Route], rule: Optional[Rule] = None) -> list[Mapping[str, object]]:
        """Evidence: the rule that led there, if it is not one of the kernel's own, and the rows."""
        notable = rule is not None and rule not in table.DEFAULT_RULES
        rules: list[Mapping[str, object]] = [{"rule": rule._asdict()}] if rule and notable else []
        return rules + [table.as_row(self.state, route) for route in routes if route]

    @property
    def known_name(self) -> str:
        return self.primary.name or "(unknown)"


def _check_primary(case: _Case) -> Iterator[Finding]:
    yield from case.primary.problems


def _check_winner(case: _Case) -> Iterator[Finding]:
    verdict = case.winner
    if verdict.kind == "local":
        yield finding("imds_address_is_local", case.rows(verdict.route, rule=verdict.rule))
    elif verdict.error and verdict.rule and not verdict.route:
        yield _override(case, verdict)
    elif verdict.error and not verdict.route:
        yield finding("no_route", cause=_cause(case))
    elif verdict.route and verdict.error:
        words = {"kind": verdict.kind, "prefix": verdict.route.prefix}
        yield finding("blocked_by_unreachable_route", case.rows(verdict.route, rule=verdict.rule), **words)
    elif verdict.kind == "unicast":
        judged = [_judge(case, leg) for leg in verdict.legs]
        yield from sorted((one for one in judged if one), key=lambda one: one.severity != "error")[:1]


def _judge(case: _Case, leg: Route) -> Optional[Finding]:
    """How one leg of the winning route is to be seen."""
    nic = table.find_interface(case.state, leg.interface)
    kind = nic.kind if nic else "ethernet"
    own = leg.interface == case.primary.name
    is_host_route = leg.prefix == table.IMDS_PREFIX
    words = {
        "interface": leg.interface,
        "prefix": leg.prefix,
        "next_hop": leg.next_hop or "on-link",
        "primary": case.known_name,
        "cause": _cause(case),
        "fault": OFF_SUBNET,
    }
    evidence = case.rows(leg, rule=case.winner.rule)
    code = ""
    if own:
        code = "ok_via_default"
        if is_host_route:
            fault = next_hop_fault(case.state, case.primary, leg)
            words["fault"] = fault
            if fault == NOT_THE_GATEWAY:
                return finding("host_route_bad_next_hop", evidence, severity="warning", **words)
            code = "host_route_bad_next_hop" if fault else "ok"
    elif kind == "cluster":
        code = "captured_by_cluster_adapter"
    elif kind == "tunnel":
        code = "captured_by_vpn"
    elif is_host_route and kind == "loopback":
        code = "host_route_bad_next_hop"
    elif is_host_route:
        code = "host_route_wrong_interface" if case.primary.name else ""
    elif table.prefix_length(leg.prefix) >= 16 and table.covers(table.LINK_LOCAL_PREFIX, leg.prefix.partition("/")[0]):
        code = "captured_by_apipa"
    elif leg.table not in ("main", "default", "active"):
        return _override(case, case.winner)
    elif case.primary.name:
        code = "captured_by_other_interface"
    return finding(code, evidence, **words) if code else None


def _check_bound(case: _Case) -> Iterator[Finding]:
    """A connection is looked up again from the address chosen for it: a rule for that address may lead elsewhere."""
    leads_out = case.winner.kind == "unicast" and all(leg.interface == case.primary.name for leg in case.winner.legs)
    if not leads_out or not case.primary.name or case.bound.kind == "unknown":
        return
    if case.bound.kind != "unicast" or any(leg.interface != case.primary.name for leg in case.bound.legs):
        yield _override(case, case.bound)


def _check_rules(case: _Case) -> Iterator[Finding]:
    for verdict in (table.decide(case.state), table.decide(case.state, source=case.primary.address)):
        if verdict.kind == "unknown" and verdict.rule:
            selectors, evidence = ", ".join(verdict.rule.unknown), case.rows(rule=verdict.rule)
            yield finding("unknown_rule_selector", evidence, priority=verdict.rule.priority, selectors=selectors)
            return


def _check_source(case: _Case) -> Iterator[Finding]:
    """Only where the way out is right: another NIC's own address is no fault of its own."""
    source, address = case.winner.source, case.primary.address
    legs = case.winner.legs
    if not source or not address or source == address or any(leg.interface != case.primary.name for leg in legs):
        return
    if case.winner.kind != "unicast":
        return
    chosen = next((a for a in table.addresses_of(case.state, case.primary.name) if a.address == source), None)
    if case.state.system == table.LINUX:
        how = "state: present writes the source address into the host route."
    elif chosen and chosen.virtual:
        how = "It is a cluster's address, which is never changed: give the cluster one that is higher than the primary."
    else:
        how = "Set fix_source: true: it marks the other addresses SkipAsSource, which also ends their DNS registration."
    yield finding("wrong_source_address", case.rows(*legs), source=source, address=address, how=how)


def _check_duplicates(case: _Case) -> Iterator[Finding]:
    rows = [row for row in table.host_routes(case.state) if table.is_common(row)]
    name = case.primary.name

    def contradicts(row: Route) -> bool:
        if not name:
            return row.interface != rows[0].interface
        return row.kind != "unicast" or row.interface != name or next_hop_fault(case.state, case.primary, row) != ""

    if len(rows) > 1 and any(contradicts(row) for row in rows):
        yield finding("duplicate_host_routes", case.rows(*rows))


def _check_persistent(case: _Case) -> Iterator[Finding]:
    for row in case.state.persistent or ():
        if row.prefix != table.IMDS_PREFIX:
            continue
        nic = table.find_interface(case.state, row.interface)
        evidence = case.rows(row)
        if row.interface and (nic is None or not nic.present):
            yield finding("orphaned_persistent_route", evidence, index=nic.ifindex if nic else row.interface)
        elif not case.primary.name:
            continue
        elif row.interface not in ("", case.primary.name) or next_hop_fault(case.state, case.primary, row):
            words = {"interface": row.interface or "interface unknown", "next_hop": row.next_hop or "on-link"}
            yield finding("stale_persistent_route", evidence, **words)


def _check_registry(case: _Case) -> Iterator[Finding]:
    own = {address.address for address in case.state.addresses}

    def hop(row: Route) -> str:
        return "" if row.next_hop in own else row.next_hop

    stored = {hop(row) for row in case.state.persistent or () if row.prefix == table.IMDS_PREFIX}
    left = [row for row in case.state.registry if row.prefix == table.IMDS_PREFIX and hop(row) not in stored]
    if left and case.state.persistent is not None:
        yield finding("leftover_registry_route", case.rows(*left))


def _check_oracle(case: _Case) -> Iterator[Finding]:
    pairs = (
        (table.decide(case.state), case.state.oracle),
        (table.decide(case.state, source=case.primary.address), case.state.oracle_bound),
    )
    for ours, oracle in pairs:
        if oracle is not None and ours.kind != "unknown" and not _agrees(ours, oracle):
            evidence = case.rows(ours.route, oracle.route, rule=ours.rule)
            yield finding("oracle_disagrees", evidence, oracle=describe(oracle), table=describe(ours))
            return


_CHECKS = (
    _check_primary,
    _check_winner,
    _check_bound,
    _check_rules,
    _check_source,
    _check_duplicates,
    _check_persistent,
    _check_registry,
    _check_oracle,
)


def _override(case: _Case, verdict: Verdict) -> Finding:
    priority = verdict.rule.priority if verdict.rule else "unknown"
    evidence = case.rows(verdict.route, rule=verdict.rule)
    return finding("policy_rule_override", evidence, priority=priority, outcome=describe(verdict))


def _cause(case: _Case) -> str:
    """The reason behind most captures: a NIC that no longer gets Azure's host routes by DHCP."""
    nic = case.primary.interface
    if nic is None or any(row.interface == nic.name for row in table.host_routes(case.state)):
        return ""
    if nic.dhcp is False:
        return f" The primary NIC {nic.name} is configured statically, so the host routes that DHCP brings are missing."
    return f" The host routes that DHCP brings are missing on the primary NIC {nic.name}."


def describe(verdict: Verdict) -> str:
    """One line about a verdict."""
    if verdict.route is None or verdict.error:
        return verdict.error or verdict.kind
    route = verdict.route
    way = f"via {route.next_hop}" if route.next_hop else "on-link"
    return f"{route.prefix or table.IMDS_PREFIX} {way} on {route.interface} from {verdict.source or 'no address'}"
