# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of Windows' `route print`, in any language, in the brain's terms: for analysis away from the host.

No header is read, only the shape of the lines: an active row is *address mask hop address number*, a persistent row has
no interface and may end in a word (the default metric). A hop that is no address is the local word for on-link.
The table names an interface by one of its addresses, and prints metrics that already include the interface's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Union

from ansible_collections.imds.azure.plugins.module_utils._routes import ipv4, model
from ansible_collections.imds.azure.plugins.module_utils._routes.model import Address, Interface, Route, State

_IP = r"(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})"
_ACTIVE = re.compile(rf"^\s*{_IP}\s+{_IP}\s+(\S.*?)\s+{_IP}\s+(\d{{1,10}})\s*$", re.ASCII)
_PERSISTENT = re.compile(rf"^\s*{_IP}\s+{_IP}\s+(\S.*?)\s+(\d{{1,10}}|[^\s\d]\S*(?: \S+)?)\s*$", re.ASCII)
_ADAPTER = re.compile(r"^\s*\d{1,5} ?\.\.\.[0-9a-fA-F. ]*(\S.*)$")

_DEFAULT_METRIC = 256
_CLUSTER = "failover cluster virtual adapter"


class _Row(NamedTuple):
    prefix: str
    next_hop: str
    interface: str
    metric: int


def parse_route_print(report: Union[str, bytes]) -> State:
    """The state that a route table shows. Never fails; a state without routes means that nothing was recognized."""
    text = report.decode("ascii", "replace") if isinstance(report, bytes) else report
    lines = text.splitlines()
    active = list(_active(lines))
    names = list(dict.fromkeys(row.interface for row in active))
    addresses = list(_addresses(active))
    cluster = _has_cluster(lines, active, addresses)
    return State(
        system=model.WINDOWS,
        interfaces=tuple(Interface(name, kind=_kind(name, cluster), dhcp=_dhcp(name, active)) for name in names),
        addresses=tuple(addresses),
        routes=tuple(Route(row.prefix, row.interface, row.next_hop, row.metric, table="active") for row in active),
        persistent=tuple(_persistent(lines)) or None,
    )


def _active(lines: Iterable[str]) -> Iterator[_Row]:
    for line in lines:
        match = _ACTIVE.match(line)
        if not match:
            continue
        destination, mask, hop, interface, metric = match.groups()
        try:
            prefix = ipv4.make_prefix(destination, ipv4.mask_length(mask))
            ipv4.number(interface)
        except ValueError:
            continue
        yield _Row(prefix, _next_hop(hop, interface), interface, int(metric))


def _persistent(lines: Iterable[str]) -> Iterator[Route]:
    for line in lines:
        match = None if _ACTIVE.match(line) else _PERSISTENT.match(line)
        if not match:
            continue
        destination, mask, hop, metric = match.groups()
        try:
            prefix = ipv4.make_prefix(destination, ipv4.mask_length(mask))
        except ValueError:
            continue
        number = int(metric) if metric.isdigit() else _DEFAULT_METRIC
        yield Route(prefix, "", _next_hop(hop, ""), number, table="persistent")


def _next_hop(hop: str, interface: str) -> str:
    return hop if ipv4.is_ipv4(hop) and hop not in (interface, "0.0.0.0") else ""


def _addresses(rows: list[_Row]) -> Iterator[Address]:
    """An interface's own addresses: those it is named by, and its on-link host routes inside its own subnets."""
    for name in dict.fromkeys(row.interface for row in rows):
        on_link = [row.prefix for row in rows if row.interface == name and not row.next_hop]
        subnets = [prefix for prefix in on_link if 0 < ipv4.prefix_length(prefix) < 32 and not _is_multicast(prefix)]
        hosts = [prefix.partition("/")[0] for prefix in on_link if ipv4.prefix_length(prefix) == 32]
        for host in dict.fromkeys([name, *hosts]):
            around = [ipv4.prefix_length(subnet) for subnet in subnets if ipv4.covers(subnet, host)]
            length = max(around, default=32)
            if host == name or (around and host != ipv4.IMDS and not _is_edge(host, length)):
                yield Address(host, length, name)


def _is_multicast(prefix: str) -> bool:
    return ipv4.number(prefix.partition("/")[0]) >= 0xE0000000


def _is_edge(host: str, length: int) -> bool:
    """The first and the last address of a subnet are its own name and its broadcast."""
    rest = ipv4.number(host) & (0xFFFFFFFF >> length)
    return length < 31 and rest in (0, 0xFFFFFFFF >> length)


def _has_cluster(lines: Iterable[str], rows: list[_Row], addresses: list[Address]) -> bool:
    """By the list of adapters; without one, by a second address on the default route's NIC: a cluster's VIP."""
    adapters = [match.group(1) for match in map(_ADAPTER.match, lines) if match]
    if adapters:
        return any(_CLUSTER in adapter.lower() for adapter in adapters)
    names = {row.interface for row in rows if row.prefix == ipv4.DEFAULT_PREFIX}
    return any(address.interface in names and address.address != address.interface for address in addresses)


def _kind(name: str, cluster: bool) -> str:
    if ipv4.covers(ipv4.LOOPBACK_PREFIX, name):
        return "loopback"
    return "cluster" if cluster and ipv4.covers(ipv4.LINK_LOCAL_PREFIX, name) else "ethernet"


def _dhcp(name: str, rows: list[_Row]) -> Union[bool, None]:
    """DHCP brings the wire server's route. A default route with its subnet's metric has a static route's 256."""
    own = [row for row in rows if row.interface == name]
    if any(row.prefix == ipv4.WIRESERVER_PREFIX and row.next_hop for row in own):
        return True
    defaults = {row.metric for row in own if row.prefix == ipv4.DEFAULT_PREFIX and row.next_hop}
    subnets = {row.metric for row in own if not row.next_hop and ipv4.prefix_length(row.prefix) < 32}
    return False if defaults & subnets else None
