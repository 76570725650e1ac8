# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps on Linux: keep our own persistent form, replace the host route, delete static rows that contradict.

Never touched: rows of the kernel, of DHCP and of other tables, anything but 169.254.169.254/32, policy rules.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Optional

from ansible_collections.imds.azure.plugins.module_utils._routes import table
from ansible_collections.imds.azure.plugins.module_utils._routes.goal import Goal
from ansible_collections.imds.azure.plugins.module_utils._routes.steps import (
    BEFORE_PROOF,
    Op,
    Step,
    ip_arguments,
    simulate,
)
from ansible_collections.imds.azure.plugins.module_utils._routes.table import Route, State


def present(state: State, goal: Goal) -> list[Step]:
    """Steps after which the host route over the primary NIC wins."""
    running = [row for row in goal.contradictions(state) if row in state.routes]
    removal = [Op("delete", row) for row in running]
    steps: list[Step] = []
    after = simulate(state, removal) if removal else state
    if not goal.reached(after):
        wanted = _wanted(state, goal)
        replaced = next((row for row in table.host_routes(state) if _same_slot(row, wanted)), None)
        if replaced and not goal.fits(state, replaced) and not goal.removable(state, replaced):
            return []  # somebody else's row is where ours has to go
        if replaced and (replaced.opaque or replaced.weight or replaced.protocol == "dhcp"):
            return []
        running = [row for row in running if row != replaced]
        undo = Op("replace", replaced) if replaced else Op("delete", wanted)
        steps.append(_step("replace", Op("replace", wanted), undo, "the primary NIC's host route must win"))
    for row in running:
        steps.append(
            _step("delete", Op("delete", row), Op("append", row), "it contradicts the primary NIC's host route")
        )
    return _keep(state, goal, steps) + steps


def absent(state: State, goal: Goal) -> list[Step]:
    """Steps that take back what `present` sets: our own persistent form and the static route on the primary NIC."""
    name = goal.primary.name
    own = [
        row
        for row in table.host_routes(state)
        if row.table == "main" and row.interface == name and row.protocol == "static"
    ]
    steps = [
        _step("delete", Op("delete", row), Op("append", row), "it is not wanted")
        for row in own
        if not row.opaque and not row.weight
    ]
    return _forget(state.persistent, "it is not wanted") + steps


def _wanted(state: State, goal: Goal) -> Route:
    subnets = [table.subnet_of(address) for address in table.addresses_of(state, goal.primary.name)]
    off_link = bool(goal.next_hop) and not any(table.covers(subnet, goal.next_hop) for subnet in subnets)
    return Route(
        table.IMDS_PREFIX,
        goal.primary.name,
        goal.next_hop,
        protocol="static",
        source=goal.primary.address,
        scope="global" if goal.next_hop else "link",
        onlink=off_link,
    )


def _keep(state: State, goal: Goal, steps: Iterable[Step]) -> list[Step]:
    """The persistent form of the route that is going to win, unless DHCP brings it back anyway."""
    if not goal.wishes.persistent or state.persistent is None or state.persistence in ("", "none"):
        return []
    after = simulate(state, [op for step in steps for op in step.do])
    winner = table.decide(after).route
    if winner is None or winner.table != "main" or table.dhcp_learned(after, winner):
        stale = [row for row in state.persistent if not goal.fits(state, row)]
        return _forget(stale, "it does not fit the primary NIC")
    if any(goal.fits(state, row) for row in state.persistent) and not goal.contradictions(state):
        return []
    kept = winner._replace(source=goal.primary.address, metric=winner.metric)
    return [_step("persist", Op("persist", kept), _restore(state.persistent), "the route must outlive a reboot")]


def _forget(persistent: Optional[Iterable[Route]], reason: str) -> list[Step]:
    rows = tuple(persistent or ())
    return [_step("unpersist", Op("unpersist", rows[0]), _restore(rows), reason)] if rows else []


def _restore(persistent: Iterable[Route]) -> Op:
    first = next(iter(persistent), None)
    return Op("persist", first) if first else Op("unpersist")


def _step(action: str, do: Op, undo: Op, reason: str) -> Step:
    route = do.route
    target = " ".join(ip_arguments(Op("replace", route))[2:]) if route else ""
    return Step(action, target, reason, BEFORE_PROOF, (do,), (undo,))


def _same_slot(first: Route, second: Route) -> bool:
    return first.table == second.table and first.metric == second.metric
