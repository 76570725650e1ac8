# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Windows side reports, in the brain's terms. Pure.

A report is a dictionary. A part that could not be collected is null, with a line in ``errors``. Rows carry the
properties of the cmdlets' objects under their own names; enumerations may be names or numbers:

- ``routes``: ``{"active": [..], "persistent": [..]}`` of Get-NetRoute: DestinationPrefix, InterfaceIndex, NextHop,
  RouteMetric, Protocol
- ``interfaces`` of Get-NetIPInterface: InterfaceIndex, InterfaceAlias, InterfaceMetric, Dhcp, ConnectionState
- ``adapters`` of Get-NetAdapter -IncludeHidden: InterfaceIndex (or ifIndex), Name, InterfaceDescription, MacAddress,
  Status, ComponentID, PnPDeviceID, InterfaceType
- ``addresses``: ``{"active": [..], "persistent": [..]}`` of Get-NetIPAddress: IPAddress, PrefixLength, InterfaceIndex,
  PrefixOrigin, SkipAsSource, AddressState
- ``find_route``: the objects of Find-NetRoute, a list in any order; ``find_route_bound`` the same with -LocalIPAddress
- ``persistent_route_values``: the value names ``destination,mask,gateway,metric`` of the PersistentRoutes registry key
- ``cluster_service``: state of ClusSvc, null or empty where there is none
- ``compartments``: number of network compartments
- ``imds``, ``guest_agent``, ``firewall``, ``azure``, ``elevated``, ``errors``: see `common_report`, which Linux has too
- ``counts``: how many ``routes``, ``interfaces`` and ``addresses`` the host has in all: the lists hold only rows that
  can matter, that is those that cover 169.254.169.254 or 168.63.129.16, and the interfaces and addresses they use
- ``digest``: of the host's routes to IMDS in both stores; `apply` refuses where it is another one by then
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Optional

from ansible_collections.imds.azure.plugins.module_utils._routes import ipv4, model
from ansible_collections.imds.azure.plugins.module_utils._routes.common_report import common_parts
from ansible_collections.imds.azure.plugins.module_utils._routes.model import (
    Address,
    Interface,
    ReportError,
    Route,
    RouteVerdict,
    State,
)
from ansible_collections.imds.azure.plugins.module_utils._routes.options import normalize_mac

Row = Mapping[str, Any]

_CLUSTER = ("failover cluster virtual adapter", "root\\netft")
_TUNNELS = (
    *(
        "tap-windows",
        "wireguard",
        "wintun",
        "openvpn",
        "wan miniport",
        "vpn",
        "pangp",
        "anyconnect",
        "fortinet",
        "juniper",
    ),
    *("check point virtual", "sonicwall", "zscaler", "netskope", "tunnel", "ppp adapter"),
)
_TUNNEL_TYPES = ("23", "131")  # IANA ifType: ppp, tunnel
_LOOPBACK_TYPES = ("24",)
# A vEthernet of an external switch carries the host's own address; these are the inner ones.
_INNER_SWITCHES = (
    "vethernet (nat",
    "vethernet (default switch",
    "vethernet (hns",
    "vethernet (wsl",
    "vethernet (docker",
)


def read_windows_report(report: Mapping[str, Any]) -> State:
    """The state that a report describes.

    :raises ReportError: where it can't be read, or the active routes or the addresses are missing
    """
    try:
        return _read(report)
    except ReportError:
        raise
    except (ValueError, TypeError, AttributeError, LookupError, OverflowError, RecursionError) as error:
        raise ReportError(f"the report of routes, addresses and interfaces can't be read: {error!r}") from error


def _read(report: Mapping[str, Any]) -> State:
    routes, addresses = report.get("routes") or {}, report.get("addresses") or {}
    if routes.get("active") is None or addresses.get("active") is None:
        said = "; ".join(map(str, report.get("errors") or ())) or "no reason given"
        raise ReportError(
            f"routes or addresses could not be collected (Windows Server 2012 or newer is needed): {said}"
        )
    names = _Names(report, [*_list(routes["active"]), *_list(routes.get("persistent"))])
    persistent = routes.get("persistent")
    return State(
        system=model.WINDOWS,
        interfaces=tuple(names.interfaces()),
        addresses=tuple(_addresses(addresses, names)),
        routes=tuple(_routes(routes["active"], "active", names)),
        persistent=None if persistent is None else tuple(_routes(persistent, "persistent", names)),
        registry=tuple(_registry(report.get("persistent_route_values"))),
        kernel_verdict=_find_route(report.get("find_route"), names),
        kernel_verdict_bound=_find_route(report.get("find_route_bound"), names),
        compartments=int(report.get("compartments") or 1),
        **common_parts(report, names.of_index),
    )


