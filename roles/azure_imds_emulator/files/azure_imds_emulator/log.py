# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The request log: what tests assert on."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any, Optional

from .message import Headers, Request

LIMIT = 10_000  # entries; the oldest go first
LARGEST = 32 * 1024 * 1024  # characters in all entries together
SECRET = ("authorization", "proxy-authorization", "cookie")  # headers whose values are not kept
SCHEMES = ("basic", "bearer", "digest", "negotiate", "pop")


class Entry:
    """One request. The status is None until, and unless, an answer was sent.

    What is not shown, a body above all, is not kept.
    """

    def __init__(self, request: Request, vm: Optional[str], now: float) -> None:
        self.status: Optional[int] = None
        self._shown = {
            "time": now,
            "source": request.source,
            "vm": vm,
            "method": request.method,
            "path": request.path,
            "query": request.query,
            "headers": _joined(request.headers),
        }
        self.size = len(request.method) + len(request.path) + len(request.query)
        self.size += sum(len(name) + len(value) for name, value in request.headers)

    def as_json(self) -> dict[str, Any]:
        """``time`` in Unix seconds, ``query`` raw, ``headers`` by name as sent, repeated ones joined by a comma.

        Credentials are missing from them.
        """
        return {**self._shown, "status": self.status}


def _joined(headers: Headers) -> dict[str, str]:
    joined: dict[str, list[str]] = {}
    for name, value in headers:
        joined.setdefault(name, []).append(_without_credentials(value) if name.lower() in SECRET else value)
    return {name: ", ".join(values) for name, values in joined.items()}


def _without_credentials(value: str) -> str:
    """The scheme stays, so that a test can see that there was a token; the log is for everybody to read."""
    scheme = value.partition(" ")[0]
    return f"{scheme} (hidden)" if scheme.lower() in SCHEMES else "(hidden)"


class RequestLog:
    """The last LIMIT requests, or fewer where they are large, in the order of their arrival."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque()
        self._size = 0
        self._lock = threading.Lock()

    def add(self, request: Request, vm: Optional[str], now: float) -> Entry:
        """Note a request on its arrival; the caller sets the entry's status before it sends."""
        entry = Entry(request, vm, now)
        with self._lock:
            self._entries.append(entry)
            self._size += entry.size
            while len(self._entries) > LIMIT or self._size > LARGEST:
                self._size -= self._entries.popleft().size
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
            self._size = 0
        return count
