# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is under way on a host, on disk before it is done, so that a run that was killed can be rolled back.

The journal is a JSON object: ``steps`` (plain), ``started`` (how many of them were begun), ``proven`` (the repair
works; from here on there is no way back), ``backend`` and ``boot`` (the kernel's boot id: a reboot forgets the running
routes, but not the persistent ones). It is marked as finished before it is removed, so that a file that can't be
removed does not count.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Optional

from .host import Host, HostError

PATH = "/var/lib/imds.azure/route_fix.json"
_BOOT_ID = "/proc/sys/kernel/random/boot_id"


_FINISHED = '{"finished": true}\n'


def _is_entry(entry: Any) -> bool:
    """Whether it has the shape that a rollback relies on.

    :raises TypeError, KeyError: it has not
    """
    steps, started = entry["steps"], entry["started"]
    operations = [one for step in steps for one in (*step["do"], *step["undo"])]
    shaped = isinstance(steps, list) and all("phase" in step for step in steps)
    shaped = shaped and all(isinstance(one, dict) and "action" in one for one in operations)
    return shaped and isinstance(started, int) and not isinstance(started, bool) and 0 <= started <= len(steps)


class BusyError(HostError):
    """Another run is under way."""


class Journal(NamedTuple):
    """The journal of one host."""

    host: Host
    path: str = PATH

    def load(self) -> Optional[dict[str, Any]]:
        """What an earlier run left; ``None`` where nothing is unfinished.

        :raises HostError: where it can't be understood
        """
        text = self.host.read_text(self.path)
        if text is None:
            return None
        if text == _FINISHED:
            return None
        try:
            entry = json.loads(text)
            valid = _is_entry(entry)
        except (ValueError, TypeError, KeyError, RecursionError):
            valid = False
        if not valid:
            raise HostError(f"{self.path} is not a journal of the route fix: look at the routes, then remove it")
        return dict(entry)

    def write(self, entry: dict[str, Any]) -> None:
        """Replace the journal.

        :raises HostError: where it can't be written
        """
        self.host.write(self.path, json.dumps(entry) + "\n", 0o600)

    def close(self) -> str:
        """Nothing is unfinished any more. What keeps the file from being removed, empty where nothing does.

        :raises HostError: where the journal can neither be marked as finished nor removed: the next run rolls back
        """
        marked = self._mark_finished()
        try:
            self.host.remove(self.path)
        except HostError as error:
            if not marked:
                raise
            return str(error)
        return ""

    def _mark_finished(self) -> bool:
        try:
            self.host.write(self.path, _FINISHED, 0o600)
        except HostError:
            return False
        return True

    def set_aside(self) -> str:
        """Put a journal that can't be understood out of the way, and tell where to.

        :raises HostError: where that can't be done
        """
        kept = f"{self.path}.unreadable"
        try:
            os.replace(self.host.root + self.path, self.host.root + kept)
        except OSError as error:
            raise HostError(f"{self.path}: {error.strerror or error}") from error
        return kept

    def in_use(self) -> bool:
        """Whether a run is under way, which then is not a killed one."""
        try:
            with self.alone():
                return False
        except BusyError:
            return True
        except HostError:
            return False

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other runs on this host out. The lock ends with the process, however that ends.

        :raises HostError: where another run is under way, or there is no place for the journal
        """
        directory = self.host.root + os.path.dirname(self.path)
        try:
            os.makedirs(directory, mode=0o700, exist_ok=True)
            handle = os.open(directory, os.O_RDONLY)
        except OSError as error:
            raise HostError(f"{directory}: {error.strerror or error}") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise BusyError("Another run of the route fix is under way on this host. Run again.") from None
        finally:
            os.close(handle)

    def boot(self) -> str:
        """Which start of the kernel this is."""
        return (self.host.read_text(_BOOT_ID) or "").strip()
