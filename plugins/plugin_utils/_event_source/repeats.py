# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which posted messages have been received before: a watcher that was killed may post one again. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

# Host and event of messages that are remembered; the oldest are forgotten first.
MOST = 10_000
# What tells one message about an event from another; all else may count down, or depends on who posts it.
_TELLING = ("event_status", "event_type", "not_before_raw", "resources")


class Repeats:
    """Remembers the last message about each event of each host."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._last: dict[tuple[str, str], str] = {}

    def is_new(self, message: Mapping[str, Any]) -> bool:
        """Whether this is not the message that came last about the event."""
        event, meta = message["azure_scheduled_event"], message["meta"]
        key = (str(meta["host"]).lower(), str(event["event_id"]).lower())
        told = json.dumps([meta["phase"], *(event.get(name) for name in _TELLING)])
        if self._last.pop(key, None) == told:
            self._last[key] = told
            return False
        self._last[key] = told
        if len(self._last) > self._most:
            del self._last[next(iter(self._last))]
        return True
