# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator itself: state, and the way of one request through it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Callable, Optional

from . import routes, unevidenced
from .attestation import site
from .attestation.authority import Authority
from .attestation.documents import Documents
from .endpoints import Call, Family
from .faults import Fault, Faults
from .limiter import Limiter
from .log import Entry, RequestLog
from .message import Answer, Request
from .server import Channel
from .vms import Vm, Vms

SILENCE = 60.0  # seconds that a connection from an address that Azure does not answer stays open
PIECES = 50  # a dripped answer comes in so many pieces at most


class Emulator:
    """VMs, faults, limiter and log; `exchange` serves a request, everything else is for the control endpoint."""

    def __init__(
        self,
        vms: Any = None,
        limiter: Optional[Limiter] = None,
        retry_after: Optional[int] = None,
        clock: Callable[[], float] = time.time,
        ca_directory: Optional[Path] = None,
    ) -> None:
        """``vms``: list of VM objects, None for one default VM. ``limiter`` None: no limits at all.

        ``ca_directory``: where the CA of attested documents is kept, None for a new one.
        """
        self.vms = Vms(vms)
        self.authority = Authority(ca_directory, clock)
        self._documents = Documents(self.vms, self.authority)
        self.faults = Faults()
        self.log = RequestLog()
        self._limiter = limiter
        self._retry_after = retry_after
        self._clock = clock

    def exchange(self, request: Request, channel: Channel) -> None:
        """Answer one request, or do what a fault says instead."""
        vm = self.vms.find(request.source)
        entry = self.log.add(request, vm.name if vm else None, self._clock())
        if site.is_asked(request):
            _send(channel, site.answer(request, self.authority), entry)
            return
        if vm is None:
            channel.stay_silent(SILENCE)
            return
        fault = self.faults.take(request.path, vm.name)
        answer = self._answer(request, vm, fault)
        if fault is None:
            _send(channel, answer, entry)
        else:
            _DELIVERIES.get(fault.kind, _plainly)(channel, answer, entry, fault)

    def malformed(self, request: Request, answer: Answer, channel: Channel) -> None:
        """Answer what the server could not read as a request."""
        vm = self.vms.find(request.source)
        entry = self.log.add(request, vm.name if vm else None, self._clock())
        if vm is None:
            channel.stay_silent(SILENCE)
        else:
            _send(channel, answer, entry)

    def _answer(self, request: Request, vm: Vm, fault: Optional[Fault]) -> Answer:
        """The fault's own answer, else the service's. A delay passes inside the limits."""
        pause = fault.delay if fault else 0.0
        if fault and fault.answer:
            time.sleep(pause)
            return self._with_retry_after(fault.answer, vm)
        family, route = routes.find(request)
        refusal = routes.refusal(request, family)
        if refusal or family is None:
            time.sleep(pause)
            return refusal or unevidenced.ANSWERS["outside"]
        if self._limiter is None or not vm.limiter:
            return self._called(request, vm, family, route, pause)
        with self._limiter.slot(vm.name, family.bucket) as admitted:
            if not admitted:
                return self._with_retry_after(family.throttled(request), vm)
            return self._called(request, vm, family, route, pause)

    def _called(self, request: Request, vm: Vm, family: Family, route: Any, pause: float) -> Answer:
        time.sleep(pause)
        return family.answer(Call(request, vm, route, request.parameters(), self._clock(), self._documents))

    def _with_retry_after(self, answer: Answer, vm: Vm) -> Answer:
        seconds = self._retry_after if vm.retry_after is None else vm.retry_after
        given = any(name.lower() == "retry-after" for name, _value in answer.headers)
        if answer.status != 429 or seconds is None or given:
            return answer
        return answer.with_header("Retry-After", str(seconds))


def _send(channel: Channel, answer: Answer, entry: Entry) -> None:
    entry.status = answer.status  # first, so that a client that has its answer finds it in the log
    channel.send(channel.encode(answer))


def _plainly(channel: Channel, answer: Answer, entry: Entry, _fault: Fault) -> None:
    _send(channel, answer, entry)


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
    size = max(1, -(-len(whole) // PIECES))
    pieces = [whole[start : start + size] for start in range(0, len(whole), size)]
    for piece in pieces:
        time.sleep(fault.seconds / len(pieces))
        channel.send(piece)


_DELIVERIES: dict[str, Callable[[Channel, Answer, Entry, Fault], None]] = {
    "drop": _drop,
    "reset": _reset,
    "truncate": _truncate,
    "drip": _drip,
}
