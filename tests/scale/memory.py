# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much memory Ansible's processes occupy while a play runs."""

from __future__ import annotations

import threading
import time
from pathlib import Path

# Of the time; to look takes the kernel longer the more memory a process has.
_LARGEST_SHARE = 0.01
_SHORTEST_PAUSE = 0.5


class Watch:
    """Looks at a process and its forks until it ends. In KiB.

    peak: the most that the process itself had resident; fork: the most that one fork had for itself; together: the
    most that the process and its forks occupied at once, shared memory counted once. The last two are read now and
    then, so they may have been larger in between.
    """

    def __init__(self, pid: int) -> None:
        self.peak = self.fork = self.together = 0
        self._pid = pid
        self._thread = threading.Thread(target=self._look_on, daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait for the end of the process to be noticed."""
        self._thread.join(30)

    def _look_on(self) -> None:
        while True:
            began = time.perf_counter()
            if not self._look():
                return
            time.sleep(max(_SHORTEST_PAUSE, (time.perf_counter() - began) / _LARGEST_SHARE))

    def _look(self) -> bool:
        """Whether the process is still there."""
        peak = table(Path(f"/proc/{self._pid}/status")).get("VmHWM")
        own = table(Path(f"/proc/{self._pid}/smaps_rollup"))
        if not peak or not own:
            return False
        self.peak = max(self.peak, peak)
        together = own.get("Pss", 0)
        for child in _children(self._pid):
            rollup = table(Path(f"/proc/{child}/smaps_rollup"))
            together += rollup.get("Pss", 0)
            self.fork = max(self.fork, rollup.get("Private_Clean", 0) + rollup.get("Private_Dirty", 0))
        self.together = max(self.together, together)
        return True


def table(file: Path) -> dict[str, int]:
    """The sizes in a file of procfs, in KiB; empty if its process has ended."""
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return {}
    fields = (line.split() for line in lines)
    return {words[0].rstrip(":"): int(words[1]) for words in fields if words[2:] == ["kB"]}


def _children(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except (FileNotFoundError, ProcessLookupError):
        return []
