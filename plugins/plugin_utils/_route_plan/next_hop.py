# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Next hops on the primary NIC: which lead to IMDS, and which one a new route gets."""

from __future__ import annotations

from ansible_collections.imds.azure.plugins.module_utils._routes import ipv4, model
from ansible_collections.imds.azure.plugins.module_utils._routes.findings import Finding, finding
from ansible_collections.imds.azure.plugins.module_utils._routes.model import Route, State
from ansible_collections.imds.azure.plugins.module_utils._routes.options import RouteOptions
from ansible_collections.imds.azure.plugins.module_utils._routes.primary import Primary

# What can be wrong with a next hop.
OFF_SUBNET = "no subnet of the primary NIC holds"
NOT_THE_GATEWAY = "is not the gateway of the primary NIC"


def choose_next_hop(state: State, options: RouteOptions, primary: Primary) -> tuple[str, list[Finding]]:
    """The next hop of a new route. Auto: on Windows on-link (it can't go stale), on Linux the gateway if any."""
    own = model.addresses_of(state, primary.name)
    gateways = model.gateways_of(state, primary.name)
    wanted = options.next_hop
    if (
        wanted == "on_link"
        or (wanted == "auto" and state.system == model.WINDOWS)
        or any(a.address == wanted for a in own)
    ):
        return "", []
    if wanted in ("auto", "gateway"):
        missing = wanted == "gateway" and not gateways and primary.interface is not None
        return next(iter(gateways), ""), [finding("no_gateway", interface=primary.name)] if missing else []
    reachable = wanted in gateways or any(ipv4.covers(model.subnet_of(address), wanted) for address in own)
    wrong = primary.interface is not None and not reachable
    return wanted, [finding("bad_next_hop", next_hop=wanted, interface=primary.name)] if wrong else []


def next_hop_fault(state: State, primary: Primary, route: Route) -> str:
    """Why a next hop on the primary NIC is not one that leads to IMDS; empty where it is.

    Good are: on-link, an own address (which means on-link), the NIC's gateway, and whatever DHCP has put there. Where
    the NIC has no known gateway, any address of its subnets.
    """
    own = model.addresses_of(state, primary.name)
    if (
        not route.next_hop
        or any(address.address == route.next_hop for address in own)
        or model.dhcp_learned(state, route)
    ):
        return ""
    gateways = model.gateways_of(state, primary.name)
    if route.next_hop in gateways:
        return ""
    if all(address.prefix_length == 32 for address in own):
        return ""  # the subnet is unknown or has no on-link part
    if not any(ipv4.covers(model.subnet_of(address), route.next_hop) for address in own):
        return OFF_SUBNET
    return NOT_THE_GATEWAY if gateways else ""
