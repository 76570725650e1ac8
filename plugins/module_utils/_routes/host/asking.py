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


class Requests:
    """Requests that overlap, each in a thread of its own. ``ask``: instead of `probe.ask`."""

    def __init__(self, way: Way, ask: Optional[Ask] = None) -> None:
        self._way = way
        self._ask = ask or probe.ask
        self._replies: queue.SimpleQueue[tuple[int, ImdsReply]] = queue.SimpleQueue()

    def clock(self) -> float:
        """Seconds since any fixed time."""
        return time.monotonic()

    def start(self, number: int, candidate: Optional[Candidate], seconds: float) -> None:
        """Ask, bound to the candidate or unbound, for as many seconds at most."""
        way = self._way.within(seconds)

        def run() -> None:
            bound = (candidate.address, candidate.interface) if candidate else ()
            self._replies.put((number, self._ask(way, *bound)))

        threading.Thread(target=run, daemon=True).start()

    def next_reply(self, seconds: float) -> Optional[tuple[int, ImdsReply]]:
        """The next reply and the number of its request; ``None`` if none arrives within as many seconds."""
        try:
            return self._replies.get(timeout=seconds)
        except queue.Empty:
            return None


def ask_around(
    requests: Requests, candidates: Sequence[Candidate], pace: float = PACE, deadline: float = DEADLINE
) -> dict[str, Any]:
    """Ask unbound, then from each candidate, until one is answered: ``imds`` of `common_report`.

    A request that is still under way at the end is left behind, and ends by its own timeouts.
    """
    order: list[Optional[Candidate]] = [None, *candidates]
    replies: dict[int, ImdsReply] = {}
    started = 0
    due = requests.clock()
    end = due + deadline
    while (now := requests.clock()) < end:
        more = started < len(order) and not _settled(replies)
        if more and now >= due:
            requests.start(started, order[started], end - now)
            started += 1
            due = now + pace
            continue
        if not more and 0 in replies and (_settled(replies) or len(replies) == started):
            break
        reply = requests.next_reply(min(end, due) - now if more else end - now)
        if reply:
            replies[reply[0]] = reply[1]
    silence = ImdsReply("read_timeout", f"read_timeout: no answer within {deadline:g} s")
    bound = [
        {"interface": one.interface, "address": one.address, "reply": as_plain(replies.get(number, silence))}
        for number, one in enumerate(order[:started])
        if one is not None and (number in replies or not _settled(replies))
    ]
    return {"unbound": as_plain(replies.get(0, silence)), "bound": bound}


def _settled(replies: dict[int, ImdsReply]) -> bool:
    """Whether the primary pair is known, or asking can't tell it: behind the guest proxy agent nobody is bound."""
    unbound = replies.get(0)
    if unbound is not None and (unbound.via_agent or unbound.direct):
        return True
    return any(reply.direct for number, reply in replies.items() if number)
