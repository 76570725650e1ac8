# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps on Windows. A route stands in two stores; what may be changed follows from what New-NetRoute can do:

it writes both stores or the active one, never the persistent one alone; it refuses a key (prefix, interface, next hop)
that exists; it refuses an interface that is gone. So a row and its twin in the other store are handled and undone
together, a row that stands in the persistent store alone can't be put back, and such rows go last, after the repair is
proven.

Never touched: the failover cluster's adapter, routes and addresses; what DHCP gave to the primary NIC; any other
prefix.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Optional

from ansible_collections.imds.azure.plugins.module_utils._routes import ipv4, model
from ansible_collections.imds.azure.plugins.module_utils._routes.model import Route, State
from ansible_collections.imds.azure.plugins.module_utils._routes.steps import (
    AFTER_PROOF,
    BEFORE_PROOF,
    Op,
    Step,
)

from .evaluation import Evaluation
from .goal import Goal

# The rows of one key: store -> row.
Stores = Mapping[str, Route]

_METRIC = 1  # route metric of what we add; the interface's comes on top


def present(case: Evaluation, goal: Goal) -> list[Step]:
    """Steps after which the host route over the primary NIC wins, from the primary address where `fix_source` is on."""
    state = case.state
    groups = _groups(state)
    contradicting = goal.contradictions(state)
    bad = [stores for stores in groups if any(row in contradicting for row in stores.values())]
    now = [stores for stores in bad if _restorable(state, stores)]
    late = [stores for stores in bad if stores not in now]
    steps = [_change(stores, {}, "it contradicts the primary NIC's host route") for stores in now]
    after = case.after(_done(steps))
    steps += _host_route(state, after, goal, [stores for stores in groups if stores not in bad])
    if goal.options.fix_source and not goal.reached(case.after(_done(steps))):
        steps += _sources(state, goal)
    return steps + _cleanup(state, late)


def absent(case: Evaluation, goal: Goal) -> list[Step]:
    """Steps that undo what `present` sets; with ``persistent: false`` also a route that is active only."""
    state = case.state
    own = [stores for stores in _groups(state) if _row(stores).interface == goal.primary.name]
    own = [
        stores
        for stores in own
        if "persistent" in stores or not (goal.options.persistent or model.dhcp_learned(state, _row(stores)))
    ]
    return [_change(stores, {}, "it is not wanted") for stores in own]


def _done(steps: Iterable[Step]) -> list[Op]:
    return [op for step in steps for op in step.do]


def _host_route(state: State, after: Evaluation, goal: Goal, groups: list[Stores]) -> list[Step]:
    """The step that makes the wanted route win and stay; ``after`` is the host without what contradicts."""
    wins = goal.wins(after)
    if wins and goal.persistent(after):
        return []
    fitting = [stores for stores in groups if goal.fits(state, _row(stores))]
    own = next((stores for stores in fitting if not model.dhcp_learned(state, _row(stores))), {})
    if own and (wins or "active" not in own):
        row, reason = _row(own), "the route must be in use and outlive a reboot"
    else:
        row = Route(ipv4.IMDS_PREFIX, goal.primary.name, goal.next_hop, _METRIC, table="active", protocol="netmgmt")
        own, reason = (
            next((stores for stores in groups if _row(stores)[:3] == row[:3]), {}),
            "the primary NIC's host route must win",
        )
    new = {"active": row, "persistent": row} if goal.options.persistent or "persistent" in own else {"active": row}
    is_there = {store: old.metric for store, old in own.items()} == dict.fromkeys(new, row.metric)
    is_learned = bool(own) and model.dhcp_learned(state, _row(own))
    return [] if is_there or is_learned else [_change(own, new, reason)]


def _sources(state: State, goal: Goal) -> list[Step]:
    """SkipAsSource on the NIC's other addresses, never on a cluster's, and off on the primary one."""
    name = goal.primary.name
    steps = []
    for own in model.addresses_of(state, name):
        skip = own.address != goal.primary.address
        if own.skip_as_source == skip or own.virtual or ipv4.covers(ipv4.LINK_LOCAL_PREFIX, own.address):
            continue
        do, undo = (Op("skip_as_source", interface=name, address=own.address, skip=value) for value in (skip, not skip))
        reason = "Azure answers only the primary address"
        steps.append(Step("skip_as_source", f"{own.address} on {name}: {skip}", reason, BEFORE_PROOF, (do,), (undo,)))
    return steps


