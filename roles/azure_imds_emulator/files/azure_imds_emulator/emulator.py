# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator itself: state, and the way of one request through it."""

from __future__ import annotations

import time
from contextlib import nullcontext
from typing import Any, Callable, Optional

from . import routes
from .delivery import deliver
from .endpoints import Call
from .faults import Fault, Faults
from .limiter import Limiter
from .log import Entry, RequestLog
from .message import Answer, Request
from .server import Channel
from .vms import Vm, Vms

SILENCE = 60.0  # seconds that a connection from an address that Azure does not answer stays open


class Emulator:
    """VMs, faults, limiter and log. The server calls `exchange` and `malformed`; the rest is for `control.py`."""

    def __init__(
        self,
        vms: Any = None,
        limiter: Optional[Limiter] = None,
        retry_after: Optional[int] = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``vms``: list of VM objects, None for one default VM. ``limiter`` None: no limits at all."""
        self.vms = Vms(vms)
        self.faults = Faults()
        self.log = RequestLog()
        self._limiter = limiter
        self._retry_after = retry_after
        self._clock = clock

    def exchange(self, request: Request, channel: Channel) -> None:
        """Answer one request, or do what a fault says instead."""
        vm, entry = self._arrived(request)
        if vm is None:
            channel.stay_silent(SILENCE)
            return
        fault = self.faults.take(request.path, vm.name)
        deliver(channel, self._answer(request, vm, fault), entry, fault)

    def malformed(self, request: Request, answer: Answer, channel: Channel) -> None:
        """Answer what the server could not read as a request."""
        vm, entry = self._arrived(request)
        if vm is None:
            channel.stay_silent(SILENCE)
        else:
            deliver(channel, answer, entry, None)

    def _arrived(self, request: Request) -> tuple[Optional[Vm], Entry]:
        vm = self.vms.find(request.source)
        return vm, self.log.add(request, vm.name if vm else None, self._clock())

    def _answer(self, request: Request, vm: Vm, fault: Optional[Fault]) -> Answer:
        """The fault's own answer, else the service's. A delay passes inside the limits."""
        delay = fault.delay if fault else 0.0
        target = (fault.answer if fault else None) or routes.resolve(request)
        if isinstance(target, Answer):
            _pause(delay)
            return self._with_retry_after(target, vm)
        limiter = self._limiter if vm.limiter else None
        with limiter.slot(vm.name, target.family.bucket) if limiter else nullcontext(True) as admitted:
            if not admitted:
                return self._with_retry_after(target.family.throttled(request), vm)
            _pause(delay)
            return target.family.answer(Call(request, vm, target.route, request.parameters(), self._clock()))

    def _with_retry_after(self, answer: Answer, vm: Vm) -> Answer:
        """A 429 with the header that the user wants, unless the script gave one."""
        seconds = self._retry_after if vm.retry_after is None else vm.retry_after
        given = any(name.lower() == "retry-after" for name, _value in answer.headers)
        if answer.status != 429 or seconds is None or given:
            return answer
        return answer.with_header("Retry-After", str(seconds))


def _pause(seconds: float) -> None:
    """Sleep, but do not give up the processor for nothing: that would cost a busy machine a time slice."""
    if seconds:
        time.sleep(seconds)
