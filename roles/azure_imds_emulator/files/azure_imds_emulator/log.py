# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The request log: what tests assert on."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any, Optional

from .message import Request

LIMIT = 10_000  # entries; the oldest go first


class Entry:
    """One request. The status is None until, and unless, an answer was sent."""

    def __init__(self, request: Request, vm: Optional[str], now: float) -> None:
        self.request = request
        self.vm = vm
        self.time = now
        self.status: Optional[int] = None

    def as_json(self) -> dict[str, Any]:
        """``time`` in Unix seconds, ``query`` raw, ``headers`` by name as sent, repeated ones joined by a comma."""
        headers: dict[str, str] = {}
        for name, value in self.request.headers:
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return {
            "time": self.time,
            "source": self.request.source,
            "vm": self.vm,
            "method": self.request.method,
            "path": self.request.path,
            "query": self.request.query,
            "headers": headers,
            "status": self.status,
        }


class RequestLog:
    """The last LIMIT requests in the order of their arrival."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=LIMIT)
        self._lock = threading.Lock()

    def add(self, request: Request, vm: Optional[str], now: float) -> Entry:
        """Note a request on its arrival; the caller sets the entry's status before it sends."""
        entry = Entry(request, vm, now)
        with self._lock:
            self._entries.append(entry)
        return entry

    def as_json(self) -> list[dict[str, Any]]:
        """All entries, oldest first."""
        with self._lock:
            entries = list(self._entries)
        return [entry.as_json() for entry in entries]

    def clear(self) -> int:
        """Forget everything; returns how many entries there were."""
        with self._lock:
            count = len(self._entries)
            self._entries.clear()
        return count
