# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is the primary NIC? Azure answers exactly one pair of address and NIC, so each that may be it asks.

A socket that is bound to a device uses it whatever the routes say, so this works in almost every broken state. The
unbound request comes first: it is what other programs send, and where it is answered, no other is needed.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from typing import Any, Callable, Optional

from ..candidates import Candidate
from ..reply import ImdsReply, as_plain
from . import probe
from .probe import Way

# Seconds between two starts: IMDS takes 5 requests per second from all programs of a VM together.
PACE = 0.25
# Seconds for all of them together.
DEADLINE = 4.0

Ask = Callable[..., ImdsReply]


def ask_around(
    way: Way,
    candidates: Sequence[Candidate],
    ask: Optional[Ask] = None,
    pace: float = PACE,
    deadline: float = DEADLINE,
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, Any]:
    """Ask unbound, then from each candidate, until one is answered: ``imds`` of `common_report`.

    The requests overlap. One that is still under way at the end is left behind, and ends by its own time-outs.
    """
    order: list[Optional[Candidate]] = [None, *candidates]
    replies: dict[int, ImdsReply] = {}
    arrived: queue.SimpleQueue[tuple[int, ImdsReply]] = queue.SimpleQueue()
    begin = clock()
    send = ask or probe.ask
    started = 0
    while (left := begin + deadline - clock()) > 0:
        more = started < len(order) and not _settled(replies)
        if more and clock() >= begin + pace * started:
            _start(started, order[started], way.within(left), send, arrived)
            started += 1
            continue
        if not more and (0 in replies or not started) and (_settled(replies) or len(replies) == started):
            break
        wait = min(left, begin + pace * started - clock()) if more else left
        try:
            number, reply = arrived.get(timeout=max(wait, 0.001))
            replies[number] = reply
        except queue.Empty:
            pass
    silence = ImdsReply("read_timeout", f"read_timeout: no answer within {deadline:g} s")
    bound = [
        {"interface": one.interface, "address": one.address, "reply": as_plain(replies.get(number, silence))}
        for number, one in enumerate(order[:started])
        if one is not None and (number in replies or not _settled(replies))
    ]
    return {"unbound": as_plain(replies.get(0, silence)), "bound": bound}


def _start(
    number: int,
    candidate: Optional[Candidate],
    way: Way,
    ask: Ask,
    arrived: queue.SimpleQueue[tuple[int, ImdsReply]],
) -> None:
    def run() -> None:
        arrived.put((number, ask(way, candidate.address, candidate.interface) if candidate else ask(way)))

    threading.Thread(target=run, daemon=True).start()


def _settled(replies: dict[int, ImdsReply]) -> bool:
    """Whether the primary pair is known, or asking can't tell it: behind the guest proxy agent nobody is bound."""
    unbound = replies.get(0)
    if unbound is not None and (unbound.via_agent or unbound.direct):
        return True
    return any(reply.direct for number, reply in replies.items() if number)
