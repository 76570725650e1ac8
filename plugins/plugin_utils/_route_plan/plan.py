# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a host and options to ordered steps, or to the reasons why nothing is done; and the outcome beforehand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from ansible_collections.imds.azure.plugins.module_utils._routes import ipv4, model
from ansible_collections.imds.azure.plugins.module_utils._routes.findings import RULE, Finding, finding
from ansible_collections.imds.azure.plugins.module_utils._routes.model import Route, State
from ansible_collections.imds.azure.plugins.module_utils._routes.steps import (
    AFTER_PROOF,
    Op,
    Step,
    ip_arguments,
    linux_op,
    windows_op,
)

from . import plan_linux, plan_windows
from .diagnose import diagnose
from .evaluation import Evaluation
from .goal import Goal
from .next_hop import choose_next_hop

_SYSTEMS = {
    model.LINUX: {"present": plan_linux.present, "absent": plan_linux.absent},
    model.WINDOWS: {"present": plan_windows.present, "absent": plan_windows.absent},
}


class Plan(NamedTuple):
    """``steps`` in order, those of phase ``cleanup`` last; none where ``refusals`` are given or nothing is to be done.

    ``after`` is the host to be expected, ``predicted`` its winner, ``notes`` warnings about what the plan can't do.
    """

    satisfied: bool
    steps: tuple[Step, ...]
    refusals: tuple[Finding, ...]
    notes: tuple[Finding, ...]
    predicted: dict[str, object]
    after: Evaluation


def plan(case: Evaluation) -> Plan:
    """The plan for the state that the options ask for; ``query`` plans what ``present`` would do."""
    state, options, primary = case.state, case.options, case.primary
    next_hop, problems = choose_next_hop(state, options, primary)
    goal = Goal(options, primary, next_hop)
    refusals = [*_place_refusals(case), *primary.problems, *problems]
    if refusals:
        return _nothing(case, refusals)
    if options.state == "absent":
        steps = _SYSTEMS[state.system]["absent"](case, goal)
        refusals = _right_refusals(state) if steps else []
        return _outcome(case, steps) if steps and not refusals else _nothing(case, refusals)
    if goal.satisfied(case):
        return _nothing(case, notes=_notes(state, goal))
    refusals = [*_right_refusals(state), *_persistence_refusals(case, goal)]
    if refusals:
        return _nothing(case, refusals)
    steps = _SYSTEMS[state.system]["present"](case, goal)
    repaired = case.after(op for step in steps if step.phase != AFTER_PROOF for op in step.do)
    if not goal.reached(repaired):
        return _nothing(case, [_not_cured(state, repaired, goal, steps)])
    blind = [step for step in steps if step.action not in ("add", "persist", "unpersist")]
    if blind and case.served and not options.verify:
        return _nothing(case, [finding("answered_already", action=blind[0].action, target=blind[0].target)])
    return _outcome(case, steps, _notes(state, goal))


def predict(case: Evaluation) -> dict[str, object]:
    """The winner of a state in plain form; the error's text where there is none."""
    winner = case.winner
    route = winner.route
    nic = model.find_interface(case.state, route.interface) if route else None
    return {
        "prefix": route.prefix if route else "",
        "interface": route.interface if route else "",
        "index": nic.ifindex if nic else 0,
        "next_hop": route.next_hop if route else "",
        "source": winner.source,
        "error": winner.error or (winner.kind if winner.kind in ("local", "unknown") else ""),
    }


def plain_steps(state: State, steps: Iterable[Step]) -> list[dict[str, Any]]:
    """The steps as the target takes them: ``action, target, reason, phase, do[], undo[]`` with plain operations."""

    def plain(op: Op) -> dict[str, object]:
        return windows_op(state, op) if state.system == model.WINDOWS else linux_op(op)

    return [
        {**step._asdict(), "do": [plain(op) for op in step.do], "undo": [plain(op) for op in step.undo]}
        for step in steps
    ]


def _nothing(case: Evaluation, refusals: Sequence[Finding] = (), notes: Sequence[Finding] = ()) -> Plan:
    return Plan(not refusals, (), tuple(refusals), tuple(notes), predict(case), case)


def _outcome(case: Evaluation, steps: list[Step], notes: Sequence[Finding] = ()) -> Plan:
    ordered = sorted(steps, key=lambda step: step.phase == AFTER_PROOF)
    after = case.after(op for step in ordered for op in step.do)
    return Plan(False, tuple(ordered), (), tuple(notes), predict(after), after)


# --- why not ------------------------------------------------------------------------------------------------------


