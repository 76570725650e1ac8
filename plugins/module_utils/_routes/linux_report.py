# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `ip` prints on Linux, in the brain's terms. Pure: commands are run elsewhere.

A report is a dictionary; each value is the command's standard output, JSON or plain text (busybox, old iproute2):

- ``addresses``, ``routes``, ``rules``: the output of `COMMANDS`
- ``route_get``: ``{"rc", "stdout", "stderr"}`` of that command; ``route_get_bound``: with ``from`` the primary address
- ``proc_net_route``: ``/proc/net/route``, looked at where ``routes`` is empty
- ``persistent``: routes in our own persistent form (rows as ``ip -j route`` has them), null where that can't be known
- ``persistence``, ``azure``, ``elevated``, ``container``, ``imds_mac``, ``imds_address``, ``errors``: see `table.State`
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Optional

from . import table
from .options import normalize_mac
from .table import Address, Interface, ReportError, Route, Rule, State, Verdict

Row = Mapping[str, Any]

# The report's parts and the commands that yield them; `-j` and `-d` are left out where ip does not know them.
COMMANDS = {
    "addresses": ("ip", "-j", "-d", "address", "show"),
    "routes": ("ip", "-j", "-d", "-4", "route", "show", "table", "all"),
    "rules": ("ip", "-j", "-4", "rule", "show"),
    "route_get": ("ip", "-j", "route", "get", table.IMDS),
}

_TUNNELS = (
    "tun",
    "wireguard",
    "ppp",
    "ipip",
    "gre",
    "gretap",
    "sit",
    "vti",
    "xfrm",
    "ip6tnl",
    "ip6gre",
    "l2tp",
)
_INTERNAL = ("dummy", "ifb", "vxlan", "geneve", "nlmon")
# Bridges of container software. Another bridge may well carry the host's own address (Azure CNI's azure0 does).
_BRIDGES = (
    "docker",
    "br-",
    "cni",
    "cbr",
    "virbr",
    "lxcbr",
    "lxdbr",
    "podman",
    "flannel",
    "cali",
)
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
_HARMLESS_FLAGS = {"onlink", "dead", "linkdown", "offload", "trap", "pervasive", "rt_offload", "rt_trap"}


def read(report: Mapping[str, Any]) -> State:
    """The state that a report describes. ReportError where a part can't be read."""
    try:
        return _read(report)
    except ReportError:
        raise
    except (ValueError, TypeError, AttributeError) as error:
        raise ReportError(f"the report of addresses, routes and rules can't be read: {error}") from error


def _read(report: Mapping[str, Any]) -> State:
    links = _rows(report, "addresses", _text_addresses)
    routes = tuple(_routes(_rows(report, "routes", _text_routes)))
    if not routes and report.get("proc_net_route"):
        routes = tuple(_proc_routes(str(report["proc_net_route"])))
    if not links:
        raise ReportError("the report has no addresses: is there an ip command?")
    rules = None if report.get("rules") is None else tuple(map(_rule, _rows(report, "rules", _text_rules)))
    persistent = report.get("persistent")
    leased = {route.interface for route in routes if route.protocol == "dhcp"}
    return State(
        system=table.LINUX,
        interfaces=tuple(_interface(link, leased) for link in links),
        addresses=tuple(address for link in links for address in _addresses(link)),
        routes=routes,
        rules=rules,
        persistent=None if persistent is None else tuple(_routes(persistent)),
        oracle=read_route_get(report.get("route_get")),
        oracle_bound=read_route_get(report.get("route_get_bound")),
        imds_mac=normalize_mac(report.get("imds_mac")),
        imds_address=str(report.get("imds_address") or ""),
        azure=report.get("azure"),
        elevated=report.get("elevated"),
        container=bool(report.get("container")),
        persistence=str(report.get("persistence") or ""),
        errors=tuple(report.get("errors") or ()),
    )


