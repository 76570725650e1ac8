# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripted faults: which fault the next request meets. How a script describes one is in `fault_spec.py`."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Optional

from . import checks
from .message import Answer

MOST = 1_000  # faults that wait
LARGEST = 16 * 1024 * 1024  # bytes of JSON that described them


@dataclass(frozen=True)
class Fault:
    """One fault.

    ``answer`` None: the service's own; ``throttled``: the one with which the endpoint itself says 429, in its place.
    ``repeat``: how often the answer's body is sent; the whole is built when a request meets the fault, not before.
    ``given``: what the script sent, ``size`` bytes of JSON. ``count`` None: until deleted. ``delay`` and ``seconds``
    (of a drip) in seconds; ``cut``: bytes of a truncated body, None for half of it.
    """

    path: str
    kind: str
    given: Mapping[str, Any]
    size: int = 0
    id: int = 0
    vm: Optional[str] = None
    count: Optional[int] = None
    delay: float = 0.0
    answer: Optional[Answer] = None
    repeat: int = 1
    throttled: bool = False
    cut: Optional[int] = None
    seconds: float = 0.0

    def concerns(self, path: str, vm: str) -> bool:
        """Whether a request for this path from this VM meets the fault."""
        return path.lower().startswith(self.path.lower()) and self.vm in (None, vm)

    def as_json(self) -> dict[str, Any]:
        """What was sent, with id, kind, path and the count that is left."""
        return {**self.given, "id": self.id, "kind": self.kind, "path": self.path, "count": self.count}


class Faults:
    """All faults in the order in which they came; the first that concerns a request is the one it meets."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._ids = itertools.count(1)

    def add(self, faults: list[Fault]) -> list[Fault]:
        """Queue faults behind those that wait; returns them with their ids.

        :raises InvalidInputError: if too many would be waiting
        """
        with self._lock:
            waiting = [*self._faults, *faults]
            if len(waiting) > MOST:
                checks.fail("faults", f"would be {len(waiting)} that wait, and at most {MOST} can; delete some first")
            if sum(fault.size for fault in waiting) > LARGEST:
                checks.fail("faults", f"would be more than {LARGEST} bytes of JSON that wait; delete some first")
            new = [replace(fault, id=next(self._ids)) for fault in faults]
            self._faults.extend(new)
        return new

    def take(self, path: str, vm: str) -> Optional[Fault]:
        """The fault that this request meets; its count goes down."""
        with self._lock:
            for i, fault in enumerate(self._faults):
                if fault.concerns(path, vm):
                    if fault.count == 1:
                        del self._faults[i]
                    elif fault.count:
                        self._faults[i] = replace(fault, count=fault.count - 1)
                    return fault
        return None

    def waiting(self) -> list[Fault]:
        """What is still to come."""
        with self._lock:
            return list(self._faults)

    def clear(self) -> int:
        """Drop all faults; returns how many there were."""
        with self._lock:
            count = len(self._faults)
            self._faults.clear()
        return count
