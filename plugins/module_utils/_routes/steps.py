# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations a plan is made of, and what each does to a table.

An operation is what the target carries out without thinking; `simulate` is the same on the tables reported, so that a
plan's outcome is known before anything is touched.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Callable, NamedTuple, Optional

from . import model
from .model import Route, State

BEFORE_PROOF = "repair"  # may be undone
AFTER_PROOF = "cleanup"  # can't be put back as it was, so it waits until the repair is proven


class Op(NamedTuple):
    """One operation.

    Linux: ``replace``, ``append``, ``prepend``, ``delete`` of ``route``; ``persist`` it as our own persistent form,
    ``unpersist`` that form. Windows: ``add``, ``remove``, ``set_metric`` of ``route`` in ``store`` (``active``,
    ``persistent``; ``add`` also ``both``); ``skip_as_source`` of ``address`` on ``interface`` to ``skip``.
    """

    action: str
    route: Optional[Route] = None
    store: str = ""
    interface: str = ""
    address: str = ""
    skip: bool = False


class Step(NamedTuple):
    """What is done for one reason. ``undo`` reverts ``do`` from any state in between, so also a step cut short."""

    action: str
    target: str
    reason: str
    phase: str
    do: tuple[Op, ...]
    undo: tuple[Op, ...] = ()


def simulate(state: State, ops: Iterable[Op]) -> State:
    """The state after the operations. The system's own verdicts are dropped: they belong to the state before."""
    for op in ops:
        state = _EFFECTS[op.action](state, op)
    return state._replace(kernel_verdict=None, kernel_verdict_bound=None)


# --- plain forms for the target -----------------------------------------------------------------------------------


def windows_op(state: State, op: Op) -> dict[str, object]:
    """What the Windows side carries out; on-link is ``0.0.0.0``, the interface an index, every selector explicit."""
    name = op.route.interface if op.route else op.interface
    nic = model.find_interface(state, name)
    if nic is None:
        raise ValueError(f"no interface {name!r}")
    if op.route is None:
        return {"action": op.action, "address": op.address, "interface_index": nic.ifindex, "skip": op.skip}
    return {
        "action": op.action,
        "prefix": op.route.prefix,
        "interface_index": nic.ifindex,
        "next_hop": op.route.next_hop or "0.0.0.0",
        "metric": op.route.metric,
        "store": op.store,
    }


def linux_op(op: Op) -> dict[str, object]:
    """What the Linux side carries out: ``arguments`` for the ip command, or the ``route`` to keep or forget."""
    if op.action in _IP_VERBS and op.route:
        return {"action": op.action, "arguments": ip_arguments(op)}
    return {"action": op.action, "route": _persistent_row(op.route)} if op.route else {"action": op.action}


def _persistent_row(route: Route) -> dict[str, object]:
    """A route as `ip -j route` has it, which is also how our own persistent form is reported."""
    row: dict[str, object] = {"dst": route.prefix, "dev": route.interface, "prefsrc": route.source}
    row.update({"gateway": route.next_hop} if route.next_hop else {"scope": "link"})
    row.update({"metric": route.metric} if route.metric else {})
    row.update({"flags": ["onlink"]} if route.onlink else {})
    return row


_IP_VERBS = ("replace", "append", "prepend", "delete")


def ip_arguments(op: Op) -> list[str]:
    """Arguments of ``ip`` for a routing operation, understood by iproute2 and busybox."""
    route = op.route
    if route is None:
        raise ValueError(f"{op.action} is no routing operation")
    words = ["route", op.action]
    words += [] if route.kind == "unicast" else [route.kind]
    words.append(route.prefix)
    words += ["via", route.next_hop] if route.next_hop else []
    words += ["dev", route.interface] if route.interface else []
    words += ["proto", route.protocol] if route.protocol else []
    words += ["src", route.source] if route.source else []
    words += ["metric", str(route.metric)] if route.metric else []
    words += ["table", route.table] if route.table != "main" else []
    usual = "link" if route.kind == "unicast" and not route.next_hop else "global"
    words += ["scope", route.scope] if route.scope != usual and op.action != "delete" else []
    words += ["onlink"] if route.onlink else []
    return words


# --- effects ------------------------------------------------------------------------------------------------------


def _slot(route: Route) -> tuple[object, ...]:
    """Two rows of one slot can't be told apart by the kernel's ``replace``."""
    return (route.table, route.prefix, route.metric)


def _replace(state: State, op: Op) -> State:
    route = _given(op)
    rows = list(state.routes)
    places = [at for at, row in enumerate(rows) if _slot(row) == _slot(route)]
    if places:
        rows[places[0]] = route
    else:
        rows.append(route)
    return state._replace(routes=tuple(rows))


def _append(state: State, op: Op) -> State:
    return state._replace(routes=(*state.routes, _given(op)))


def _prepend(state: State, op: Op) -> State:
    return state._replace(routes=(_given(op), *state.routes))


def _delete(state: State, op: Op) -> State:
    route = _given(op)
    # What `ip route delete` is given to select by.
    names = ("table", "prefix", "metric", "interface", "next_hop", "kind", "protocol", "source")
    kept = [row for row in state.routes if any(getattr(row, name) != getattr(route, name) for name in names)]
    return state._replace(routes=tuple(kept))


def _persist(state: State, op: Op) -> State:
    return state._replace(persistent=(_given(op),))


def _unpersist(state: State, _op: Op) -> State:
    return state._replace(persistent=())


def _add(state: State, op: Op) -> State:
    route = _given(op)
    if op.store in ("active", "both"):
        state = state._replace(routes=(*state.routes, route._replace(table="active")))
    if op.store in ("persistent", "both"):
        state = state._replace(persistent=(*(state.persistent or ()), route._replace(table="persistent")))
    return state


def _remove(state: State, op: Op) -> State:
    return _map_store(state, op, lambda _row: None)


def _set_metric(state: State, op: Op) -> State:
    metric = _given(op).metric
    return _map_store(state, op, lambda row: row._replace(metric=metric))


def _map_store(state: State, op: Op, change: Callable[[Route], Optional[Route]]) -> State:
    route = _given(op)

    def changed(rows: Iterable[Route]) -> tuple[Route, ...]:
        new = (change(row) if model.same_route(row, route) else row for row in rows)
        return tuple(row for row in new if row is not None)

    if op.store == "active":
        return state._replace(routes=changed(state.routes))
    return state._replace(persistent=changed(state.persistent or ()))


def _skip_as_source(state: State, op: Op) -> State:
    return state._replace(
        addresses=tuple(
            a._replace(skip_as_source=op.skip) if (a.interface, a.address) == (op.interface, op.address) else a
            for a in state.addresses
        )
    )


def _given(op: Op) -> Route:
    if op.route is None:
        raise ValueError(f"{op.action} needs a route")
    return op.route


_EFFECTS: dict[str, Callable[[State, Op], State]] = {
    "replace": _replace,
    "append": _append,
    "prepend": _prepend,
    "delete": _delete,
    "persist": _persist,
    "unpersist": _unpersist,
    "add": _add,
    "remove": _remove,
    "set_metric": _set_metric,
    "skip_as_source": _skip_as_source,
}
