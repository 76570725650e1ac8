# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `ip` prints on Linux, in the brain's terms. Pure: commands are run elsewhere.

A report is a dictionary; each value is the command's standard output, JSON or plain text (busybox, old iproute2):

- ``system``: ``linux``
- ``addresses``, ``routes``, ``rules``: the output of `COMMANDS`, or its rows; only what can matter for IMDS
- ``counts``: how many ``routes``, ``interfaces`` and ``addresses`` the host has in all
- ``route_get``: ``{"rc", "stdout", "stderr"}`` of that command; ``route_get_bound``: with ``from`` the primary address
- ``proc_net_route``: the rows of ``/proc/net/route`` that matter, looked at where ``routes`` is empty
- ``persistent``: routes in our own persistent form (rows as ``ip -j route`` has them), null where that can't be known
- ``digest``: of the host's routes to IMDS, running and persistent; `apply` refuses where it is another one by then
- ``imds``, ``guest_agent``, ``firewall``: see `common_report`, which Windows has too
- ``persistence``, ``azure``, ``elevated``, ``container``, ``errors``: see `model.State`
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Optional

from . import ipv4, model
from .common_report import common_parts
from .iproute2_text import HARMLESS_FLAGS, INTERNAL_KINDS, TUNNEL_KINDS, parse_addresses, parse_routes, parse_rules
from .model import Address, Interface, ReportError, Route, RouteVerdict, Rule, State
from .options import normalize_mac
from .proc_route import parse_proc_routes

Row = Mapping[str, Any]

# The report's parts and the commands that yield them; `-j` and `-d` are left out where ip does not know them.
COMMANDS = {
    "addresses": ("ip", "-j", "-d", "address", "show"),
    "routes": ("ip", "-j", "-d", "-4", "route", "show", "table", "all"),
    "rules": ("ip", "-j", "-4", "rule", "show"),
    "route_get": ("ip", "-j", "route", "get", ipv4.IMDS),
}

_TABLES = {"255": "local", "254": "main", "253": "default"}

_RULE_KEYS = {
    *(
        "priority",
        "src",
        "srclen",
        "dst",
        "dstlen",
        "not",
        "fwmark",
        "fwmask",
        "iif",
        "oif",
        "iif_detached",
        "oif_detached",
    ),
    *("tos", "dsfield", "table", "action", "goto", "nop", "suppress_prefixlen", "protocol", "unresolved"),
}
_ROUTE_KEYS = {
    *("type", "dst", "gateway", "via", "dev", "table", "protocol", "scope", "prefsrc", "metric", "flags", "nexthops"),
    *("weight", "tos", "cache", "uid", "from"),
}


def read_linux_report(report: Mapping[str, Any]) -> State:
    """The state that a report describes. ReportError where a part can't be read."""
    try:
        return _read(report)
    except ReportError:
        raise
    except (ValueError, TypeError, AttributeError, LookupError, OverflowError, RecursionError) as error:
        raise ReportError(f"the report of addresses, routes and rules can't be read: {error!r}") from error


def _read(report: Mapping[str, Any]) -> State:
    links = _rows(report, "addresses", parse_addresses)
    routes = tuple(_routes(_rows(report, "routes", parse_routes)))
    if not routes and report.get("proc_net_route"):
        routes = tuple(parse_proc_routes(str(report["proc_net_route"])))
    if not links:
        raise ReportError("the report has no addresses: is there an ip command?")
    rules = None if report.get("rules") is None else tuple(map(_rule, _rows(report, "rules", parse_rules)))
    persistent = report.get("persistent")
    ports: dict[str, list[Row]] = {}
    for link in links:
        ports.setdefault(str(link.get("master") or ""), []).append(link)
    leased = {route.interface for route in routes if route.protocol == "dhcp"}
    return State(
        system=model.LINUX,
        interfaces=tuple(_interface(link, leased, ports) for link in links),
        addresses=tuple(address for link in links for address in _addresses(link)),
        routes=routes,
        rules=rules,
        persistent=None if persistent is None else tuple(_routes(persistent)),
        kernel_verdict=parse_route_get(report.get("route_get")),
        kernel_verdict_bound=parse_route_get(report.get("route_get_bound")),
        container=bool(report.get("container")),
        persistence=str(report.get("persistence") or ""),
        **common_parts(report),
    )