def read_route_get(answer: Optional[Row]) -> Optional[Verdict]:
    """The kernel's verdict from `ip route get`; ``None`` where there is none or its words are not known."""
    if not answer:
        return None
    rows = _rows(answer, "stdout", _text_routes)
    if not rows:
        said = str(answer.get("stderr") or "")
        return next((Verdict(kind) for kind, words in table.ERRORS.items() if words in said), None)
    row = rows[0]
    kind = "local" if row.get("type") == "local" else "unicast"
    # The destination printed is the address asked for, not the row's prefix.
    route = Route("", str(row.get("dev") or ""), _next_hop(row), table=_table(row))
    return Verdict(kind, route, str(row.get("prefsrc") or row.get("from") or ""), legs=(route,))


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


def _interface(link: Row, leased: set[str]) -> Interface:
    name = str(link.get("ifname"))
    return Interface(
        name=name,
        ifindex=int(link.get("ifindex") or 0),
        mac=normalize_mac(link.get("address")),
        kind=_kind(link),
        up="UP" in link.get("flags", ()),
        dhcp=True if name in leased else None,
    )


def _kind(link: Row) -> str:
    name, flags = str(link.get("ifname")), link.get("flags", ())
    info = link.get("linkinfo") or {}
    kind = str(info.get("info_kind") or "")
    if link.get("link_type") == "loopback" or "LOOPBACK" in flags:
        return "loopback"
    if kind in _TUNNELS or link.get("link_type") in ("ppp", "none") or "POINTOPOINT" in flags:
        return "tunnel"
    if kind in _INTERNAL or name.startswith(_BRIDGES):
        return "virtual"
    return "ethernet"


def _addresses(link: Row) -> Iterator[Address]:
    rows = [row for row in link.get("addr_info", ()) if row.get("family") == "inet" and row.get("local")]
    # Whatever is no address and no length ends here, with an error.
    wide = any(int(row.get("prefixlen", 32)) < 32 for row in rows)
    for row in rows:
        length = int(row.get("prefixlen", 32))
        table.make_prefix(str(row["local"]), length)
        yield Address(
            address=str(row["local"]),
            prefix_length=length,
            interface=str(link.get("ifname")),
            peer=str(row.get("address") or ""),
            scope=_scope(row),
            dhcp=bool(row.get("dynamic")),
            secondary=bool(row.get("secondary")),
            virtual=wide and length == 32,  # how keepalived and its kind add an address that moves
            usable=not row.get("tentative"),
        )


def _routes(rows: Iterable[Row]) -> Iterator[Route]:
    for row in rows:
        try:
            prefix = table.parse_prefix(str(row.get("dst", "")))
        except ValueError:
            continue  # IPv6
        legs = row.get("nexthops") or ()
        for leg in legs or (row,):
            flags = {str(flag) for flag in (*row.get("flags", ()), *leg.get("flags", ()))}
            unknown = (set(row) | set(leg)) - _ROUTE_KEYS or flags - _HARMLESS_FLAGS
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
                opaque=bool(unknown or row.get("tos")),
            )


def _next_hop(row: Row) -> str:
    via = row.get("via")
    return str(row.get("gateway") or (via.get("host") if isinstance(via, Mapping) else "") or "")


def _table(row: Row) -> str:
    name = str(row.get("table") or "main")
    return _TABLES.get(name, name)


def _scope(row: Row) -> str:
    name = str(row.get("scope") or "global")
    numbers = {str(value): scope for scope, value in table.SCOPES.items()}
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
    return table.parse_prefix(address if length is None or address == "all" else f"{address}/{length}")


# --- plain text to rows as JSON has them --------------------------------------------------------------------------

_ROUTE_WORDS = {
    "via": "gateway",
    "dev": "dev",
    "table": "table",
    "proto": "protocol",
    "scope": "scope",
    "src": "prefsrc",
    "metric": "metric",
    "weight": "weight",
    "tos": "tos",
    "from": "from",
}
_ROUTE_TYPES = (
    "unicast",
    "local",
    "broadcast",
    "multicast",
    "throw",
    "unreachable",
    "prohibit",
    "blackhole",
    "anycast",
    "nat",
)
_IGNORED_PAIRS = ("uid", "cache", "error")


def _text_routes(text: str) -> Iterator[Row]:
    """`ip route` and `ip route get` as text; legs of a multipath route follow indented."""
    rows: list[dict[str, Any]] = []
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["nexthop"] and rows:
            rows[-1].setdefault("nexthops", []).append(_route_words(words[1:]))
        elif words and not line[0].isspace():
            kind = words.pop(0) if words[0] in _ROUTE_TYPES else "unicast"
            if words:
                rows.append({"type": kind, "dst": words[0], **_route_words(words[1:])})
    yield from rows


