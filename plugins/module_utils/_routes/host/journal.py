# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is under way on a host, on disk before it is done, so that a run that was killed can be rolled back.

The journal is a JSON object: ``steps`` (plain), ``started`` (how many of them were begun), ``proven`` (the repair
works; from here on there is no way back), ``backend`` and ``boot`` (the kernel's boot id: a reboot forgets the running
routes, but not the persistent ones).
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
        try:
            entry = json.loads(text)
            valid = isinstance(entry["steps"], list) and 0 <= entry["started"] <= len(entry["steps"])
        except (ValueError, TypeError, KeyError):
            valid = False
        if not valid:
            raise HostError(f"{self.path} is not a journal of the route fix: look at the routes, then remove it")
        return dict(entry)

    def write(self, entry: dict[str, Any]) -> None:
        """Replace the journal.

        :raises HostError: where it can't be written
        """
        self.host.write(self.path, json.dumps(entry) + "\n", 0o600)

    def remove(self) -> None:
        """Nothing is unfinished any more."""
        self.host.remove(self.path)

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
            raise HostError("Another run of the route fix is under way on this host. Run again.") from None
        finally:
            os.close(handle)

    def boot(self) -> str:
        """Which start of the kernel this is."""
        return (self.host.read_text(_BOOT_ID) or "").strip()