# --- keys and stores ----------------------------------------------------------------------------------------------


def _groups(state: State) -> list[Stores]:
    """The rows for IMDS by key. A stored row with an own address as next hop is the twin of an active on-link one."""
    own = {address.address for address in state.addresses}
    groups: dict[tuple[str, str], dict[str, Route]] = {}
    # On-link rows first, so that their active twin is taken.
    stored = sorted(state.persistent or (), key=lambda row: row.next_hop in own)
    for row in (*model.host_routes(state), *stored):
        if row.prefix == ipv4.IMDS_PREFIX and row.interface:
            key, on_link = (row.interface, row.next_hop), (row.interface, "")
            is_twin = row.next_hop in own and key not in groups and set(groups.get(on_link, {})) == {"active"}
            groups.setdefault(on_link if is_twin and row.table == "persistent" else key, {})[row.table] = row
    return list(groups.values())


def _row(stores: Stores) -> Route:
    return stores.get("active") or stores["persistent"]


def _restorable(state: State, stores: Stores) -> bool:
    nic = model.find_interface(state, _row(stores).interface)
    return _is_remakeable(stores) and nic is not None and nic.present and nic.kind != "loopback"


def _is_remakeable(stores: Stores) -> bool:
    """New-NetRoute can't write the persistent store alone, nor a next hop spelled differently in the two."""
    return "active" in stores and len({row.next_hop for row in stores.values()}) == 1


def _cleanup(state: State, late: list[Stores]) -> list[Step]:
    """Rows that can't be put back: of an interface that is gone, or not active; each with its loopback twin."""
    steps = []
    twins = [s for s in late if _is_loopback(state, s)]
    for stores in late:
        if stores in twins:
            continue
        pair = [s for s in twins if _row(s).next_hop == _row(stores).next_hop]
        twins = [s for s in twins if s not in pair]
        steps.append(_removal([stores, *pair]))
    return steps + [_removal([stores]) for stores in twins]


def _is_loopback(state: State, stores: Stores) -> bool:
    nic = model.find_interface(state, _row(stores).interface)
    return nic is not None and nic.kind == "loopback"


def _removal(groups: list[Stores]) -> Step:
    do = tuple(Op("remove", row, store) for stores in groups for store, row in sorted(stores.items()))
    return Step("remove", _target(groups[0]), "it does not fit the primary NIC and can't be put back", AFTER_PROOF, do)


def _change(before: Stores, after: Stores, reason: str) -> Step:
    """The step from one content of a key to another, with its undo."""
    undo = _undo(before, after)
    phase = AFTER_PROOF if undo is None else BEFORE_PROOF
    action = "remove" if not after else "add" if not before else "change"
    return Step(action, _target(after or before), reason, phase, tuple(_transition(before, after)), tuple(undo or ()))


def _only_activates(before: Stores, after: Stores) -> bool:
    return (
        set(before) == {"persistent"}
        and before["persistent"].metric == after.get("active", before["persistent"]).metric
    )


def _transition(before: Stores, after: Stores) -> list[Op]:
    if after and _only_activates(before, after):
        return [Op("add", after["active"], "active")]
    return [Op("remove", row, store) for store, row in sorted(before.items())] + _creation(after)


def _undo(before: Stores, after: Stores) -> Optional[list[Op]]:
    """Empty both stores, then make anew what was there: works from any point in between. ``None``: impossible."""
    if set(before) == {"persistent"}:
        return [Op("remove", after["active"], "active")] if after and _only_activates(before, after) else None
    if before and not _is_remakeable(before):
        return None
    touched = {(store, row[:3]): row for stores in (after, before) for store, row in stores.items()}
    clear = [Op("remove", row, store) for (store, _key), row in sorted(touched.items())]
    return clear + _creation(before)


def _creation(stores: Stores) -> list[Op]:
    if not stores:
        return []
    active, stored = stores["active"], stores.get("persistent")
    if stored is None:
        return [Op("add", active, "active")]
    both = Op("add", active._replace(metric=stored.metric), "both")
    return [both] if stored.metric == active.metric else [both, Op("set_metric", active, "active")]


def _target(stores: Stores) -> str:
    row = _row(stores)
    way = f"via {row.next_hop}" if row.next_hop else "on-link"
    return f"{row.prefix} {way} on {row.interface}, metric {row.metric}, {' and '.join(sorted(stores))}"