def _route_words(words: list[str]) -> dict[str, Any]:
    row: dict[str, Any] = {"flags": []}
    rest = iter(words)
    for word in rest:
        if word in _ROUTE_WORDS:
            value = next(rest, "")
            if word == "via" and value in ("inet", "inet6"):
                value = next(rest, "")
            row[_ROUTE_WORDS[word]] = value
        elif word in _HARMLESS_FLAGS:
            row["flags"].append(word)
        elif word in _IGNORED_PAIRS:
            next(rest, "")
        elif word.isidentifier():
            row[word] = next(rest, "")
    return row


def _text_rules(text: str) -> Iterator[Row]:
    """`ip rule` as text: ``32765:<tab>not from all fwmark 0xca6c lookup 51820``."""
    names = {
        "from": "src",
        "to": "dst",
        "lookup": "table",
        "suppress_prefixlength": "suppress_prefixlen",
        "proto": "protocol",
    }
    for line in text.splitlines():
        head, colon, tail = line.partition(":")
        if not colon or not head.strip().isdigit():
            continue
        row: dict[str, Any] = {"priority": int(head)}
        rest = iter(tail.split())
        for word in rest:
            if word in ("not", "nop"):
                row[word] = None
            elif word in ("unreachable", "prohibit", "blackhole"):
                row["action"] = word
            elif not word.startswith("["):
                row[names.get(word, word)] = next(rest, "")
        yield row


def _text_addresses(text: str) -> Iterator[Row]:
    """`ip address` as text, with or without ``-d``."""
    links: list[dict[str, Any]] = []
    for line in text.splitlines():
        words = line.split()
        if not words:
            continue
        if not line[0].isspace() and words[0].rstrip(":").isdigit() and len(words) > 2:
            name = words[1].rstrip(":").partition("@")[0]
            flags = words[2].strip("<>").split(",")
            links.append({"ifindex": int(words[0].rstrip(":")), "ifname": name, "flags": flags, "addr_info": []})
        elif links and words[0].startswith("link/"):
            links[-1]["link_type"] = words[0][5:]
            links[-1]["address"] = words[1] if len(words) > 1 else ""
        elif links and words[0] == "inet" and len(words) > 1:
            links[-1]["addr_info"].append(_text_address(words))
        elif links and words[0] in _TUNNELS + _INTERNAL:
            links[-1]["linkinfo"] = {"info_kind": words[0]}
    yield from links


def _text_address(words: list[str]) -> dict[str, Any]:
    local, _slash, length = words[1].partition("/")
    row: dict[str, Any] = {"family": "inet", "local": local, "prefixlen": int(length or 32)}
    if "peer" in words:
        peer, _slash, length = words[words.index("peer") + 1].partition("/")
        row.update(address=peer, prefixlen=int(length or 32))
    if "scope" in words:
        row["scope"] = words[words.index("scope") + 1]
    row.update({flag: True for flag in ("secondary", "dynamic", "tentative") if flag in words})
    return row


def _proc_routes(text: str) -> Iterator[Route]:
    """``/proc/net/route``: addresses as little-endian hexadecimal; flags 1 up, 2 gateway, 0x200 reject."""
    for line in text.splitlines()[1:]:
        words = line.split()
        if len(words) < 8:
            continue
        try:
            destination, gateway, mask = (_little_endian(words[at]) for at in (1, 2, 7))
            flags, metric, length = int(words[3], 16), int(words[6]), table.mask_length(mask)
        except ValueError:
            continue
        if not flags & 1:
            continue
        reject = bool(flags & 0x200)
        yield Route(
            table.make_prefix(destination, length),
            "" if reject else words[0],
            gateway if flags & 2 else "",
            metric,
            "unreachable" if reject else "unicast",
            scope="global" if flags & 2 or reject else "link",
            opaque=True,  # this file says neither protocol nor source
        )


def _little_endian(word: str) -> str:
    return table.text(int.from_bytes(bytes.fromhex(word), "little"))
