# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The user's command: what it is given, and its life from start to end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

PREFIX = "AZURE_EVENT_"
# The system takes 128 KiB per variable. A longer value is left out; standard input has everything.
_LONGEST = 32 * 1024
# Seconds between the request to end and the kill.
MERCY = 10.0


def message(phase: str, event: Mapping[str, Any], host: str) -> dict[str, Any]:
    """What a command reads: the same that the event source gives to a rulebook."""
    return {"azure_scheduled_event": dict(event), "meta": {"phase": phase, "host": host}}


def variables(phase: str, event: Mapping[str, Any], host: str) -> dict[str, str]:
    """The same as environment variables: AZURE_EVENT_PHASE, AZURE_EVENT_HOST, and one for each key of the event.

    The key event_id becomes AZURE_EVENT_ID, resources AZURE_EVENT_RESOURCES. Lists are joined by commas, booleans are
    true or false, and null is empty.
    """
    found = {f"{PREFIX}PHASE": phase, f"{PREFIX}HOST": host}
    for name, value in event.items():
        text = _text(value).replace("\0", "")
        if len(text.encode("utf-8", "replace")) <= _LONGEST:
            found[PREFIX + name.removeprefix("event_").upper()] = text
    return found


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(map(_text, value))
    return str(value)


class Run:
    """A command that runs, in a process group of its own.

    :param limit: seconds that it may take
    :param now: time on the caller's clock
    :raises OSError: it can't be started
    """

    def __init__(
        self, command: Sequence[str], phase: str, event: Mapping[str, Any], host: str, limit: float, now: float
    ) -> None:
        environment = {name: value for name, value in os.environb.items() if not name.startswith(PREFIX.encode())}
        for name, value in variables(phase, event, host).items():
            environment[name.encode()] = value.encode("utf-8", "replace")
        # A file in memory, not a pipe: a command that reads nothing can't make the watcher wait.
        with open(os.memfd_create("event"), "w+b") as given:
            given.write(json.dumps(message(phase, event, host)).encode() + b"\n")
            given.seek(0)
            self._process = subprocess.Popen(command, stdin=given, env=environment, start_new_session=True)
        self.limit = limit
        self.timed_out = False
        self._end = now + limit
        self._kill: float | None = None

    def ended(self, now: float) -> str | None:
        """How it ended, such as "exit status 1"; None while it runs. What outlasts its limit is ended here."""
        code = self._process.poll()
        if code is not None:
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
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            pass
