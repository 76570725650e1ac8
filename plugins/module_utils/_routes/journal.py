# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is under way on a host, on disk before it is done, so that a run that was killed can be taken back.

The journal is a JSON object: ``steps`` (plain), ``started`` (how many of them were begun), ``proven`` (the repair
works; from here on there is no way back), ``backend`` and ``boot`` (the kernel's boot id: a reboot forgets the running
routes, but not the persistent ones).
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple, Optional

from ansible_collections.imds.azure.plugins.module_utils._routes.host import Host, HostError

PATH = "/var/lib/imds.azure/route_fix.json"
_BOOT_ID = "/proc/sys/kernel/random/boot_id"


class Journal(NamedTuple):
    """The journal of one host."""

    host: Host
    path: str = PATH

    def read(self) -> Optional[dict[str, Any]]:
        """What an earlier run left; ``None`` where nothing is unfinished.

        :raises HostError: where it can't be understood
        """
        text = self.host.read(self.path)
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

    def boot(self) -> str:
        """Which start of the kernel this is."""
        return (self.host.read(_BOOT_ID) or "").strip()
