# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which NIC and which of its addresses IMDS answers: Azure serves only the primary address of the primary NIC."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Optional

from . import ipv4, model
from .findings import Finding, finding
from .model import Interface, Route, State
from .options import DEFAULT, RouteOptions


class Primary(NamedTuple):
    """The primary NIC and address as far as they can be told; ``problems`` says why they can't.

    ``rule``: ``option``, ``imds`` (IMDS' own answer), ``dhcp_routes`` (the NIC that got Azure's host routes) or
    ``default_route``.
    """

    interface: Optional[Interface] = None
    address: str = ""
    rule: str = ""
    problems: tuple[Finding, ...] = ()

    @property
    def name(self) -> str:
        """The NIC's name, empty where it is not known."""
        return self.interface.name if self.interface else ""

    @property
    def mac(self) -> str:
        """The NIC's MAC address, empty where it is not known."""
        return self.interface.mac if self.interface else ""

    def as_dict(self) -> dict[str, object]:
        """Plain form for a module's result."""
        nic = self.interface
        return {
            "interface": self.name,
            "index": nic.ifindex if nic else 0,
            "mac": self.mac,
            "ip": self.address,
            "rule": self.rule,
        }


def find_primary(state: State, options: RouteOptions = DEFAULT) -> Primary:
    """The first rule that yields exactly one NIC decides; then its primary address is looked for."""
    if options.interface or options.mac_address or options.primary_ip:
        found = _by_option(state, options)
    else:
        found = _by_imds(state) or _by_dhcp_routes(state) or _by_default_route(state)
    if found.interface is None:
        return found
    address, problems = _address(state, options, found)
    return found._replace(address=address, problems=problems)


# --- the NIC ------------------------------------------------------------------------------------------------------


def _by_option(state: State, options: RouteOptions) -> Primary:
    own = {address.interface for address in state.addresses if address.address == options.primary_ip}
    named = [
        nic
        for nic in state.interfaces
        if nic.present
        and nic.kind not in ("loopback", "cluster")
        and options.interface in ("", nic.name, str(nic.ifindex))
        and options.mac_address in ("", nic.mac)
    ]
    # A second network function (SR-IOV) has the same MAC; the one that carries the address counts.
    fitting = [nic for nic in named if nic.name in own] if options.primary_ip else named
    if options.primary_ip and not fitting and len(named) == 1:
        fitting = named  # the NIC is clear; the address is complained about as such
    if options.mac_address and not options.primary_ip:
        fitting = _with_ipv4(state, fitting)
    if len(fitting) == 1:
        return Primary(fitting[0], rule="option")
    if fitting:
        return Primary(problems=(_ambiguous_nic(state, (nic.name for nic in fitting)),))
    wanted = ", ".join(part for part in (options.interface, options.mac_address, options.primary_ip) if part)
    problem = finding(
        "no_such_interface",
        wanted=wanted,
        interfaces=", ".join(nic.name for nic in state.interfaces if nic.present) or "none",
    )
    return Primary(problems=(problem,))


def _with_ipv4(state: State, nics: list[Interface]) -> list[Interface]:
    return [nic for nic in nics if model.addresses_of(state, nic.name)] or nics


def _by_imds(state: State) -> Optional[Primary]:
    fitting = _with_ipv4(state, [nic for nic in state.interfaces if state.imds_mac and nic.mac == state.imds_mac])
    return Primary(fitting[0], rule="imds") if len(fitting) == 1 else None


def _by_dhcp_routes(state: State) -> Optional[Primary]:
    """Azure's DHCP server gives the two host routes to the primary NIC only; cloud-init tells it by the same mark."""
    candidates = [row for row in state.routes if model.is_common(row) and _is_usable_nic(state, row)]
    wireserver = {row.interface for row in candidates if row.prefix == ipv4.WIRESERVER_PREFIX}
    imds = {r.interface for r in candidates if r.prefix == ipv4.IMDS_PREFIX and model.dhcp_learned(state, r)}
    for names in (wireserver, imds):
        if len(names) == 1:
            return Primary(model.find_interface(state, names.pop()), rule="dhcp_routes")
    return None


def _by_default_route(state: State) -> Primary:
    rows = [
        row
        for row in state.routes
        if row.prefix == ipv4.DEFAULT_PREFIX and row.next_hop and model.is_common(row) and _is_usable_nic(state, row)
    ]
    if not rows:
        return Primary(problems=(finding("no_default_route"),))
    lowest = min(model.effective_metric(state, row) for row in rows)
    names = {row.interface for row in rows if model.effective_metric(state, row) == lowest}
    if len(names) == 1:
        return Primary(model.find_interface(state, names.pop()), rule="default_route")
    return Primary(problems=(_ambiguous_nic(state, names, rows),))


def _is_usable_nic(state: State, row: Route) -> bool:
    nic = model.find_interface(state, row.interface)
    return row.usable and nic is not None and nic.present and nic.up and nic.kind == "ethernet"


def _ambiguous_nic(state: State, names: Iterable[str], rows: Iterable[Route] = ()) -> Finding:
    evidence = [model.as_row(state, row) for row in rows]
    return finding("ambiguous_primary_nic", evidence, interfaces=", ".join(sorted(names)))


# --- its address --------------------------------------------------------------------------------------------------


def _address(state: State, options: RouteOptions, primary: Primary) -> tuple[str, tuple[Finding, ...]]:
    """The primary address of the NIC, or why it can't be told."""
    name = primary.name
    own = model.addresses_of(state, name)
    texts = [address.address for address in own]
    if options.primary_ip:
        if options.primary_ip in texts:
            return options.primary_ip, ()
        listed = ", ".join(texts) or "none"
        return "", (finding("no_such_address", address=options.primary_ip, interface=name, addresses=listed),)
    if primary.interface and primary.interface.mac == state.imds_mac and state.imds_address in texts:
        return state.imds_address, ()
    routable = [address for address in own if not ipv4.covers(ipv4.LINK_LOCAL_PREFIX, address.address)]
    if not routable:
        return "", (finding("primary_nic_link_local", interface=name),)
    leased = {row.source for row in state.routes if row.interface == name and row.protocol == "dhcp"}
    ways = (
        [address for address in routable if address.dhcp],
        [address for address in routable if address.address in leased],
        [address for address in routable if not address.virtual],
        [address for address in routable if address.address == name],  # `route print` names a NIC by its address
    )
    for found in ways:
        if len(found) == 1:
            return found[0].address, ()
    candidates = ", ".join(address.address for address in routable)
    return "", (finding("ambiguous_primary_ip", interface=name, addresses=candidates),)
