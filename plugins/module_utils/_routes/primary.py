# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which NIC and which of its addresses IMDS answers: Azure serves only the primary address of the primary NIC."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Optional

from . import ipv4, model
from .candidates import Candidate, may_be_primary, owner
from .down import down_nics, nic_down
from .findings import Finding, finding
from .model import Interface, Route, State
from .options import DEFAULT, RouteOptions
from .reply import ANSWERS

_LEASE = "Renew the lease (DHCP) of that NIC; Azure then gives it its address and routes again."


class Primary(NamedTuple):
    """The primary NIC and address as far as they can be told; ``problems`` says why they can't.

    ``rule``: ``option``, ``asked`` (IMDS answered this address), or an assumption: ``dhcp_routes`` (the NIC that got
    Azure's host routes) or ``default_route``.
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
    def assumed(self) -> bool:
        """Whether nobody said so, and IMDS did not show it either."""
        return self.rule in ("dhcp_routes", "default_route")

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
    answered = answered_pair(state)
    if options.interface or options.mac_address or options.primary_ip:
        found = _by_option(state, options)
    else:
        found = _by_asking(state, answered) or _by_dhcp_routes(state) or _by_default_route(state)
    if found.assumed or found.interface is None:
        failed = _without_lease(state)
        if failed:
            problem = finding("primary_nic_link_local", interface=failed.name, how=_LEASE)
            return Primary(failed, problems=(problem,))
    if found.interface is None:
        return found
    if not found.interface.up and found.interface.fault and options.state != "absent":
        return found._replace(problems=(nic_down(state, found.interface),))
    address, problems = _address(state, options, found, answered)
    return found._replace(address=address, problems=problems)


def with_pair(state: State, candidate: Candidate, rule: str) -> Primary:
    """The primary NIC and address as they are taken for a trial."""
    return Primary(model.find_interface(state, candidate.interface), candidate.address, rule)


def answered_pair(state: State) -> Optional[Candidate]:
    """The NIC and address that IMDS answered itself: it answers exactly one."""
    asked = state.imds
    if asked is None:
        return None
    for interface, address, reply in asked.bound:
        if reply.direct and reply.local_address == address:
            return Candidate(interface, address)
    if asked.unbound is not None and asked.unbound.direct:
        nic = owner(state, asked.unbound.local_address)
        return Candidate(nic.name, asked.unbound.local_address) if nic else None
    return None


def _without_lease(state: State) -> Optional[Interface]:
    """The NIC whose DHCP request was not answered, where none of the others is: it is likely the primary one."""
    asked = state.imds
    if asked is None or (asked.unbound is not None and asked.unbound.served):
        return None
    if any(reply.outcome in ANSWERS or reply.via_agent for _interface, _address, reply in asked.bound):
        return None
    failed = [
        nic for nic in state.interfaces if nic.kind == "ethernet" and may_be_primary(nic) and nic.dhcp is not False
    ]
    failed = [nic for nic in failed if _is_link_local_only(state, nic)]
    return failed[0] if len(failed) == 1 else None


def _is_link_local_only(state: State, nic: Interface) -> bool:
    """Every address is one that a host gives itself. Windows tells DHCP from a NIC that was set up so."""
    own = model.addresses_of(state, nic.name)
    if not own or not all(ipv4.covers(ipv4.LINK_LOCAL_PREFIX, address.address) for address in own):
        return False
    return nic.dhcp is True or state.system == model.LINUX


# --- the NIC ------------------------------------------------------------------------------------------------------


def _by_option(state: State, options: RouteOptions) -> Primary:
    own = {address.interface for address in state.addresses if address.address == options.primary_ip}
    named = [
        nic
        for nic in state.interfaces
        if nic.present
        and not nic.master
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
    return Primary(problems=(problem, *down_nics(state)))  # Windows lists no interface of a disabled adapter


def _with_ipv4(state: State, nics: list[Interface]) -> list[Interface]:
    return [nic for nic in nics if model.addresses_of(state, nic.name)] or nics


def _by_asking(state: State, answered: Optional[Candidate]) -> Optional[Primary]:
    nic = model.find_interface(state, answered.interface) if answered else None
    return Primary(nic, rule="asked") if nic else None


def _by_dhcp_routes(state: State) -> Optional[Primary]:
    """Azure's DHCP server gives the two host routes to the primary NIC only; cloud-init tells it by the same mark."""
    rows = [row for row in state.routes if row.prefix in (ipv4.WIRESERVER_PREFIX, ipv4.IMDS_PREFIX)]
    rows = [row for row in rows if model.is_common(row) and _is_usable_nic(state, row)]
    learned = [row for row in rows if model.dhcp_learned(state, row)]
    wireserver = {row.interface for row in learned if row.prefix == ipv4.WIRESERVER_PREFIX}
    imds = {row.interface for row in learned if row.prefix == ipv4.IMDS_PREFIX}
    # Some DHCP clients do not mark what they set; a route without a gateway is none of theirs.
    unmarked = {row.interface for row in rows if row.prefix == ipv4.WIRESERVER_PREFIX and row.next_hop}
    for names in (wireserver & imds, wireserver, imds, unmarked):
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
        return Primary(problems=(*down_nics(state), finding("no_default_route")))
    lowest = min(model.effective_metric(state, row) for row in rows)
    names = {row.interface for row in rows if model.effective_metric(state, row) == lowest}
    if len(names) == 1:
        return Primary(model.find_interface(state, names.pop()), rule="default_route")
    return Primary(problems=(_ambiguous_nic(state, names, rows),))


def _is_usable_nic(state: State, row: Route) -> bool:
    nic = model.find_interface(state, row.interface)
    return row.usable and nic is not None and may_be_primary(nic) and nic.kind == "ethernet"


def _ambiguous_nic(state: State, names: Iterable[str], rows: Iterable[Route] = ()) -> Finding:
    evidence = [model.as_row(state, row) for row in rows]
    return finding("ambiguous_primary_nic", evidence, interfaces=", ".join(sorted(names)))


# --- its address --------------------------------------------------------------------------------------------------


def _address(
    state: State, options: RouteOptions, primary: Primary, answered: Optional[Candidate]
) -> tuple[str, tuple[Finding, ...]]:
    """The primary address of the NIC, or why it can't be told."""
    name = primary.name
    own = model.addresses_of(state, name)
    texts = [address.address for address in own]
    if options.primary_ip:
        if options.primary_ip in texts:
            return options.primary_ip, ()
        listed = ", ".join(texts) or "none"
        return "", (finding("no_such_address", address=options.primary_ip, interface=name, addresses=listed),)
    if answered and answered.interface == name and answered.address in texts:
        return answered.address, ()
    routable = [address for address in own if not ipv4.covers(ipv4.LINK_LOCAL_PREFIX, address.address)]
    if not routable:
        how = _LEASE if primary.interface and primary.interface.dhcp else "Repair the NIC's DHCP or address first."
        return "", (finding("primary_nic_link_local", interface=name, how=how),)
    leased = {row.source for row in state.routes_over.get(name, ()) if row.protocol == "dhcp"}
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
