# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a state and wishes to ordered steps, or to the reasons why nothing is done; and the outcome beforehand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from ansible_collections.imds.azure.plugins.module_utils._routes import table
from ansible_collections.imds.azure.plugins.module_utils._routes.findings import Finding, finding
from ansible_collections.imds.azure.plugins.module_utils._routes.options import DEFAULT, Wishes
from ansible_collections.imds.azure.plugins.module_utils._routes.primary import Primary, find_primary
from ansible_collections.imds.azure.plugins.module_utils._routes.steps import (
    AFTER_PROOF,
    Op,
    Step,
    linux_op,
    simulate,
    windows_op,
)
from ansible_collections.imds.azure.plugins.module_utils._routes.table import Route, State

from . import plan_linux, plan_windows
from .diagnose import diagnose, verdicts
from .goal import Goal

_SYSTEMS = {
    table.LINUX: {"present": plan_linux.present, "absent": plan_linux.absent},
    table.WINDOWS: {"present": plan_windows.present, "absent": plan_windows.absent},
}


class Plan(NamedTuple):
    """``steps`` in order, those of phase ``cleanup`` last; none where ``refusals`` are given or nothing is to be done.

    ``after`` is the state to be expected, ``predicted`` its winner, ``notes`` warnings about what the plan can't do,
    ``remaining``
    what a diagnosis will find afterwards.
    """

    satisfied: bool
    steps: tuple[Step, ...]
    refusals: tuple[Finding, ...]
    notes: tuple[Finding, ...]
    remaining: tuple[Finding, ...]
    predicted: dict[str, object]
    after: State


def plan(state: State, wishes: Wishes = DEFAULT) -> Plan:
    """The plan for ``wishes.state``; ``query`` plans what ``present`` would do."""
    primary = find_primary(state, wishes)
    next_hop, problems = choose_next_hop(state, wishes, primary)
    goal = Goal(wishes, primary, next_hop)
    refusals = [*_place_refusals(state, wishes), *primary.problems, *problems]
    if refusals:
        return _nothing(state, wishes, refusals)
    if wishes.state == "absent":
        steps = _SYSTEMS[state.system]["absent"](state, goal)
        refusals = _right_refusals(state) if steps else []
        return _outcome(state, goal, steps) if steps and not refusals else _nothing(state, wishes, refusals)
    if goal.satisfied(state):
        return _nothing(state, wishes, notes=_notes(state, goal))
    refusals = [*_local_refusals(state, primary), *_right_refusals(state), *_persistence_refusals(state, goal)]
    if refusals:
        return _nothing(state, wishes, refusals)
    steps = _SYSTEMS[state.system]["present"](state, goal)
    repaired = simulate(state, [op for step in steps if step.phase != AFTER_PROOF for op in step.do])
    if not goal.reached(repaired):
        return _nothing(state, wishes, [_not_cured(state, repaired, goal, steps)])
    return _outcome(state, goal, steps, _notes(state, goal))


def choose_next_hop(state: State, wishes: Wishes, primary: Primary) -> tuple[str, list[Finding]]:
    """The next hop of a new route. Auto: on Windows on-link (it can't go stale), on Linux the gateway if any."""
    own = table.addresses_of(state, primary.name)
    gateways = table.gateways_of(state, primary.name)
    wish = wishes.next_hop
    if wish == "on_link" or (wish == "auto" and state.system == table.WINDOWS) or any(a.address == wish for a in own):
        return "", []
    if wish in ("auto", "gateway"):
        missing = wish == "gateway" and not gateways and primary.interface is not None
        return next(iter(gateways), ""), [finding("no_gateway", interface=primary.name)] if missing else []
    reachable = wish in gateways or any(table.covers(table.subnet_of(address), wish) for address in own)
    wrong = primary.interface is not None and not reachable
    return wish, [finding("bad_next_hop", next_hop=wish, interface=primary.name)] if wrong else []


def predict(state: State, primary: Primary) -> dict[str, object]:
    """The winner of a state in plain form; the error's text where there is none."""
    winner, _bound = verdicts(state, primary)
    route = winner.route
    nic = table.find_interface(state, route.interface) if route else None
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
        return windows_op(state, op) if state.system == table.WINDOWS else linux_op(op)

    return [
        {**step._asdict(), "do": [plain(op) for op in step.do], "undo": [plain(op) for op in step.undo]}
        for step in steps
    ]


