# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A clock that can be moved forward, so that nobody has to wait for events, tokens and identities."""

from __future__ import annotations

import threading
from typing import Any, Callable

from . import checks

LONGEST = 366 * 24 * 3600  # seconds
FARTHEST = 100 * LONGEST  # no date beyond the year 9999 is ever sent


class Clock:
    """Calling it gives Unix seconds: the machine's, plus what it was moved forward by."""

    def __init__(self, machine: Callable[[], float]) -> None:
        self._machine = machine
        self._ahead = 0.0
        self._lock = threading.Lock()

    def __call__(self) -> float:
        return self._machine() + self._ahead

    def advance(self, given: Any) -> dict[str, Any]:
        """Move it forward, as ``{"advance": seconds}`` says; what it shows then.

        :raises InvalidInputError: if a field is wrong
        """
        checked = checks.fields("", checks.mapping("clock", given), {"advance": checks.number(0, LONGEST)})
        if "advance" not in checked:
            checks.fail("advance", "is required")
        with self._lock:
            if self._ahead + checked["advance"] > FARTHEST:
                checks.fail("advance", f"would put the clock more than {FARTHEST} seconds ahead; restart the emulator")
            self._ahead += checked["advance"]
        return self.as_json()

    def as_json(self) -> dict[str, Any]:
        """What it shows, and by how much it is ahead of the machine's."""
        return {"now": self(), "ahead": self._ahead}
