# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong between a host and 169.254.169.254: from its tables to findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Optional

from ansible_collections.imds.azure.plugins.module_utils._routes import ipv4, model
from ansible_collections.imds.azure.plugins.module_utils._routes.down import down_nics
from ansible_collections.imds.azure.plugins.module_utils._routes.findings import REPAIR, Finding, finding
from ansible_collections.imds.azure.plugins.module_utils._routes.model import Route, RouteVerdict, Rule

from .asked import check_replies
from .evaluation import Evaluation, agrees, describe
from .next_hop import NOT_THE_GATEWAY, OFF_SUBNET, next_hop_fault

# What the tables say about the way, which an answer disproves.
_BY_TABLES = (
    *("captured_by_cluster_adapter", "captured_by_apipa", "captured_by_vpn", "captured_by_other_interface"),
    *("host_route_wrong_interface", "host_route_bad_next_hop", "blocked_by_unreachable_route", "policy_rule_override"),
    *("policy_bad_next_hop", "wrong_source_address", "no_route"),
)


def diagnose(case: Evaluation) -> tuple[Finding, ...]:
    """Judge the host: errors first, then refusals, then how the traffic goes, then warnings.

    An answer counts more than what the tables say, and without one nothing is called right where one could be had.
    """
    found = [one for check in _CHECKS for one in check(case)]
    # One answer says nothing about the other next hops of a route that has several.
    if case.served and len(case.winner.legs) < 2:
        found = [one._replace(severity="warning") if one.code in _BY_TABLES else one for one in found]
    if any(one.severity == "error" for one in found if one.code in _BY_TABLES) or not _has_nic(case):
        found = [one for one in found if one.code != "silent_although_routed"]
    if any(one.severity == "error" for one in found) or (case.asked and not case.served):
        found = [one for one in found if one.code not in ("ok", "ok_via_default")]
    order = ("error", "refusal", "ok", "warning")
    found.sort(key=lambda one: 2 if one.code == "ok_via_default" else order.index(one.severity))
    found.sort(key=lambda one: one.code not in ("imds_address_is_local", "locked_by_systemd"))
    if case.state.azure is False and not case.options.force:
        # Elsewhere another way may be the right one.
        kept = [one._replace(remedy="", severity=_mildly(one)) for one in found]
        return (finding("not_azure"), *kept)
    return tuple(found)


def _has_nic(case: Evaluation) -> bool:
    """Whether the primary NIC has any address that IMDS could answer; else the silence is explained."""
    return all(one.code != "primary_nic_link_local" for one in case.primary.problems)


def _mildly(one: Finding) -> str:
    return "warning" if one.severity == "error" else one.severity


# --- the checks ---------------------------------------------------------------------------------------------------


def _rows(case: Evaluation, *routes: Optional[Route], rule: Optional[Rule] = None) -> list[Mapping[str, object]]:
    """Evidence: the rule that led there, if it is not one of the kernel's own, and the rows."""
    notable = rule is not None and rule not in model.DEFAULT_RULES
    rules: list[Mapping[str, object]] = [{"rule": rule._asdict()}] if rule and notable else []
    return rules + [model.as_row(case.state, route) for route in routes if route]


def _check_primary(case: Evaluation) -> Iterator[Finding]:
    yield from case.primary.problems


def _check_winner(case: Evaluation) -> Iterator[Finding]:
    verdict = case.winner
    if verdict.kind == "local":
        yield finding("imds_address_is_local", _rows(case, verdict.route, rule=verdict.rule))
    elif case.lock:
        yield finding("locked_by_systemd", _rows(case, case.lock), prefix=case.lock.prefix)
    elif verdict.error and verdict.rule and not verdict.route:
        yield _override(case, verdict)
    elif verdict.error and not verdict.route:
        if case.state.system == model.LINUX and not _looks_into_main(case):
            yield finding("rules_missing")
        else:
            yield finding("no_route", cause=_cause(case), dhcp=_by_dhcp(case))
    elif verdict.route and verdict.error:
        words = {"kind": verdict.kind, "prefix": verdict.route.prefix}
        yield finding("blocked_by_unreachable_route", _rows(case, verdict.route, rule=verdict.rule), **words)
    elif verdict.kind == "unicast":
        yield from _worst(_judge(case, leg) for leg in _distinct(verdict.legs))


def _worst(found: Iterable[Optional[Finding]]) -> Iterator[Finding]:
    """The first error; without one, the first finding."""
    first = None
    for one in found:
        if one and one.severity == "error":
            yield one
            return
        first = first or one
    if first:
        yield first


def _distinct(legs: Iterable[Route]) -> Iterable[Route]:
    """The first of those that `_judge` sees alike: a next hop matters in a route for IMDS, and in a policy table."""
    found: dict[tuple[str, ...], Route] = {}
    for leg in legs:
        plain = leg.prefix != ipv4.IMDS_PREFIX and model.is_common(leg)
        found.setdefault((leg.interface, leg.prefix, leg.table, "" if plain else leg.next_hop), leg)
    return found.values()