def parse_route_get(answer: Optional[Row]) -> Optional[RouteVerdict]:
    """The kernel's verdict from `ip route get`; ``None`` where there is none or its words are not known."""
    if not answer:
        return None
    rows = _rows(answer, "stdout", parse_routes)
    if not rows:
        said = str(answer.get("stderr") or "")
        return next((RouteVerdict(kind) for kind, words in model.ERRORS.items() if words in said), None)
    row = rows[0]
    kind = "local" if row.get("type") == "local" else "unicast"
    # The destination printed is the address asked for, not the row's prefix.
    route = Route("", str(row.get("dev") or ""), _next_hop(row), table=_table(row))
    return RouteVerdict(kind, route, str(row.get("prefsrc") or row.get("from") or ""), legs=(route,))


# --- JSON to terms ------------------------------------------------------------------------------------------------


def _rows(report: Mapping[str, Any], part: str, from_text: Any) -> list[Row]:
    """The rows of one part, from JSON text, plain text, or as they are."""
    value = report.get(part)
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str):
        return [row for row in value or () if isinstance(row, Mapping) and row]
    if not value.lstrip().startswith("["):
        return list(from_text(value))
    try:
        return [row for row in json.loads(value) if isinstance(row, dict) and row]
    except ValueError as error:
        raise ReportError(f"{part}: not JSON: {error}") from error


def _interface(link: Row, leased: set[str], ports: Mapping[str, list[Row]]) -> Interface:
    name, flags = str(link.get("ifname")), link.get("flags", ())
    return Interface(
        name=name,
        ifindex=int(link.get("ifindex") or 0),
        mac=normalize_mac(link.get("address")),
        kind=_kind(link, ports.get(name, [])),
        up="UP" in flags,
        dhcp=True if name in leased or any(row.get("dynamic") for row in _inet(link)) else None,
        master=str(link.get("master") or ("(unknown)" if "SLAVE" in flags else "")),
        fault=model.DISABLED if "UP" not in flags else model.NO_CARRIER if "NO-CARRIER" in flags else "",
    )


def _kind(link: Row, ports: list[Row]) -> str:
    """By what ip tells about the device and its ports; names decide nothing."""
    flags, kind = link.get("flags", ()), _info_kind(link)
    if link.get("link_type") == "loopback" or "LOOPBACK" in flags:
        return "loopback"
    if kind in TUNNEL_KINDS or link.get("link_type") in ("ppp", "none") or "POINTOPOINT" in flags:
        return "tunnel"
    if kind in INTERNAL_KINDS or (kind == "bridge" and not _has_nic(ports)):
        return "virtual"
    return "ethernet"


def _info_kind(link: Row) -> str:
    return str((link.get("linkinfo") or {}).get("info_kind") or "")


def _has_nic(ports: list[Row]) -> bool:
    """Whether a port of a bridge is a NIC, with the MAC address of its maker; software makes up local ones."""
    return any(_info_kind(port) not in ("veth", "tun") or _is_universal(port.get("address")) for port in ports)


def _is_universal(mac: Any) -> bool:
    text = normalize_mac(mac)
    return bool(text) and not int(text[:2], 16) & 2


def _inet(link: Row) -> list[Row]:
    return [row for row in link.get("addr_info", ()) if row.get("family") == "inet" and row.get("local")]


