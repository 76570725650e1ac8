# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service beside IMDS on a port of its own: its requests are logged, and meet faults, like those to IMDS."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Callable, Optional

from .delivery import deliver
from .faults import Fault, Faults
from .log import RequestLog
from .message import Answer, Request
from .server import Channel
from .vms import Vm


class SideService:
    """The server calls `exchange` and `malformed`.

    ``find``: the VM at an address. ``throttled``: with which the service itself says 429.
    """

    def __init__(
        self,
        find: Callable[[str], Optional[Vm]],
        answer: Callable[[Request, Optional[Vm]], Answer],
        throttled: Answer,
        faults: Faults,
        log: RequestLog,
        clock: Callable[[], float],
    ) -> None:
        self._find = find
        self._answer = answer
        self._throttled = throttled
        self._faults = faults
        self._log = log
        self._clock = clock

    def exchange(self, request: Request, channel: Channel) -> None:
        """Answer one request, or do what a fault says instead."""
        vm = self._find(request.source)
        entry = self._log.add(request, vm.name if vm else None, self._clock())
        fault = self._faults.take(request.path, vm.name if vm else "")
        if fault and fault.delay:
            time.sleep(fault.delay)
        scripted = self._scripted(fault) if fault else None
        deliver(channel, scripted or self._answer(request, vm), entry, fault)

    def malformed(self, request: Request, answer: Answer, channel: Channel) -> None:
        """Answer what the server could not read as a request."""
        deliver(channel, answer, self._log.add(request, None, self._clock()), None)

    def _scripted(self, fault: Fault) -> Optional[Answer]:
        if fault.answer is None:
            return None
        if fault.throttled:
            return replace(self._throttled, headers=fault.answer.headers)
        return replace(fault.answer, body=fault.answer.body * fault.repeat)
