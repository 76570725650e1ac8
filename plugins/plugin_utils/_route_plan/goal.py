# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired state of a host: the test that makes a second run change nothing."""

from __future__ import annotations

from typing import NamedTuple

from ansible_collections.imds.azure.plugins.module_utils._routes import ipv4, model
from ansible_collections.imds.azure.plugins.module_utils._routes.model import Route, State
from ansible_collections.imds.azure.plugins.module_utils._routes.options import RouteOptions
from ansible_collections.imds.azure.plugins.module_utils._routes.primary import Primary

from .evaluation import Evaluation
from .next_hop import next_hop_fault


class Goal(NamedTuple):
    """The options applied to one host: its primary NIC (known), and the next hop a new route would get."""

    options: RouteOptions
    primary: Primary
    next_hop: str

    def fits(self, state: State, route: Route) -> bool:
        """Whether a row for IMDS is one that may stay: on the primary NIC, with a next hop that leads out of it."""
        if (
            route.prefix != ipv4.IMDS_PREFIX
            or route.kind != "unicast"
            or route.interface not in ("", self.primary.name)
        ):
            return False
        if next_hop_fault(state, self.primary, route) or route.source not in ("", self.primary.address):
            return False
        as_asked = self.options.next_hop == "auto" or self._hop(state, route) == self.next_hop
        return as_asked or model.dhcp_learned(state, route)

    def wins(self, case: Evaluation) -> bool:
        """Whether traffic takes a fitting host route, bound or not."""
        return (
            case.winner.kind == case.bound.kind == "unicast"
            and all(self.fits(case.state, leg) for leg in case.winner.legs)
            and all(leg.interface == self.primary.name for leg in case.bound.legs)
        )

    def reached(self, case: Evaluation) -> bool:
        """Whether it does so from the primary address."""
        return self.wins(case) and case.winner.source == self.primary.address

    def persistent(self, case: Evaluation) -> bool:
        """Whether the route comes back after a reboot, as far as that is asked for and can be known."""
        state = case.state
        if not self.options.persistent or state.persistent is None or state.persistence == "none":
            return True
        winner = case.winner
        foreign = bool(winner.route) and not any(model.is_common(leg) for leg in winner.legs)
        learned = any(self.fits(state, r) and model.dhcp_learned(state, r) for r in model.host_routes(state))
        return foreign or learned or any(self.fits(state, row) for row in state.persistent)

    def contradictions(self, state: State) -> list[Route]:
        """The rows, running and stored, that contradict and may be removed."""
        rows = [*(row for row in model.host_routes(state) if model.is_common(row)), *(state.persistent or ())]
        rows = [row for row in rows if row.prefix == ipv4.IMDS_PREFIX]
        return [row for row in rows if not self.fits(state, row) and self.removable(state, row)]

    def removable(self, state: State, route: Route) -> bool:
        """Whether a contradicting row may be removed.

        Only on request: rows on tunnels and container networks and, on Linux, rows that are not static.
        """
        wanted = self.options.remove_conflicting
        if wanted is False or self.protection(state, route):
            return False
        nic = model.find_interface(state, route.interface)
        foreign = nic is not None and nic.kind in ("tunnel", "virtual")
        if state.system == model.LINUX:
            foreign = foreign or route.protocol not in ("", "static", "boot")
        return wanted is True or not foreign

    def protection(self, state: State, route: Route) -> str:
        """Why a row is never removed, whatever the options; empty where it may be."""
        nic = model.find_interface(state, route.interface)
        if state.system == model.WINDOWS and not route.interface:
            return "nothing tells whose interface it is on"  # as `route print` has it
        if route.protocol == "kernel":
            return "the kernel made it"
        if nic is not None and nic.kind == "cluster":
            return "it belongs to the failover cluster"
        if route.interface == self.primary.name and model.dhcp_learned(state, route):
            return "DHCP gave it to the primary NIC"
        if state.system == model.LINUX and route.weight:
            return "it has several next hops, which could not be put back"
        if state.system == model.LINUX and route.opaque:
            return f"it has {', '.join(route.opaque)}, which could not be put back"
        return ""

    def satisfied(self, case: Evaluation) -> bool:
        """Nothing is left to do."""
        return self.reached(case) and self.persistent(case) and not self.contradictions(case.state)

    def _hop(self, state: State, route: Route) -> str:
        own = (address.address for address in model.addresses_of(state, self.primary.name))
        return "" if route.next_hop in own else route.next_hop
