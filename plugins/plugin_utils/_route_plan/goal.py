# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a host is as wished: the test that makes a second run change nothing."""

from __future__ import annotations

from typing import NamedTuple

from ansible_collections.imds.azure.plugins.module_utils._routes import table
from ansible_collections.imds.azure.plugins.module_utils._routes.options import Wishes
from ansible_collections.imds.azure.plugins.module_utils._routes.primary import Primary
from ansible_collections.imds.azure.plugins.module_utils._routes.table import Route, State

from .diagnose import next_hop_fault, verdicts


class Goal(NamedTuple):
    """The wishes applied to one host: its primary NIC (known), and the next hop a new route would get."""

    wishes: Wishes
    primary: Primary
    next_hop: str

    def fits(self, state: State, route: Route) -> bool:
        """Whether a row for IMDS is one that may stay: on the primary NIC, with a next hop that leads out of it."""
        if (
            route.prefix != table.IMDS_PREFIX
            or route.kind != "unicast"
            or route.interface not in ("", self.primary.name)
        ):
            return False
        if next_hop_fault(state, self.primary, route) or route.source not in ("", self.primary.address):
            return False
        as_wished = self.wishes.next_hop == "auto" or self._hop(state, route) == self.next_hop
        return as_wished or table.dhcp_learned(state, route)

    def wins(self, state: State) -> bool:
        """Whether traffic takes a fitting host route, bound or not."""
        winner, bound = verdicts(state, self.primary)
        return (
            winner.kind == bound.kind == "unicast"
            and all(self.fits(state, leg) for leg in winner.legs)
            and all(leg.interface == self.primary.name for leg in bound.legs)
        )

    def reached(self, state: State) -> bool:
        """Whether it does so from the primary address."""
        winner, _bound = verdicts(state, self.primary)
        return self.wins(state) and winner.source == self.primary.address

    def persistent(self, state: State) -> bool:
        """Whether the route comes back after a reboot, as far as that is wished and can be known."""
        if not self.wishes.persistent or state.persistent is None or state.persistence == "none":
            return True
        winner, _bound = verdicts(state, self.primary)
        foreign = bool(winner.route) and not any(table.is_common(leg) for leg in winner.legs)
        learned = any(self.fits(state, r) and table.dhcp_learned(state, r) for r in table.host_routes(state))
        return foreign or learned or any(self.fits(state, row) for row in state.persistent)

    def contradictions(self, state: State) -> list[Route]:
        """The rows, running and stored, that contradict and may be removed."""
        rows = [*(row for row in table.host_routes(state) if table.is_common(row)), *(state.persistent or ())]
        rows = [row for row in rows if row.prefix == table.IMDS_PREFIX]
        return [row for row in rows if not self.fits(state, row) and self.removable(state, row)]

    def removable(self, state: State, route: Route) -> bool:
        """Whether a contradicting row may be removed.

        Never: what the kernel made, what DHCP gave to the primary NIC, anything on the cluster's adapter. Only on
        request:
        rows on tunnels and container networks and, on Linux, rows that are not static.
        """
        wish = self.wishes.remove_conflicting
        unplaced = state.system == table.WINDOWS and not route.interface  # `route print` does not say whose it is
        if wish is False or route.protocol == "kernel" or unplaced:
            return False
        nic = table.find_interface(state, route.interface)
        kind = nic.kind if nic else "ethernet"
        if kind == "cluster" or (route.interface == self.primary.name and table.dhcp_learned(state, route)):
            return False
        foreign = kind in ("tunnel", "virtual")
        if state.system == table.LINUX:
            if route.opaque or route.weight:
                return False
            foreign = foreign or route.protocol not in ("", "static", "boot")
        return wish is True or not foreign

    def satisfied(self, state: State) -> bool:
        """Nothing is left to do."""
        return self.reached(state) and self.persistent(state) and not self.contradictions(state)

    def _hop(self, state: State, route: Route) -> str:
        own = (address.address for address in table.addresses_of(state, self.primary.name))
        return "" if route.next_hop in own else route.next_hop
