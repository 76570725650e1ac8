# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One real request to IMDS, and the proof: whether it is answered, and on which address.

The table may look right and still lead nowhere, so only an answer counts. Being throttled (429), updated (404, 410)
or broken (5xx) is an answer too, where IMDS itself says so: the way there works.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, Callable, NamedTuple, Optional

from ansible_collections.imds.azure.plugins.module_utils._imds import platform, retry, transport

from .. import ipv4
from ..options import normalize_mac
from ..reply import AGENT, ImdsReply, as_plain

# Known to every IMDS since 2017, so that no version ladder is needed.
_TARGET = "/metadata/instance/network?api-version=2017-08-01"
_VM_ID = "/metadata/instance/compute/vmId?api-version=2017-08-01&format=text"
_HEADERS = {"Metadata": "true", "User-Agent": "imds.azure", "Accept": "*/*"}
# The guest proxy agent's mark on answers that it passes on.
_PASSED_ON = "x-ms-azure-host-authorization"
# Seconds between two tries.
_PAUSE = 1.0
# What IMDS answers where the way to it works, but there is nothing to read at the moment.
_BUSY = ("updating", "throttled", "server_error")

Get = Callable[..., transport.Response]


class Way(NamedTuple):
    """How to ask: address and port, seconds for the connection, for the answer and for one try as a whole."""

    address: tuple[str, int] = ("169.254.169.254", 80)
    connect_timeout: float = 2.0
    read_timeout: float = 3.0
    timeout: float = 5.0

    def within(self, seconds: float) -> Way:
        """The same, in at most so many seconds."""
        return self._replace(timeout=max(min(self.timeout, seconds), 0.05))


def ask(way: Way, source: Optional[str] = None, device: Optional[str] = None, get: Get = transport.get) -> ImdsReply:
    """One request.

    :param source: address to bind to, where the system's own choice is not wanted
    :param device: interface to bind to as well
    """
    try:
        response = _get(way, _TARGET, source, device, get)
    except transport.TransportError as error:
        redirected = _redirected(way, error.peer)
        detail = f"{error.kind}: {error}" + (f", by {error.peer}" if redirected else "")
        return ImdsReply(error.kind, detail, error.local_address or "", peer=error.peer)
    reply = _judged(response)
    if _is_refusal_of_agent(response):
        return reply._replace(outcome="agent_refused", detail=f"HTTP {response.status} from {AGENT}")
    if _is_failure_of_agent(response):
        said = f"HTTP {response.status} from the guest proxy agent at {AGENT}, which did not reach IMDS itself"
        return reply._replace(outcome="agent_failed", detail=said)
    if _PASSED_ON in response.headers:
        return reply._replace(peer=AGENT)
    if _redirected(way, response.peer) and response.peer != AGENT:
        said = f"the host redirects connections to {way.address[0]} to {response.peer} ({reply.detail})"
        return reply._replace(outcome="redirected", detail=said)
    return reply


def with_vm_id(way: Way, reply: ImdsReply, mac: str, get: Get = transport.get, pause: float = 0.0) -> ImdsReply:
    """Where the document does not know the NIC, also whether the VM is the one that the firmware tells.

    :param pause: seconds to wait before a request is sent for that
    """
    if reply.outcome != "ok" or not mac or mac in (known for known, _addresses in reply.interfaces):
        return reply
    time.sleep(pause)
    try:
        response = _get(way, _VM_ID, None, None, get)
    except transport.TransportError:
        return reply
    vm_id = response.body[:100].decode("utf-8", "replace").strip()
    same = platform.same_machine(vm_id) if retry.classify(response, root=True) == "ok" else None
    return reply._replace(same_machine=same)