class _Names:
    """One unique name per interface index, and what is known about each."""

    def __init__(self, report: Mapping[str, Any], routes: list[Row]) -> None:
        self._interfaces = {_index(row): row for row in reversed(_list(report.get("interfaces"))) if _is_ipv4(row)}
        self._adapters = {_index(row): row for row in reversed(_list(report.get("adapters")))}
        self._knows_present = bool(self._interfaces)
        addresses = report.get("addresses") or {}
        self._listed = {_index(row) for row in [*routes, *_list(addresses.get("active"))]}
        # Where the adapters' descriptions are missing, a cluster's adapter is told by its only address.
        self._is_node = bool(report.get("cluster_service"))
        self._wider = {_index(r) for r in _list(addresses.get("active")) if not _is_link_local(r.get("IPAddress"))}
        self._names: dict[int, str] = {}
        for index in sorted({*self._interfaces, *self._adapters, *self._listed}):
            alias = self._alias(index)
            taken = alias in self._names.values()
            self._names[index] = f"{alias} ({index})" if taken else alias

    def name(self, row: Row) -> str:
        return self._names[_index(row)]

    def of_index(self, index: Any) -> str:
        return self._names.get(int(index), f"interface {index}")

    def known(self, row: Row) -> bool:
        return _index(row) in self._names

    def interfaces(self) -> Iterator[Interface]:
        for index, name in self._names.items():
            interface, adapter = self._interfaces.get(index, {}), self._adapters.get(index, {})
            state, status = _word(interface.get("ConnectionState")), _word(adapter.get("Status"))
            yield Interface(
                name=name,
                ifindex=index,
                mac=normalize_mac(adapter.get("MacAddress")),
                kind=_kind(index, name, adapter) if adapter or index in self._wider or not self._is_node else "cluster",
                up=state not in ("disconnected", "0") and status not in ("disconnected", "disabled", "not present"),
                metric=int(interface.get("InterfaceMetric") or 0),
                dhcp={"enabled": True, "1": True, "disabled": False, "0": False}.get(_word(interface.get("Dhcp"))),
                present=bool(interface) or not self._knows_present,
                fault=_fault(state, status),
            )

    def _alias(self, index: int) -> str:
        named = self._interfaces.get(index, {}).get("InterfaceAlias") or self._adapters.get(index, {}).get("Name")
        return str(named or f"interface {index}")


def _fault(state: str, status: str) -> str:
    """Adapters that are not present are remains of hardware that is gone, so nothing is wrong with them."""
    if status == "disabled":
        return model.DISABLED
    disconnected = status == "disconnected" or (state in ("disconnected", "0") and status != "not present")
    return model.NO_CARRIER if disconnected else ""


def _kind(index: int, name: str, adapter: Row) -> str:
    about = " ".join(_word(adapter.get(key)) for key in ("InterfaceDescription", "ComponentID", "PnPDeviceID"))
    kind = _word(adapter.get("InterfaceType"))
    if any(mark in about for mark in _CLUSTER):
        return "cluster"
    if index == 1 or kind in _LOOPBACK_TYPES or "loopback" in about:  # the loopback pseudo-interface has no adapter
        return "loopback"
    if kind in _TUNNEL_TYPES or any(mark in about for mark in _TUNNELS):
        return "tunnel"
    return "virtual" if name.lower().startswith(_INNER_SWITCHES) else "ethernet"


def _routes(rows: Any, store: str, names: _Names) -> Iterator[Route]:
    for row in _list(rows):
        try:
            prefix = ipv4.parse_prefix(str(row.get("DestinationPrefix")))
        except ValueError:
            continue
        next_hop = str(row.get("NextHop") or "0.0.0.0")
        yield Route(
            prefix=prefix,
            interface=names.name(row),
            next_hop="" if next_hop == "0.0.0.0" else next_hop,
            metric=int(row.get("RouteMetric") or 0),
            table=store,
            protocol=_word(row.get("Protocol")),
        )


def _addresses(stores: Mapping[str, Any], names: _Names) -> Iterator[Address]:
    """An address that is in use, was set by hand and is stored nowhere was put there by the cluster: a VIP."""
    stored = stores.get("persistent")
    kept = {(str(row.get("IPAddress")), _index(row)) for row in _list(stored)}
    for row in _list(stores["active"]):
        address = str(row.get("IPAddress"))
        if not ipv4.is_ipv4(address):
            continue
        origin, state = _word(row.get("PrefixOrigin")), _word(row.get("AddressState"))
        length = int(row.get("PrefixLength") or 32)
        ipv4.make_prefix(address, length)  # what is no length ends here, with an error
        yield Address(
            address=address,
            prefix_length=length,
            interface=names.name(row),
            dhcp=origin in ("dhcp", "3"),
            skip_as_source=bool(row.get("SkipAsSource")),
            virtual=stored is not None and origin in ("manual", "1") and (address, _index(row)) not in kept,
            usable=state in ("", "preferred", "4", "deprecated", "3"),
        )


def _find_route(objects: Any, names: _Names) -> Optional[RouteVerdict]:
    """Find-NetRoute's two objects, told apart by what they have."""
    rows = [row for row in _list(objects) if names.known(row)]
    route = next((row for row in rows if row.get("DestinationPrefix")), None)
    source = next((str(row.get("IPAddress")) for row in rows if row.get("IPAddress")), "")
    found = next(_routes([route], "active", names), None) if route else None
    return RouteVerdict("unicast", found, source, legs=(found,)) if found else None


def _registry(names: Optional[Iterable[Any]]) -> Iterator[Route]:
    for name in names or ():
        parts = [part.strip() for part in str(name).split(",")]
        if len(parts) != 4:
            continue
        try:
            prefix = ipv4.make_prefix(parts[0], ipv4.mask_length(parts[1]))
            next_hop = "" if ipv4.number(parts[2]) == 0 else parts[2]
            yield Route(prefix, "", next_hop, int(parts[3]), table="registry")
        except ValueError:
            continue


def _list(value: Any) -> list[Row]:
    """Rows as a list: a single object is what PowerShell makes of a list of one."""
    rows = [value] if isinstance(value, Mapping) else value or []
    return [row for row in rows if isinstance(row, Mapping) and row]


def _is_link_local(address: Any) -> bool:
    return ipv4.covers(ipv4.LINK_LOCAL_PREFIX, str(address)) or not ipv4.is_ipv4(str(address))


def _index(row: Row) -> int:
    return int(row.get("InterfaceIndex") or row.get("ifIndex") or 0)


def _is_ipv4(row: Row) -> bool:
    return _word(row.get("AddressFamily")) in ("", "ipv4", "2")


def _word(value: Any) -> str:
    return "" if value is None else str(value).lower()
