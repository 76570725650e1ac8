# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One state with everything that is worked out from it, each once: the primary NIC, and who wins."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Optional

from ansible_collections.imds.azure.plugins.module_utils._routes import ipv4, lookup
from ansible_collections.imds.azure.plugins.module_utils._routes.lock import systemd_lock
from ansible_collections.imds.azure.plugins.module_utils._routes.model import Route, RouteVerdict, State
from ansible_collections.imds.azure.plugins.module_utils._routes.options import DEFAULT, RouteOptions
from ansible_collections.imds.azure.plugins.module_utils._routes.primary import Primary, find_primary
from ansible_collections.imds.azure.plugins.module_utils._routes.steps import Op, simulate


class Evaluation:
    """A host as reported, or as it will be after some operations.

    Where the system's own verdict was reported, it counts more than what is worked out from the tables.
    """

    def __init__(self, state: State, options: RouteOptions = DEFAULT, primary: Optional[Primary] = None) -> None:
        self.state = state
        self.options = options
        self.primary = primary or find_primary(state, options)

    @cached_property
    def asked(self) -> bool:
        """Whether anybody asked IMDS."""
        return self.state.imds is not None and self.state.imds.unbound is not None

    @cached_property
    def served(self) -> bool:
        """Whether a program that asks as usual is answered."""
        unbound = self.state.imds.unbound if self.state.imds else None
        return unbound is not None and unbound.served

    @cached_property
    def lock(self) -> Optional[Route]:
        """The route by which systemd-imdsd locks IMDS."""
        return systemd_lock(self.state)

    def after(self, ops: Iterable[Op]) -> Evaluation:
        """The same host after these operations; the primary NIC is not looked for again."""
        ops = list(ops)
        if not ops:
            return self
        # What was said before tells nothing about afterwards.
        return Evaluation(simulate(self.state, ops)._replace(imds=None), self.options, self.primary)

    @cached_property
    def computed(self) -> RouteVerdict:
        """What the tables say about an unbound socket."""
        return lookup.decide(self.state)

    @cached_property
    def computed_bound(self) -> RouteVerdict:
        """What the tables say about a socket bound to the primary address."""
        return lookup.decide(self.state, source=self.primary.address)

    @cached_property
    def winner(self) -> RouteVerdict:
        """The verdict for an unbound socket. Traffic for an address of the host itself never leaves it."""
        if any(address.address == ipv4.IMDS for address in self.state.addresses):
            return self.computed if self.computed.kind == "local" else RouteVerdict("local", source=ipv4.IMDS)
        return _settle(self.state, self.computed, self.state.kernel_verdict)

    @cached_property
    def bound(self) -> RouteVerdict:
        """The verdict for a socket bound to the primary address; to the winner's source where that is not known."""
        if self.primary.address:
            return _settle(self.state, self.computed_bound, self.state.kernel_verdict_bound)
        if not self.winner.source:
            return self.winner
        return _settle(
            self.state, lookup.decide(self.state, source=self.winner.source), self.state.kernel_verdict_bound
        )


def describe(verdict: RouteVerdict) -> str:
    """One line about a verdict."""
    if verdict.route is None or verdict.error:
        return verdict.error or verdict.kind
    route = verdict.route
    way = f"via {route.next_hop}" if route.next_hop else "on-link"
    return f"{route.prefix or ipv4.IMDS_PREFIX} {way} on {route.interface} from {verdict.source or 'no address'}"


def _settle(state: State, ours: RouteVerdict, kernel: Optional[RouteVerdict]) -> RouteVerdict:
    """Our verdict where the system agrees (it knows the prefix and the rule), else the system's."""
    if kernel is None or agrees(ours, kernel):
        return ours
    if kernel.route is None or kernel.route.prefix:
        return kernel
    # Linux does not say which row it took: the longest that leads the same way.
    same = [r for r in state.routes if _same_way(r, kernel.route) and ipv4.covers(r.prefix, ipv4.IMDS)]
    unlisted = kernel.route._replace(prefix=ipv4.IMDS_PREFIX)
    row = max(same, key=lambda r: ipv4.prefix_length(r.prefix), default=unlisted)
    return kernel._replace(route=row, legs=(row,))


def agrees(ours: RouteVerdict, kernel: RouteVerdict) -> bool:
    """Whether two verdicts lead the same way, with the same source or error."""
    if ours.error or kernel.error:
        return ours.error == kernel.error
    # Each leg of a multipath route may have a source of its own.
    if ours.kind != kernel.kind or (kernel.source and ours.source != kernel.source and len(ours.legs) < 2):
        return False
    return ours.kind == "local" or any(kernel.route and _same_way(leg, kernel.route) for leg in ours.legs)


def _same_way(first: Route, second: Route) -> bool:
    return (first.interface, first.next_hop) == (second.interface, second.next_hop)
