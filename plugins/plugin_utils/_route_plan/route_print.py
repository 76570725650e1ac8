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

_FOUR_NUMBERS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_METRIC = re.compile(r"[0-9]{1,10}")
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
    for words in map(str.split, lines):
        prefix = _prefix(words)
        if prefix and _is_active(words) and ipv4.is_ipv4(words[-2]):
            interface = words[-2]
            yield _Row(prefix, _next_hop(words[2:-2], interface), interface, int(words[-1]))


def _persistent(lines: Iterable[str]) -> Iterator[Route]:
    for words in map(str.split, lines):
        prefix = _prefix(words)
        if not prefix or _is_active(words) or len(words) < 4:
            continue
        if _METRIC.fullmatch(words[-1]):
            yield Route(prefix, "", _next_hop(words[2:-1], ""), int(words[-1]), table="persistent")
        elif not words[-1][0].isdecimal():  # the default metric is a word, or two
            yield Route(prefix, "", _next_hop(words[2:3], ""), _DEFAULT_METRIC, table="persistent")


def _prefix(words: list[str]) -> str:
    """The prefix with which a row begins, as address and mask; empty where it does not."""
    try:
        return ipv4.make_prefix(words[0], ipv4.mask_length(words[1])) if len(words) > 1 else ""
    except ValueError:
        return ""


def _is_active(words: list[str]) -> bool:
    """Whether a row ends in an interface and a metric, after a hop of one word or more."""
    return len(words) > 4 and bool(_FOUR_NUMBERS.fullmatch(words[-2]) and _METRIC.fullmatch(words[-1]))


def _next_hop(hop: list[str], interface: str) -> str:
    """The hop where it is an address; else it is the local word for on-link, or several."""
    return hop[0] if len(hop) == 1 and ipv4.is_ipv4(hop[0]) and hop[0] not in (interface, "0.0.0.0") else ""


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
