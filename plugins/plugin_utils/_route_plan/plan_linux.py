# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps on Linux: keep our own persistent form, replace the host route, delete static rows that contradict.

Never touched: rows of the kernel, of DHCP and of other tables, anything but 169.254.169.254/32, policy rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ansible_collections.imds.azure.plugins.module_utils._routes import ipv4, model
from ansible_collections.imds.azure.plugins.module_utils._routes.model import Route, State
from ansible_collections.imds.azure.plugins.module_utils._routes.steps import (
    BEFORE_PROOF,
    Op,
    Step,
    ip_arguments,
    simulate,
)

from .evaluation import Evaluation
from .goal import Goal


def present(case: Evaluation, goal: Goal) -> list[Step]:
    """Steps after which the host route over the primary NIC wins."""
    state = case.state
    running = [row for row in goal.contradictions(state) if row in state.routes]
    steps: list[Step] = []
    if not goal.reached(case.after(Op("delete", row) for row in running)):
        wanted = _wanted(goal)
        replaced = next((row for row in model.host_routes(state) if _same_slot(row, wanted)), None)
        if replaced and not goal.fits(state, replaced) and not goal.removable(state, replaced):
            return []  # somebody else's row is where ours has to go
        if replaced and goal.protection(state, replaced):
            return []
        running = [row for row in running if row != replaced]
        undo = Op("replace", replaced) if replaced else Op("delete", wanted)
        steps.append(_step("replace", Op("replace", wanted), undo, "the primary NIC's host route must win"))
    steps += _deletions(simulate(state, _done(steps)), running, "it contradicts the primary NIC's host route")
    return _keep(case, goal, steps) + steps


def absent(case: Evaluation, goal: Goal) -> list[Step]:
    """Steps that undo what `present` sets: our own persistent form and the static route on the primary NIC."""
    state = case.state
    kept = {row[:3] for row in state.persistent or ()}
    here = [r for r in model.host_routes(state) if r.table == "main" and r.interface == goal.primary.name]
    own = [row for row in here if row.protocol == "static" or (row[:3] in kept and row.protocol != "dhcp")]
    own = [row for row in own if not row.opaque and not row.weight]
    return _forget(state.persistent or (), "it is not wanted") + _deletions(state, own, "it is not wanted")


def _deletions(state: State, rows: Iterable[Route], reason: str) -> list[Step]:
    """Where rows share a slot, the first one wins: one that stood first is put back first."""
    steps = []
    for row in rows:
        slot = [other for other in model.host_routes(state) if _same_slot(other, row)]
        undo = "prepend" if slot[0] == row and len(slot) > 1 else "append"
        steps.append(_step("delete", Op("delete", row), Op(undo, row), reason))
        state = simulate(state, steps[-1].do)
    return steps


def _done(steps: Iterable[Step]) -> list[Op]:
    return [op for step in steps for op in step.do]


def _wanted(goal: Goal) -> Route:
    """The row to be set. ``onlink`` keeps the kernel from asking its rules and tables for the way to the gateway."""
    return Route(
        ipv4.IMDS_PREFIX,
        goal.primary.name,
        goal.next_hop,
        protocol="static",
        source=goal.primary.address,
        scope="global" if goal.next_hop else "link",
        onlink=bool(goal.next_hop),
    )


def _keep(case: Evaluation, goal: Goal, steps: Iterable[Step]) -> list[Step]:
    """The persistent form of the route that is going to win, unless DHCP brings it back anyway."""
    stored = case.state.persistent or ()
    after = case.after(_done(steps))
    if goal.persistent(after):
        stale = [row for row in stored if row in goal.contradictions(case.state)]
        return _forget(stale, "it does not fit the primary NIC")
    winner = after.winner.route
    if winner is None:
        return []
    kept = winner._replace(source=goal.primary.address)
    return [_step("persist", Op("persist", kept), _restore(stored), "the route must outlive a reboot")]


def _forget(stored: Sequence[Route], reason: str) -> list[Step]:
    return [_step("unpersist", Op("unpersist", stored[0]), _restore(stored), reason)] if stored else []


def _restore(stored: Sequence[Route]) -> Op:
    return Op("persist", stored[0]) if stored else Op("unpersist")


def _step(action: str, do: Op, undo: Op, reason: str) -> Step:
    route = do.route
    target = " ".join(ip_arguments(Op("replace", route))[2:]) if route else ""
    return Step(action, target, reason, BEFORE_PROOF, (do,), (undo,))


def _same_slot(first: Route, second: Route) -> bool:
    return first.table == second.table and first.metric == second.metric
