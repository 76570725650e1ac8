# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks at the events again and again, under one deadline. Temporary errors are retried, others end it."""

from __future__ import annotations

import time
from typing import Callable

from ansible_collections.imds.azure.plugins.module_utils._imds.reasons import ImdsError

from .document import Document
from .service import Service

# Reasons that are temporary: IMDS is being updated, moves, or is overloaded.
_TEMPORARY = ("throttled", "updating", "server_error", "read_timeout", "malformed")
# Reasons that are temporary once IMDS has answered. Before that, they mean that the host can't reach it.
_TEMPORARY_LATER = ("not_found", "no_route", "refused", "connect_timeout")
# Seconds that there are after a first answer in any case, however late it came.
_GRACE = 30.0
# Seconds that the last look before the deadline should have.
_LAST_LOOK = 1.0
_SHORTEST_PAUSE = 0.25
# How many of the attempts are remembered: a wait of a day may have 86,400.
_REMEMBERED = 50


class Poller:
    """trouble: why the last look saw nothing, if it did not. Times in seconds.

    :param timeout: until the deadline, which is later where the first answer is: it may take first_timeout
    :param poll: from one look to the next
    """

    def __init__(
        self,
        service: Service,
        timeout: float,
        first_timeout: float,
        poll: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.service = service
        self.trouble: ImdsError | None = None
        self._timeout = timeout
        self._first_timeout = first_timeout
        self._poll = poll
        self._clock = clock
        self._sleep = sleep
        self._started = clock()
        self._identified = False
        self._answered_after: float | None = None

    @property
    def elapsed(self) -> float:
        return self._clock() - self._started

    @property
    def remaining(self) -> float:
        """Seconds until the deadline."""
        if self._answered_after is None:
            return max(self._timeout, self._first_timeout) - self.elapsed
        return max(self._timeout, self._answered_after + min(self._timeout, _GRACE)) - self.elapsed

    def look(self) -> Document | None:
        """The events as they are now; None if IMDS does not show them at the moment.

        :raises ImdsError: for an error that is not temporary
        """
        try:
            if not self._identified:
                self.service.identify(self._limit())
                self._identified = True
            document = self.service.read(self._limit())
        except ImdsError as error:
            if not self.is_temporary(error):
                raise
            self.trouble = error
            return None
        self.trouble = None
        if self._answered_after is None:
            self._answered_after = self.elapsed
        return document

    def approve(self, event_ids: list[str]) -> None:
        """As Service.approve, within the deadline."""
        self.service.approve(event_ids, self._limit())

    def pause(self) -> bool:
        """Wait for the next look; False if the deadline leaves no time for one."""
        attempts = self.service.client.attempts
        del attempts[:-_REMEMBERED]
        pause = min(self._poll, self.remaining - _LAST_LOOK)
        if pause < _SHORTEST_PAUSE:
            return False
        self._sleep(pause)
        return True

    def is_temporary(self, error: ImdsError) -> bool:
        """Whether it makes sense to ask again."""
        return error.reason.code in _TEMPORARY or (self._identified and error.reason.code in _TEMPORARY_LATER)

    def _limit(self) -> float:
        """For a request: never nothing, because the first look is taken in any case."""
        return max(self.remaining, _SHORTEST_PAUSE)
