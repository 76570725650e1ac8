# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an answer gets to the client, or does not: plainly, or as a fault wants it."""

from __future__ import annotations

import time
from typing import Callable, Optional

from .faults import Fault
from .log import Entry
from .message import Answer
from .server import Channel

PIECES = 50  # a dripped answer comes in so many pieces at most


def deliver(channel: Channel, answer: Answer, entry: Entry, fault: Optional[Fault]) -> None:
    """Send the answer; note its status first, so that a client that has its answer finds it in the log."""
    way = _WAYS.get(fault.kind) if fault else None
    if fault and way:
        way(channel, answer, entry, fault)
    else:
        entry.status = answer.status
        channel.send(channel.encode(answer))


def _drop(channel: Channel, _answer: Answer, _entry: Entry, _fault: Fault) -> None:
    channel.close()


def _reset(channel: Channel, _answer: Answer, _entry: Entry, _fault: Fault) -> None:
    channel.reset()


def _truncate(channel: Channel, answer: Answer, entry: Entry, fault: Fault) -> None:
    """Less than Content-Length promises: at least one byte of the body is missing."""
    entry.status = answer.status
    whole = channel.encode(answer)
    length = len(answer.body)
    sent = length // 2 if fault.cut is None else min(fault.cut, max(length - 1, 0))
    channel.send(whole[: len(whole) - length + sent])
    channel.close()


def _drip(channel: Channel, answer: Answer, entry: Entry, fault: Fault) -> None:
    entry.status = answer.status
    whole = channel.encode(answer)
    size = -(-len(whole) // PIECES)
    pieces = [whole[start : start + size] for start in range(0, len(whole), size)]
    for piece in pieces:
        time.sleep(fault.seconds / len(pieces))
        channel.send(piece)


def _say_no_more(channel: Channel, answer: Answer, entry: Entry, _fault: Fault) -> None:
    entry.status = answer.status
    channel.close()
    channel.send(channel.encode(answer))


# Kinds of faults that change the delivery. All others change, or delay, the answer.
_WAYS: dict[str, Callable[[Channel, Answer, Entry, Fault], None]] = {
    "drop": _drop,
    "reset": _reset,
    "truncate": _truncate,
    "drip": _drip,
    "msp": _say_no_more,
}
