# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many requests a VM may make: per second, and at the same time."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Callable, Optional


@dataclass(frozen=True)
class Limit:
    """``concurrent`` None: any number."""

    per_second: int
    concurrent: Optional[int] = None


# Documented: 5 requests per second and VM; identity has its own 20, and 5 at a time.
LIMITS: dict[str, Limit] = {"general": Limit(5), "identity": Limit(20, 5)}


@dataclass
class _Use:
    times: deque[float] = field(default_factory=deque)
    running: int = 0


class Limiter:
    """Counts over the last second. A request that was refused does not count."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._uses: dict[tuple[str, str], _Use] = {}

    @contextmanager
    def slot(self, vm: str, bucket: str) -> Iterator[bool]:
        """Whether the VM may make this request now; while the context is open it counts as running."""
        admitted = self._enter(vm, bucket)
        try:
            yield admitted
        finally:
            if admitted:
                with self._lock:
                    self._uses[vm, bucket].running -= 1

    def _enter(self, vm: str, bucket: str) -> bool:
        limit = LIMITS[bucket]
        now = self._clock()
        with self._lock:
            use = self._uses.setdefault((vm, bucket), _Use())
            while use.times and now - use.times[0] >= 1.0:
                use.times.popleft()
            full = limit.concurrent is not None and use.running >= limit.concurrent
            if full or len(use.times) >= limit.per_second:
                return False
            use.times.append(now)
            use.running += 1
            return True