def prove(
    way: Way,
    expect: Mapping[str, str],
    retries: int = 2,
    get: Get = transport.get,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """Ask until there is a proof: ``verified, undecided, outcome, detail, local_address, tries, reply``.

    ``undecided``: neither a proof nor a failure. ``reply`` is a plain `ImdsReply`, by which the controller judges anew.

    :param expect: ``address`` and ``mac`` of the primary NIC
    """
    reply, fault = ImdsReply("", ""), ""
    tries = 0
    for tries in range(1, retries + 2):
        reply = with_vm_id(way, ask(way, get=get), expect["mac"], get)
        fault = reply.judge(expect["address"], expect["mac"])
        if reply.outcome in ("ok", "agent_refused") or tries > retries:
            break
        sleep(_PAUSE)
    if fault and reply.outcome != "ok" and not reply.via_agent:
        bound = ask(way, expect["address"], get=get)
        if not bound.judge(expect["address"], expect["mac"]):
            fault += f"; bound to {expect['address']} it is answered, so the choice of the source or the route is wrong"
    return {
        "verified": not fault,
        "undecided": reply.undecided,
        "outcome": reply.outcome,
        "detail": fault or reply.detail,
        "local_address": reply.local_address,
        "tries": tries,
        "reply": as_plain(reply),
    }


def _get(way: Way, target: str, source: Optional[str], device: Optional[str], get: Get) -> transport.Response:
    times = (way.connect_timeout, way.read_timeout, way.timeout)
    more = {"device": device} if device else {}
    return get(way.address, target, _HEADERS, *times, source, **more)


def _redirected(way: Way, peer: str) -> bool:
    """Whether the connection leads elsewhere than it was made to."""
    return bool(peer) and peer != f"{way.address[0]}:{way.address[1]}"


def _is_refusal_of_agent(response: transport.Response) -> bool:
    """The guest proxy agent refuses without a word, and without the Server header that IMDS has."""
    wordless = response.status in (403, 421) and not response.body
    through_it = response.status in (401, 403, 421) and response.peer == AGENT
    return (wordless or through_it) and not response.headers.get("server")


def _is_failure_of_agent(response: transport.Response) -> bool:
    """It says as little where it can't reach IMDS; its own connection follows the host's routes."""
    wordless = not response.body and not response.headers.get("server") and _PASSED_ON not in response.headers
    return response.peer == AGENT and response.status >= 500 and wordless


def _judged(response: transport.Response) -> ImdsReply:
    kind = retry.classify(response, root=True)
    interfaces = _interfaces(response) if kind == "ok" else None
    if interfaces is not None:
        outcome, detail = "ok", "HTTP 200"
    elif kind == "ok":
        outcome, detail = "foreign", "HTTP 200 without the interfaces of a VM"
    else:
        outcome = "forbidden" if kind == "forbidden" else "busy" if _is_busy(kind, response) else "foreign"
        detail = f"HTTP {response.status}"
    if outcome in ("busy", "forbidden") and response.peer != AGENT and not _is_own(response):
        outcome, detail = "foreign", f"HTTP {response.status} that IMDS did not send"
    return ImdsReply(outcome, detail, response.local_address, interfaces or (), response.peer)


def _is_busy(kind: str, response: transport.Response) -> bool:
    """Whether that is all. While it is updated, IMDS says 404 too, in JSON; other servers say it with a page."""
    return kind in _BUSY or (kind == "missing_root" and response.body.startswith(b"{"))


def _is_own(response: transport.Response) -> bool:
    """Whether IMDS itself refuses or fails: it says so in its Server header, which a proxy in between has not."""
    return retry.is_from_imds(response)


def _interfaces(response: transport.Response) -> Optional[tuple[tuple[str, tuple[str, ...]], ...]]:
    try:
        document = json.loads(response.body.decode("utf-8"))
        listed = document["interface"] if "interface" in document else document["network"]["interface"]
        found = [
            (
                normalize_mac(nic["macAddress"]),
                tuple(str(entry["privateIpAddress"]) for entry in nic["ipv4"]["ipAddress"]),
            )
            for nic in listed
        ]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return tuple(found) if any(ipv4.is_ipv4(one) for _mac, addresses in found for one in addresses) else None
