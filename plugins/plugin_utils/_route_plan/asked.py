# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What asking IMDS showed: its silence, a stranger's answer, the guest proxy agent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ansible_collections.imds.azure.plugins.module_utils._imds.reasons import REASONS
from ansible_collections.imds.azure.plugins.module_utils._routes import model
from ansible_collections.imds.azure.plugins.module_utils._routes.findings import Finding, finding
from ansible_collections.imds.azure.plugins.module_utils._routes.reply import ANSWERS, ImdsReply

from .evaluation import Evaluation

# Something answers, but not as IMDS does.
_FOREIGN = ("foreign", "redirected", "malformed", "too_large")


def check_replies(case: Evaluation) -> Iterator[Finding]:
    """Findings about the unbound request, which is what every other program sends."""
    reply = case.state.imds.unbound if case.state.imds else None
    if reply is None or case.lock or case.winner.kind == "local":
        return
    agent = case.state.agent
    state = f", {agent.state}" if agent and agent.state else ""
    if reply.outcome == "agent_refused":
        refused = {"state": state, "detail": reply.detail, "also": _refused(case)}
        yield finding("refused_by_guest_agent", _programs(case), **refused)
    elif reply.via_agent:
        yield finding("served_by_guest_agent", state=state) if reply.served else _silent(case, reply)
    elif reply.outcome in _FOREIGN:
        how = REASONS["intercepted"].remedy
        yield finding("intercepted", detail=reply.detail, also=_firewall(case), how=how)
    elif reply.outcome == "forbidden":
        yield finding("imds_refuses", detail=reply.detail, how=REASONS["forbidden"].remedy)
    elif reply.outcome not in ANSWERS and _is_routed(case):
        yield _silent(case, reply)


def _is_routed(case: Evaluation) -> bool:
    """Whether the tables give no reason for the silence."""
    verdict = case.winner
    if verdict.kind != "unicast":
        return False
    source_fits = not case.primary.address or not verdict.source or verdict.source == case.primary.address
    return source_fits and all(leg.interface == case.primary.name for leg in (*verdict.legs, *case.bound.legs))


def _silent(case: Evaluation, reply: ImdsReply) -> Finding:
    words = {
        "interface": case.primary.name or "its NIC",
        "detail": reply.detail + _elsewhere(case),
        "also": _firewall(case),
        "how": _remedy(case, reply),
    }
    return finding("silent_although_routed", _table(case), **words)


def _elsewhere(case: Evaluation) -> str:
    """What asking from the candidates showed."""
    asked = case.state.imds
    if asked is None or not asked.bound:
        return ""
    for interface, address, reply in asked.bound:
        if reply.direct:
            return f" (bound to {address} on {interface} it answers)"
    return f" (nor does it answer {', '.join(f'{address} on {name}' for name, address, _reply in asked.bound)})"


def _remedy(case: Evaluation, reply: ImdsReply) -> str:
    windows = case.state.system == model.WINDOWS
    look = (
        "Get-NetFirewallRule and security agents" if windows else "nft list ruleset, iptables-save and security agents"
    )
    if reply.outcome == "route_prohibited":
        return f"A firewall on this host forbids it. Look at {look}."
    kind = "refused" if reply.outcome == "reset" else reply.outcome
    usual = REASONS[kind].remedy if kind in REASONS else ""
    return f"{usual} If the routes are right, something drops or redirects the traffic: look at {look}.".strip()


def _firewall(case: Evaluation) -> str:
    lines = case.state.firewall
    return f" The host's firewall has: {'; '.join(lines[:5])}." if lines else ""


def _table(case: Evaluation) -> list[Mapping[str, object]]:
    rows: list[Mapping[str, object]] = [model.as_row(case.state, leg) for leg in case.winner.legs]
    return rows + [{"firewall": line} for line in case.state.firewall]


def _refused(case: Evaluation) -> str:
    agent = case.state.agent
    if agent is None:
        return ""
    rule = f" Rule in force: {agent.rule_id}." if agent.rule_id else ""
    return rule + (f" Refused lately: {'; '.join(agent.refused[:3])}." if agent.refused else "")


def _programs(case: Evaluation) -> list[Mapping[str, object]]:
    return [{"refused": line} for line in (case.state.agent.refused if case.state.agent else ())]
