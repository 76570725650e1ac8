# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof: one real request to IMDS, and from which address it was answered.

The table may look right and still lead nowhere, so only an answer counts. Being throttled (429), updated (410) or
broken (5xx) is an answer too: the way there works.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, Callable, NamedTuple, Optional

from ansible_collections.imds.azure.plugins.module_utils._imds import transport

from ..options import normalize_mac

# Known to every IMDS since 2017, so that no version ladder is needed.
_TARGET = "/metadata/instance/network?api-version=2017-08-01"
_HEADERS = {"Metadata": "true", "User-Agent": "imds.azure", "Accept": "*/*"}
# Seconds between two tries.
_PAUSE = 1.0

Get = Callable[..., transport.Response]


class Way(NamedTuple):
    """How to ask: address and port, seconds for the connection, for the answer and for one try as a whole."""

    address: tuple[str, int] = ("169.254.169.254", 80)
    connect_timeout: float = 2.0
    read_timeout: float = 3.0
    timeout: float = 5.0


class Answer(NamedTuple):
    """``outcome``: ``ok``, ``busy`` (410, 429, 5xx), ``foreign`` (something else than IMDS answered) or a kind of
    `transport.TransportError`. ``local_address``: where the answer was received, empty without a connection.
    ``interfaces``: MAC address and IPv4 addresses of each interface that IMDS knows, the primary one first.
    """

    outcome: str
    detail: str
    local_address: str = ""
    interfaces: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def judge(self, address: str, mac: str) -> str:
        """Why this is no proof for the NIC of that address and MAC; empty where it is one."""
        if self.outcome not in ("ok", "busy"):
            return self.detail
        if address and self.local_address != address:
            return f"IMDS answered {self.local_address}, not the primary address {address}"
        if self.outcome == "ok" and mac and mac not in (known for known, _addresses in self.interfaces):
            return f"IMDS does not know the NIC {mac}: another machine's metadata?"
        return ""


def ask(way: Way, source: Optional[str] = None, get: Get = transport.get) -> Answer:
    """One request.

    :param source: address to bind to, where the system's own choice is not wanted
    """
    try:
        times = (way.connect_timeout, way.read_timeout, way.timeout)
        response = get(way.address, _TARGET, _HEADERS, *times, source)
    except transport.TransportError as error:
        return Answer(error.kind, f"{error.kind}: {error}", error.local_address or "")
    if response.status in (410, 429) or response.status >= 500:
        return Answer("busy", f"HTTP {response.status}", response.local_address)
    interfaces = _interfaces(response) if response.status == 200 else None
    if interfaces is None:
        return Answer("foreign", f"HTTP {response.status} without the interfaces of a VM", response.local_address)
    return Answer("ok", "HTTP 200", response.local_address, interfaces)


def prove(
    way: Way,
    expect: Mapping[str, str],
    retries: int = 2,
    get: Get = transport.get,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """Ask until there is a proof: ``verified, outcome, detail, local_address, tries``.

    :param expect: ``address`` and ``mac`` of the primary NIC
    """
    answer, fault = Answer("", ""), ""
    tries = 0
    for tries in range(1, retries + 2):
        answer = ask(way, get=get)
        fault = answer.judge(expect["address"], expect["mac"])
        if answer.outcome == "ok" or tries > retries:
            break
        sleep(_PAUSE)
    if fault and answer.outcome != "ok":
        bound = ask(way, expect["address"], get)
        if not bound.judge(expect["address"], expect["mac"]):
            fault += f"; bound to {expect['address']} it is answered, so the choice of the source or the route is wrong"
    return {
        "verified": not fault,
        "outcome": answer.outcome,
        "detail": fault or answer.detail,
        "local_address": answer.local_address,
        "tries": tries,
    }


def _interfaces(response: transport.Response) -> Optional[tuple[tuple[str, tuple[str, ...]], ...]]:
    try:
        found = [
            (
                normalize_mac(nic["macAddress"]),
                tuple(str(entry["privateIpAddress"]) for entry in nic["ipv4"]["ipAddress"]),
            )
            for nic in json.loads(response.body.decode("utf-8"))["interface"]
        ]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return tuple(found)
