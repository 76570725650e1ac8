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
from ..reply import ImdsReply

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


def ask(way: Way, source: Optional[str] = None, get: Get = transport.get) -> ImdsReply:
    """One request.

    :param source: address to bind to, where the system's own choice is not wanted
    """
    try:
        times = (way.connect_timeout, way.read_timeout, way.timeout)
        response = get(way.address, _TARGET, _HEADERS, *times, source)
    except transport.TransportError as error:
        return ImdsReply(error.kind, f"{error.kind}: {error}", error.local_address or "")
    if response.status in (410, 429) or response.status >= 500:
        return ImdsReply("busy", f"HTTP {response.status}", response.local_address)
    interfaces = _interfaces(response) if response.status == 200 else None
    if interfaces is None:
        return ImdsReply("foreign", f"HTTP {response.status} without the interfaces of a VM", response.local_address)
    return ImdsReply("ok", "HTTP 200", response.local_address, interfaces)


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
    answer, fault = ImdsReply("", ""), ""
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