def _addresses(link: Row) -> Iterator[Address]:
    rows = _inet(link)
    # Whatever is no address and no length ends here, with an error.
    wide = any(int(row.get("prefixlen", 32)) < 32 for row in rows)
    for row in rows:
        length, peer = int(row.get("prefixlen", 32)), str(row.get("address") or "")
        for end in filter(None, (str(row["local"]), peer)):
            ipv4.make_prefix(end, length)
        yield Address(
            address=str(row["local"]),
            prefix_length=length,
            interface=str(link.get("ifname")),
            peer=peer,
            scope=_scope(row),
            dhcp=bool(row.get("dynamic")),
            secondary=bool(row.get("secondary")),
            virtual=wide and length == 32,  # how keepalived and its kind add an address that moves
            usable=not row.get("tentative"),
        )


def _routes(rows: Iterable[Row]) -> Iterator[Route]:
    for row in rows:
        try:
            prefix = ipv4.parse_prefix(str(row.get("dst", "")))
        except ValueError:
            continue  # IPv6
        legs = row.get("nexthops") or ()
        for leg in legs or (row,):
            flags = {str(flag) for flag in (*row.get("flags", ()), *leg.get("flags", ()))}
            unknown = {str(key) for key in (*row, *leg)} - _ROUTE_KEYS | flags - HARMLESS_FLAGS
            yield Route(
                prefix=prefix,
                interface=str(leg.get("dev") or ""),
                next_hop=_next_hop(leg),
                metric=int(row.get("metric") or 0),
                kind=str(row.get("type") or "unicast"),
                table=_table(row),
                protocol=str(row.get("protocol") or "boot"),
                source=str(row.get("prefsrc") or ""),
                scope=_scope(row),
                onlink="onlink" in flags,
                usable="dead" not in flags and not row.get("tos"),
                weight=int(leg.get("weight") or 1) if legs else 0,
                opaque=tuple(sorted({*_named(row, unknown), *(("tos",) if row.get("tos") else ())})),
            )


def _named(row: Row, unknown: set[str]) -> Iterator[str]:
    """The attributes by the words that ip has for them: what it lists under metrics is mtu and the like."""
    for key in unknown:
        metrics = row.get("metrics")
        if key == "metrics" and isinstance(metrics, list):
            yield from (str(word) for one in metrics if isinstance(one, Mapping) for word in one)
        else:
            yield key


def _next_hop(row: Row) -> str:
    via = row.get("via")
    return str(row.get("gateway") or (via.get("host") if isinstance(via, Mapping) else "") or "")


def _table(row: Row) -> str:
    name = str(row.get("table") or "main")
    return _TABLES.get(name, name)


def _scope(row: Row) -> str:
    name = str(row.get("scope") or "global")
    numbers = {str(value): scope for scope, value in model.SCOPES.items()}
    return numbers.get(name, name)


def _rule(row: Row) -> Rule:
    mark, _slash, mask = str(row.get("fwmark") or "").partition("/")
    mask = str(row.get("fwmask") or mask)
    for number in (mark, mask, str(row.get("tos") or "")):
        int(number or "0", 0)
    return Rule(
        priority=int(row.get("priority") or 0),
        action="goto" if "goto" in row else "nop" if "nop" in row else str(row.get("action") or "lookup"),
        table=_table(row) if "table" in row else "",
        source=_rule_prefix(row, "src"),
        destination=_rule_prefix(row, "dst"),
        invert="not" in row,
        fwmark=f"{mark}/{mask}" if mask else mark,
        iif=str(row.get("iif") or ""),
        oif=str(row.get("oif") or ""),
        tos=str(row.get("tos") or row.get("dsfield") or ""),
        suppress_prefixlen=int(row.get("suppress_prefixlen", -1)),
        goto=int(row.get("goto") or 0),
        unknown=tuple(key for key in row if key not in _RULE_KEYS),
    )


def _rule_prefix(row: Row, end: str) -> str:
    address, length = str(row.get(end) or "all"), row.get(end + "len")
    return ipv4.parse_prefix(address if length is None or address == "all" else f"{address}/{length}")