def _place_refusals(case: Evaluation) -> list[Finding]:
    """Where nothing is ever changed."""
    state, refusals = case.state, []
    if state.azure is False and not case.options.force:
        refusals.append(finding("not_azure"))
    if case.winner.kind == "local":
        refusals.append(finding("imds_address_is_local", severity="refusal"))
    elif case.lock:
        refusals.append(finding("locked_by_systemd", severity="refusal", prefix=case.lock.prefix))
    elif state.system == model.LINUX and "main" not in state.looked_up_tables:
        refusals.append(finding("rules_missing", severity="refusal"))
    if state.container:
        refusals.append(finding("container"))
    if state.compartments > 1:
        refusals.append(finding("compartments"))
    return refusals


def _right_refusals(state: State) -> list[Finding]:
    """Unknown rights never refuse: the first change would tell."""
    right = "administrator's rights" if state.system == model.WINDOWS else "root or CAP_NET_ADMIN"
    return [finding("not_elevated", right=right)] if state.elevated is False else []


def _persistence_refusals(case: Evaluation, goal: Goal) -> list[Finding]:
    state = case.state
    unknown = state.system == model.LINUX and not state.persistence and state.persistent is not None
    if unknown and not goal.persistent(case):
        return [finding("no_persistence_backend", interface=goal.primary.name)]
    return []


def _notes(state: State, goal: Goal) -> list[Finding]:
    learned = any(model.dhcp_learned(state, row) for row in model.host_routes(state) if goal.fits(state, row))
    runtime = state.persistence == "none" and goal.options.persistent and not learned
    return [finding("runtime_only")] if runtime else []


def _not_cured(state: State, repaired: Evaluation, goal: Goal, steps: list[Step]) -> Finding:
    """The best reason why the planned change would not help."""
    winner = repaired.winner
    if goal.reached(repaired.after(op for step in steps for op in step.do if step.phase == AFTER_PROOF)):
        return finding("irreversible", _rows(repaired.state, winner.legs))
    # Somebody else's host route wins, or stands where ours has to go.
    foreign = [row for row in winner.legs if row.prefix == ipv4.IMDS_PREFIX and model.is_common(row)]
    foreign = [row for row in (foreign if steps else model.host_routes(state)) if not goal.fits(repaired.state, row)]
    if foreign:
        return _foreign(repaired.state, goal, foreign)
    blamed = [one for one in diagnose(repaired) if one.code == "unknown_rule_selector" or one.severity == "error"]
    by_rule = winner.rule if winner.rule and winner.rule not in model.DEFAULT_RULES else None
    if blamed and by_rule:
        table = f" (table {by_rule.table})" if by_rule.table else ""
        remedy = f"Policy rule {by_rule.priority}{table} is looked at first. Before it: {RULE}"
        return blamed[0]._replace(severity="refusal", remedy=remedy)
    if blamed:
        return blamed[0]._replace(severity="refusal")
    if by_rule:
        words = {"priority": by_rule.priority, "outcome": "a route in main would not be looked at"}
        return finding("policy_rule_override", [{"rule": by_rule._asdict()}], severity="refusal", **words)
    return finding("not_cured", _rows(repaired.state, winner.legs))


def _foreign(state: State, goal: Goal, rows: Sequence[Route]) -> Finding:
    """Somebody else's host route is in the way: the option that removes it, or why none does."""
    row = rows[0]
    words = {"prefix": row.prefix, "interface": row.interface or "no interface"}
    words["way"] = f"via {row.next_hop}" if row.next_hop else "on-link" if row.kind == "unicast" else f"({row.kind})"
    why = goal.protection(state, row)
    if not why and goal.options.remove_conflicting is not True:
        return finding("foreign_host_route", _rows(state, rows), **words)
    words.update(why=why or "without it another route still wins", command=_removal_command(state, row))
    return finding("protected_host_route", _rows(state, rows), **words)


def _removal_command(state: State, row: Route) -> str:
    if state.system == model.LINUX and row.weight:
        return f"ip route delete {row.prefix}"
    if state.system == model.LINUX:
        return " ".join(["ip", *ip_arguments(Op("delete", row))])
    nic = model.find_interface(state, row.interface)
    index = f" -InterfaceIndex {nic.ifindex}" if nic else ""
    return f"Remove-NetRoute -DestinationPrefix {row.prefix}{index} -NextHop {row.next_hop or '0.0.0.0'}"


def _rows(state: State, routes: Iterable[Route]) -> list[dict[str, object]]:
    return [model.as_row(state, route) for route in routes]
