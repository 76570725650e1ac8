# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""When to ask again: once per interval, and less and less often while there are errors. Pure."""

from __future__ import annotations

# Seconds to wait after the first error, however short the interval is.
FIRST_WAIT = 1.0


class Pace:
    """Times are in seconds, on the clock of whoever calls.

    :param interval: from one answer to the next request
    :param longest: to wait after an error
    """

    def __init__(self, interval: float, longest: float) -> None:
        self._interval = interval
        self._longest = longest
        self.errors = 0

    def answered(self, now: float) -> float:
        """When to ask next after a poll that ended now with an answer."""
        self.errors = 0
        return now + self._interval

    def failed(self, now: float) -> float:
        """When to ask next after a poll that ended now without one: the wait doubles from error to error."""
        first = max(self._interval, FIRST_WAIT)
        # The exponent is limited because a float is.
        wait = max(min(first * 2.0 ** min(self.errors, 32), self._longest), self._interval)
        self.errors += 1
        return now + wait
