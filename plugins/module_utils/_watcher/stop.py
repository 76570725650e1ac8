# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ends the watcher on SIGTERM, at once where it only waits, and never in the middle of anything else."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any


class Stopped(BaseException):
    """The watcher was asked to end. Not an Exception, so that no handler takes it for an error."""


class Stop:
    """requested: whether SIGTERM or SIGINT has come."""

    def __init__(self) -> None:
        self.requested = False
        self._waiting = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._request)

    def interruptible(self, wait: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, but it ends with Stopped as soon as the watcher shall end."""

        def call(*args: Any, **more: Any) -> Any:
            try:
                self._waiting = True
                if self.requested:
                    raise Stopped
                return wait(*args, **more)
            finally:
                self._waiting = False

        return call

    def _request(self, _number: int, _frame: Any) -> None:
        self.requested = True
        if self._waiting:
            # Only once: a second signal must not disturb what is done about the first.
            self._waiting = False
            raise Stopped
