# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plain text that iproute2 and busybox print, as the rows that ``ip -j`` has. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Row = Mapping[str, Any]

# Kinds of links (``ip -d link``).
TUNNEL_KINDS = (
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
INTERNAL_KINDS = ("dummy", "ifb", "vxlan", "geneve", "nlmon")
# Flags of a route that change nothing about the way it leads.
HARMLESS_FLAGS = {"onlink", "dead", "linkdown", "offload", "trap", "pervasive", "rt_offload", "rt_trap"}

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


def parse_routes(text: str) -> Iterator[Row]:
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
        elif word in HARMLESS_FLAGS:
            row["flags"].append(word)
        elif word in _IGNORED_PAIRS:
            next(rest, "")
        elif word.isidentifier():
            row[word] = next(rest, "")
    return row


def parse_rules(text: str) -> Iterator[Row]:
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
        if not colon or not head.strip().isdecimal():
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


def parse_addresses(text: str) -> Iterator[Row]:
    """`ip address` as text, with or without ``-d``."""
    links: list[dict[str, Any]] = []
    for line in text.splitlines():
        words = line.split()
        if not words:
            continue
        if not line[0].isspace() and words[0].rstrip(":").isdecimal() and len(words) > 2:
            name = words[1].rstrip(":").partition("@")[0]
            flags = words[2].strip("<>").split(",")
            links.append({"ifindex": int(words[0].rstrip(":")), "ifname": name, "flags": flags, "addr_info": []})
        elif links and words[0].startswith("link/"):
            links[-1]["link_type"] = words[0][5:]
            links[-1]["address"] = words[1] if len(words) > 1 else ""
        elif links and words[0] == "inet" and len(words) > 1:
            links[-1]["addr_info"].append(_text_address(words))
        elif links and words[0] in TUNNEL_KINDS + INTERNAL_KINDS:
            links[-1]["linkinfo"] = {"info_kind": words[0]}
    yield from links


def _text_address(words: list[str]) -> dict[str, Any]:
    local, _slash, length = words[1].partition("/")
    row: dict[str, Any] = {"family": "inet", "local": local, "prefixlen": int(length or 32)}
    after = dict(zip(words, words[1:]))
    if "peer" in after:
        peer, _slash, length = after["peer"].partition("/")
        row.update(address=peer, prefixlen=int(length or 32))
    if "scope" in after:
        row["scope"] = after["scope"]
    row.update({flag: True for flag in ("secondary", "dynamic", "tentative") if flag in words})
    return row
