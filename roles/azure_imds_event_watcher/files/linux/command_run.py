# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The life of the user's command, from start to end."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.imds.azure.plugins.module_utils._watcher import commands

# Seconds between the request to end and the kill.
MERCY = 10.0


class Run:
    """A command that runs, in a process group of its own.

    :param limit: seconds that it may take
    :param now: time on the caller's clock
    :raises OSError: it can't be started
    """

    def __init__(
        self, command: Sequence[str], phase: str, event: Mapping[str, Any], host: str, limit: float, now: float
    ) -> None:
        # A file in memory, not a pipe: a command that reads nothing can't make the watcher wait.
        with open(os.memfd_create("event"), "w+b") as given:
            given.write(json.dumps(commands.message(phase, event, host)).encode() + b"\n")
            given.seek(0)
            # Not subprocess, which takes a tenth of the memory. What Python ignores, a command need not ignore.
            self._pid = os.posix_spawn(
                command[0],
                list(command),
                commands.environment(phase, event, host),
                file_actions=[(os.POSIX_SPAWN_DUP2, given.fileno(), 0)],
                setpgroup=0,
                setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],
            )
        self.timed_out = False
        self._end = now + limit
        self._kill: float | None = None

    def ended(self, now: float) -> str | None:
        """How it ended, such as "exit status 1"; None while it runs. What outlasts its limit is ended here.

        Not to be called again once it has ended.
        """
        pid, status = os.waitpid(self._pid, os.WNOHANG)
        if pid:
            code = os.waitstatus_to_exitcode(status)
            return f"exit status {code}" if code >= 0 else f"signal {-code}"
        if self._kill is not None and now >= self._kill:
            self._signal(signal.SIGKILL)
        elif self._kill is None and now >= self._end:
            self.timed_out = True
            self.end(now)
        return None

    def end(self, now: float) -> None:
        """Ask it to end; MERCY seconds later it is killed."""
        if self._kill is None:
            self._kill = now + MERCY
            self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> None:
        # The process is not reaped yet, so its group is still its own.
        try:  # noqa: SIM105 - contextlib would be loaded for this alone
            os.killpg(self._pid, number)
        except ProcessLookupError:
            pass