def _judge(case: Evaluation, leg: Route) -> Optional[Finding]:
    """How one leg of the winning route is to be seen."""
    nic = model.find_interface(case.state, leg.interface)
    words = {
        "interface": leg.interface,
        "prefix": leg.prefix,
        "next_hop": leg.next_hop or "on-link",
        "primary": case.primary.name or "(unknown)",
        "cause": _cause(case),
        "dhcp": _by_dhcp(case),
        "asked": _asked(case),
        "fault": OFF_SUBNET,
    }
    evidence = _rows(case, leg, rule=case.winner.rule)
    if leg.interface == case.primary.name:
        return _judge_own(case, leg, evidence, words)
    code = _capture(case, leg, nic.kind if nic else "ethernet")
    if code == "policy_rule_override":
        return _override(case, case.winner)
    return finding(code, evidence, **words) if code else None


def _judge_own(
    case: Evaluation, leg: Route, evidence: list[Mapping[str, object]], words: dict[str, str]
) -> Optional[Finding]:
    """A leg over the primary NIC."""
    bad = _bad_policy_hop(case, leg, case.winner)
    if bad:
        return bad
    if leg.prefix != ipv4.IMDS_PREFIX:
        return finding("ok_via_default", evidence, **words)
    fault = next_hop_fault(case.state, case.primary, leg)
    if not fault:
        return finding("ok", evidence, **words)
    severity = "warning" if fault == NOT_THE_GATEWAY else ""
    return finding("host_route_bad_next_hop", evidence, severity=severity, **{**words, "fault": fault})


def _capture(case: Evaluation, leg: Route, kind: str) -> str:
    """The code for a leg over another interface, empty where nothing can be said."""
    is_host_route = leg.prefix == ipv4.IMDS_PREFIX
    if kind == "cluster":
        return "captured_by_cluster_adapter"
    if kind == "tunnel":
        return "captured_by_vpn"
    if is_host_route and kind == "loopback":
        return "host_route_bad_next_hop"
    if is_host_route:
        return "host_route_wrong_interface" if case.primary.name else ""
    if ipv4.prefix_length(leg.prefix) >= 16 and ipv4.covers(ipv4.LINK_LOCAL_PREFIX, leg.prefix.partition("/")[0]):
        return "captured_by_apipa"
    if leg.table not in ("main", "default", "active"):
        return "policy_rule_override"
    return "captured_by_other_interface" if case.primary.name else ""


def _check_bound(case: Evaluation) -> Iterator[Finding]:
    """A connection is looked up again from the address chosen for it: a rule for that address may lead elsewhere."""
    leads_out = case.winner.kind == "unicast" and all(leg.interface == case.primary.name for leg in case.winner.legs)
    if not leads_out or not case.primary.name or case.bound.kind == "unknown":
        return
    if case.bound.kind != "unicast" or any(leg.interface != case.primary.name for leg in case.bound.legs):
        yield _override(case, case.bound)
        return
    judged = set(case.winner.legs)
    yield from _worst(_bad_policy_hop(case, leg, case.bound) for leg in case.bound.legs if leg not in judged)


def _bad_policy_hop(case: Evaluation, leg: Route, verdict: RouteVerdict) -> Optional[Finding]:
    """The right NIC is not enough: a policy table may name a next hop that is nobody's."""
    if model.is_common(leg) or not leg.next_hop:
        return None
    fault = next_hop_fault(case.state, case.primary, leg)
    if not fault:
        return None
    words = {"table": leg.table, "prefix": leg.prefix, "next_hop": leg.next_hop, "fault": fault}
    priority = verdict.rule.priority if verdict.rule else "unknown"
    return finding("policy_bad_next_hop", _rows(case, leg, rule=verdict.rule), priority=priority, **words)


def _looks_into_main(case: Evaluation) -> bool:
    return "main" in case.state.looked_up_tables


def _check_rules(case: Evaluation) -> Iterator[Finding]:
    for verdict in (case.computed, case.computed_bound):
        if verdict.kind == "unknown" and verdict.rule:
            selectors, evidence = ", ".join(verdict.rule.unknown), _rows(case, rule=verdict.rule)
            words = {
                "priority": str(verdict.rule.priority),
                "table": verdict.rule.table or "none",
                "selectors": selectors,
            }
            yield finding("unknown_rule_selector", evidence, **words)
            return


def _check_source(case: Evaluation) -> Iterator[Finding]:
    """Only where the way out is right: another NIC's own address is no fault of its own."""
    source, address = case.winner.source, case.primary.address
    legs = case.winner.legs
    if not source or not address or source == address or any(leg.interface != case.primary.name for leg in legs):
        return
    if case.winner.kind != "unicast":
        return
    chosen = next((a for a in model.addresses_of(case.state, case.primary.name) if a.address == source), None)
    if case.state.system == model.LINUX:
        how = f"{REPAIR} It writes the source address into the host route."
    elif chosen and chosen.virtual:
        how = "It is a cluster's address, which is never changed: give the cluster one that is higher than the primary."
    else:
        how = "Set fix_source: true: it marks the other addresses SkipAsSource, which also ends their DNS registration."
    yield finding("wrong_source_address", _rows(case, *legs), source=source, address=address, how=how)


