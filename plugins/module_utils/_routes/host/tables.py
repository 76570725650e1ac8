# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's addresses, routes and rules, cut down to what can matter for IMDS: a router has 200,000 routes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Optional

from .. import ipv4
from ..iproute2_text import parse_addresses, parse_routes, parse_rules
from ..linux_report import COMMANDS
from ..model import ReportError
from .host import Host

Row = Mapping[str, Any]

# ip itself leaves out rows that do not cover the address; busybox' does as well.
_COVERING = [(*COMMANDS["routes"], "match", f"{address}/32") for address in (ipv4.IMDS, "168.63.129.16")]
_FIB = "/proc/net/fib_triestat"
_MOST_ADDRESSES = 200  # of one interface
_FEW_LINKS = 100
_MOST_LINKS = 400


def collect_tables(host: Host, errors: list[str]) -> dict[str, Any]:
    """The parts ``addresses``, ``routes``, ``rules``, ``route_get``, ``proc_net_route``, ``counts`` of `linux_report`.

    :param errors: gets a line for each command that fails
    :raises ReportError: where there are no addresses, or ip describes a device in terms of its own
    """
    try:
        return _collect(host, errors)
    except ReportError:
        raise
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        raise ReportError(f"the output of ip can't be read: {error!r}") from error


def _collect(host: Host, errors: list[str]) -> dict[str, Any]:
    first = answer(host, COMMANDS["addresses"])
    knows_json = first["rc"] == 0
    said = first if knows_json else answer(host, plain(COMMANDS["addresses"], knows_json))
    addresses = _rows(COMMANDS["addresses"], said, parse_addresses, errors)
    if addresses is None:
        raise ReportError(f"the report has no addresses: is there an ip command? ({'; '.join(errors)})")
    routes = _covering_routes(host, knows_json, errors)
    rules = answer(host, plain(COMMANDS["rules"], knows_json))
    return {
        "addresses": _links_that_matter(addresses, routes or []),
        "routes": routes,
        "rules": _rows(COMMANDS["rules"], rules, parse_rules, errors),
        "route_get": answer(host, plain(COMMANDS["route_get"], knows_json)),
        "proc_net_route": None if routes else _proc_routes(host),
        "counts": {"routes": _count_routes(host), "interfaces": len(addresses)},
        "json": knows_json,
    }


def _covering_routes(host: Host, knows_json: bool, errors: list[str]) -> Optional[list[Row]]:
    found: list[Row] = []
    for argv in _COVERING:
        rows = _rows(argv, answer(host, plain(argv, knows_json)), parse_routes, errors)
        if rows is None:
            return None
        found += [row for row in rows if row not in found]
    return found


def plain(argv: Sequence[str], knows_json: bool) -> tuple[str, ...]:
    """The command as this host's ip knows it: busybox has neither -j nor -d."""
    return tuple(word for word in argv if knows_json or word not in ("-j", "-d"))


def answer(host: Host, argv: Sequence[str]) -> dict[str, Any]:
    """What a command says, whether it works or not."""
    rc, out, err = host.run(argv)
    return {"rc": rc, "stdout": out, "stderr": err}


def host_routes(host: Host) -> list[str]:
    """The rows for IMDS in all tables, as ip prints them."""
    argv = [word for word in _COVERING[0] if word not in ("-j", "-d")]
    lines = host.run(argv)[1].splitlines()
    return [" ".join(line.split()) for line in lines if ipv4.IMDS in line]


def digest(rows: Sequence[str], stored: Any) -> str:
    """Of the host's routes to IMDS, running and persistent."""
    return hashlib.sha256(json.dumps([list(rows), stored], sort_keys=True).encode()).hexdigest()


def _rows(argv: Sequence[str], said: Mapping[str, Any], from_text: Any, errors: list[str]) -> Optional[list[Row]]:
    if said["rc"]:
        errors.append(f"{' '.join(argv)}: {said['stderr'].strip() or said['rc']}")
        return None
    text = said["stdout"]
    try:
        if not text.lstrip().startswith("["):
            return list(from_text(text))
        return [row for row in json.loads(text) if isinstance(row, dict) and row]
    except (ValueError, RecursionError) as error:
        errors.append(f"{' '.join(argv)}: its output can't be read: {error}")
        return None


def _links_that_matter(links: list[Row], routes: list[Row]) -> list[Row]:
    """All of them on most hosts; of many, those that routes use, that have addresses, or that belong to such."""
    if len(links) <= _FEW_LINKS:
        return [_slim(link) for link in links]
    used = {str(leg.get("dev")) for row in routes for leg in (row, *(row.get("nexthops") or ()))}
    first = [link for link in links if link.get("ifname") in used]
    own = [link for link in links if link not in first and _has_address(link)]
    kept = [*first, *own][:_MOST_LINKS]
    macs = {link.get("address") for link in kept if link.get("address")}
    names = {link.get("ifname") for link in kept}
    masters = {link.get("master") for link in kept}
    more = [
        link
        for link in links
        if link.get("ifname") not in names
        and (link.get("address") in macs or link.get("master") in names or link.get("ifname") in masters)
    ]
    wanted = {link.get("ifname") for link in (*kept, *more[:_MOST_LINKS])}
    return [_slim(link) for link in links if link.get("ifname") in wanted] or [_slim(link) for link in links[:1]]


def _has_address(link: Row) -> bool:
    return any(row.get("family") == "inet" for row in link.get("addr_info", ()))


def _slim(link: Row) -> Row:
    """Only what `linux_report` reads."""
    kept = {
        name: link[name] for name in ("ifindex", "ifname", "flags", "address", "link_type", "master") if name in link
    }
    info = link.get("linkinfo") or {}
    kept["linkinfo"] = {"info_kind": info["info_kind"]} if "info_kind" in info else {}
    kept["addr_info"] = [row for row in link.get("addr_info", ()) if row.get("family") == "inet"][:_MOST_ADDRESSES]
    return kept


def _proc_routes(host: Host) -> str:
    """The header, and the rows that cover one of the two addresses."""
    lines = (host.read_text("/proc/net/route") or "").splitlines()
    return "\n".join([*lines[:1], *(line for line in lines[1:] if _covers(line.split()))])


def _covers(words: Sequence[str]) -> bool:
    try:
        network, mask = (int.from_bytes(bytes.fromhex(words[at]), "little") for at in (1, 7))
    except (ValueError, IndexError):
        return False
    return any(ipv4.number(address) & mask == network for address in (ipv4.IMDS, "168.63.129.16"))


def _count_routes(host: Host) -> int:
    """Prefixes in all tables, by the kernel's own statistics."""
    lines = (host.read_text(_FIB) or "").splitlines()
    return sum(
        int(line.split()[-1]) for line in lines if line.strip().startswith("Prefixes:") and line.split()[-1].isdecimal()
    )