def _nothing(
    state: State,
    wishes: Wishes,
    refusals: Sequence[Finding] = (),
    notes: Sequence[Finding] = (),
) -> Plan:
    found = diagnose(state, wishes)
    predicted = predict(state, found.primary)
    return Plan(not refusals, (), tuple(refusals), tuple(notes), found.findings, predicted, state)


def _outcome(state: State, goal: Goal, steps: list[Step], notes: Sequence[Finding] = ()) -> Plan:
    ordered = sorted(steps, key=lambda step: step.phase == AFTER_PROOF)
    after = simulate(state, [op for step in ordered for op in step.do])
    remaining = diagnose(after, _fixed(goal)).findings
    return Plan(False, tuple(ordered), (), tuple(notes), remaining, predict(after, goal.primary), after)


# --- why not ------------------------------------------------------------------------------------------------------


def _place_refusals(state: State, wishes: Wishes) -> list[Finding]:
    """Where nothing is ever changed."""
    refusals = []
    if state.azure is False and not wishes.force:
        refusals.append(finding("not_azure"))
    if state.container:
        refusals.append(finding("container"))
    if state.compartments > 1:
        refusals.append(finding("compartments"))
    return refusals


def _local_refusals(state: State, primary: Primary) -> list[Finding]:
    winner, _bound = verdicts(state, primary)
    return [finding("imds_address_is_local", severity="refusal")] if winner.kind == "local" else []


def _right_refusals(state: State) -> list[Finding]:
    """Unknown rights never refuse: the first change would tell."""
    right = "administrator's rights" if state.system == table.WINDOWS else "root or CAP_NET_ADMIN"
    return [finding("not_elevated", right=right)] if state.elevated is False else []


def _persistence_refusals(state: State, goal: Goal) -> list[Finding]:
    unknown = state.system == table.LINUX and not state.persistence and state.persistent is not None
    if unknown and not goal.persistent(state):
        return [finding("no_persistence_backend", interface=goal.primary.name)]
    return []


def _notes(state: State, goal: Goal) -> list[Finding]:
    learned = any(table.dhcp_learned(state, row) for row in table.host_routes(state) if goal.fits(state, row))
    runtime = state.persistence == "none" and goal.wishes.persistent and not learned
    return [finding("runtime_only")] if runtime else []


def _not_cured(state: State, repaired: State, goal: Goal, steps: list[Step]) -> Finding:
    """The best reason why the planned change would not help."""
    winner, _bound = verdicts(repaired, goal.primary)
    if goal.reached(simulate(repaired, [op for step in steps for op in step.do if step.phase == AFTER_PROOF])):
        return finding("irreversible", _rows(repaired, winner.legs))
    # Somebody else's host route wins, or stands where ours has to go.
    foreign = [row for row in winner.legs if row.prefix == table.IMDS_PREFIX and table.is_common(row)]
    foreign = [row for row in (foreign if steps else table.host_routes(state)) if not goal.fits(repaired, row)]
    if foreign:
        return finding("foreign_host_route", _rows(repaired, foreign))
    found = diagnose(repaired, _fixed(goal)).findings
    blamed = [one for one in found if one.code == "unknown_rule_selector" or one.severity == "error"]
    if blamed:
        return blamed[0]._replace(severity="refusal")
    if winner.rule and winner.rule not in table.DEFAULT_RULES:
        words = {"priority": winner.rule.priority, "outcome": "a route in main would not be looked at"}
        return finding("policy_rule_override", [{"rule": winner.rule._asdict()}], severity="refusal", **words)
    return finding("not_cured", _rows(repaired, winner.legs))


def _fixed(goal: Goal) -> Wishes:
    """The wishes with the primary NIC settled, so that it is not looked for again in a changed table."""
    return goal.wishes._replace(interface=goal.primary.name, mac_address="", primary_ip=goal.primary.address)


def _rows(state: State, routes: Iterable[Route]) -> list[dict[str, object]]:
    return [table.as_row(state, route) for route in routes]