def _check_duplicates(case: Evaluation) -> Iterator[Finding]:
    rows = [row for row in model.host_routes(case.state) if model.is_common(row)]
    name = case.primary.name

    def contradicts(row: Route) -> bool:
        if not name:
            return row.interface != rows[0].interface
        return row.kind != "unicast" or row.interface != name or next_hop_fault(case.state, case.primary, row) != ""

    if len(rows) > 1 and any(contradicts(row) for row in rows):
        yield finding("duplicate_host_routes", _rows(case, *rows))


def _check_persistent(case: Evaluation) -> Iterator[Finding]:
    for row in case.state.persistent or ():
        if row.prefix != ipv4.IMDS_PREFIX:
            continue
        nic = model.find_interface(case.state, row.interface)
        evidence = _rows(case, row)
        if row.interface and (nic is None or not nic.present):
            index = nic.ifindex if nic else 0
            yield finding("orphaned_persistent_route", evidence, interface=row.interface, index=index or "unknown")
        elif not case.primary.name:
            continue
        elif row.interface not in ("", case.primary.name) or next_hop_fault(case.state, case.primary, row):
            words = {"interface": row.interface or "interface unknown", "next_hop": row.next_hop or "on-link"}
            yield finding("stale_persistent_route", evidence, **words)


def _check_registry(case: Evaluation) -> Iterator[Finding]:
    own = {address.address for address in case.state.addresses}

    def hop(row: Route) -> str:
        return "" if row.next_hop in own else row.next_hop

    stored = {hop(row) for row in case.state.persistent or () if row.prefix == ipv4.IMDS_PREFIX}
    left = [row for row in case.state.registry if row.prefix == ipv4.IMDS_PREFIX and hop(row) not in stored]
    if left and case.state.persistent is not None:
        yield finding("leftover_registry_route", _rows(case, *left))


def _check_kernel_verdict(case: Evaluation) -> Iterator[Finding]:
    pairs = (
        (case.computed, case.state.kernel_verdict),
        (case.computed_bound, case.state.kernel_verdict_bound),
    )
    for ours, kernel in pairs:
        if kernel is not None and ours.kind != "unknown" and not agrees(ours, kernel):
            evidence = _rows(case, ours.route, kernel.route, rule=ours.rule)
            yield finding("kernel_disagrees", evidence, kernel=describe(kernel), table=describe(ours))
            return


def _check_vf(case: Evaluation) -> Iterator[Finding]:
    """Two devices share a MAC; the one with a master is the hardware half and should be without an address."""
    names: dict[str, list[str]] = {}
    for nic in case.state.interfaces:
        names.setdefault(nic.mac, []).append(nic.name)
    for nic in case.state.interfaces:
        own = [a.address for a in model.addresses_of(case.state, nic.name)] if nic.master else []
        own = [address for address in own if not ipv4.covers(ipv4.LINK_LOCAL_PREFIX, address)]
        if not own:
            continue
        other = next((name for name in names[nic.mac] if name != nic.name), "")
        if other:
            evidence = _rows(case, *case.state.routes_over.get(nic.name, ())[:10])
            words = {"interface": nic.name, "addresses": ", ".join(own), "master": other}
            yield finding("address_on_vf", evidence, **words)


def _check_down(case: Evaluation) -> Iterator[Finding]:
    """Where IMDS is silent, a NIC that is down may be the one that it would answer."""
    known = {one.message for one in case.primary.problems}
    for one in down_nics(case.state) if case.asked and not case.served else ():
        if one.message not in known:
            yield one._replace(severity="warning")


_CHECKS = (
    _check_primary,
    _check_down,
    _check_vf,
    _check_winner,
    check_replies,
    _check_bound,
    _check_rules,
    _check_source,
    _check_duplicates,
    _check_persistent,
    _check_registry,
    _check_kernel_verdict,
)


def _override(case: Evaluation, verdict: RouteVerdict) -> Finding:
    priority = verdict.rule.priority if verdict.rule else "unknown"
    evidence = _rows(case, verdict.route, rule=verdict.rule)
    return finding("policy_rule_override", evidence, priority=priority, outcome=describe(verdict))


def _asked(case: Evaluation) -> str:
    return ", and IMDS answers" if case.served else "; IMDS was not asked" if not case.asked else ""


def _by_dhcp(case: Evaluation) -> str:
    """The other remedy. A NIC that is on DHCP needs its lease again."""
    nic = case.primary.interface
    if nic is None:
        return ""
    if nic.dhcp:
        return f" Or renew the DHCP lease of {nic.name}."
    return f" Or configure {nic.name} by DHCP, which brings Azure's own host routes."


def _cause(case: Evaluation) -> str:
    """The reason behind most captures: a NIC that no longer gets Azure's host routes by DHCP."""
    nic = case.primary.interface
    if nic is None or any(row.interface == nic.name for row in model.host_routes(case.state)):
        return ""
    if nic.dhcp is False:
        return f" The primary NIC {nic.name} is configured statically, so the host routes that DHCP brings are missing."
    return f" The host routes that DHCP brings are missing on the primary NIC {nic.name}."
