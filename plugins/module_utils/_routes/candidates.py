# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pairs of address and NIC may be the primary ones, most likely first. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Optional

from . import ipv4, model
from .model import Address, Interface, Route, State
from .options import DEFAULT, RouteOptions

MOST = 8


class Candidate(NamedTuple):
    """One IPv4 address of one interface."""

    interface: str
    address: str


def candidates(state: State, options: RouteOptions = DEFAULT) -> list[Candidate]:
    """At most eight pairs that Azure may answer, by what DHCP and the routes tell; options narrow them down."""
    found = [
        ((*on_nic, *rank), Candidate(nic.name, address.address))
        for nic in state.interfaces
        if may_be_primary(nic) and _fits(nic, options)
        for on_nic in [_rank_of_nic(state, nic)]
        for address, rank in _ranked_addresses(state, nic)
        if _may_be_asked(address) and options.primary_ip in ("", address.address)
    ]
    return [candidate for _rank, candidate in sorted(found, key=lambda one: one[0])][:MOST]


def may_be_primary(nic: Interface) -> bool:
    """Whether a NIC may carry the VM's primary address. A device with a master never does: its master is meant."""
    return nic.present and nic.up and not nic.master and nic.kind not in ("loopback", "cluster", "tunnel")


def _fits(nic: Interface, options: RouteOptions) -> bool:
    return options.interface in ("", nic.name, str(nic.ifindex)) and options.mac_address in ("", nic.mac)


def _may_be_asked(address: Address) -> bool:
    left_out = (ipv4.LINK_LOCAL_PREFIX, ipv4.LOOPBACK_PREFIX)
    return address.usable and not any(ipv4.covers(prefix, address.address) for prefix in left_out)


def _rank_of_nic(state: State, nic: Interface) -> tuple[object, ...]:
    """First the NIC that got Azure's host routes, then those with a default route."""
    rows = _common_rows(state, nic)
    azure = any(row.prefix == ipv4.WIRESERVER_PREFIX and model.dhcp_learned(state, row) for row in rows)
    azure = azure or any(row.prefix == ipv4.IMDS_PREFIX and model.dhcp_learned(state, row) for row in rows)
    defaults = [
        model.effective_metric(state, row) for row in rows if row.prefix == ipv4.DEFAULT_PREFIX and row.next_hop
    ]
    return (nic.kind != "ethernet", not azure, min(defaults, default=1 << 33), nic.ifindex)


def _ranked_addresses(state: State, nic: Interface) -> Iterator[tuple[Address, tuple[object, ...]]]:
    """First the address by DHCP."""
    sources = {row.source for row in _common_rows(state, nic) if row.protocol == "dhcp"}
    for order, address in enumerate(model.addresses_of(state, nic.name)):
        leased = address.dhcp or address.address in sources
        yield address, (address.virtual, not leased, address.secondary, order)


def _common_rows(state: State, nic: Interface) -> list[Route]:
    return [row for row in state.routes_over.get(nic.name, ()) if row.usable and model.is_common(row)]


def owner(state: State, address: str) -> Optional[Interface]:
    """The NIC that has an address; of several, one that may be the primary one."""
    names = [one.interface for one in state.addresses if one.address == address]
    nics = [nic for nic in (model.find_interface(state, name) for name in names) if nic is not None]
    fitting = [nic for nic in nics if may_be_primary(nic)]
    return next(iter(fitting), None)
