# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules that handle tokens and secrets share: options, and how they keep secrets out of sight.

PRIVATE to this collection.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.imds.azure.plugins.module_utils import _module
from ansible_collections.imds.azure.plugins.module_utils._identity import options, private_file

# A shorter value may be part of ordinary words, which hiding it would garble. No result quotes a secret anyway.
_SHORTEST = 8


def argument_spec() -> dict[str, Any]:
    """The options of the doc fragment _identity, as a new dictionary that may be extended."""
    spec = _module.argument_spec()
    del spec["updating_timeout"]  # one deadline for everything
    spec["timeout"]["default"] = options.TIMEOUT
    return {
        **spec,
        "client_id": {"type": "str"},
        "object_id": {"type": "str"},
        "msi_res_id": {"type": "str"},
        "bypass_cache": {"type": "bool", "default": False},
        "identity_wait": {"type": "float", "default": 0.0},
        "arc": {"type": "str", "choices": ["auto", "never", "always"], "default": "auto"},
        "dest": {"type": "path"},
        "owner": {"type": "str"},
        "group": {"type": "str"},
        "mode": {"type": "str", "default": private_file.MODE},
    }


class Hidden:
    """Values that Ansible takes out of everything that the module says, whether or not the task sets no_log."""

    def __init__(self, module: Any) -> None:
        self._values: set[str] = module.no_log_values

    def add(self, value: str) -> None:
        if len(value) >= _SHORTEST:
            self._values.add(value)

    def reveal(self, value: str) -> None:
        """For a result that returns the value on request; nothing else may be said after that."""
        self._values.discard(value)


class Asked:
    """Who was asked so far, for the result of a failure too."""

    def __init__(self) -> None:
        self._logs: list[list[dict[str, Any]]] = []

    def follow(self, attempts: list[dict[str, Any]]) -> None:
        """Take a client's log of attempts, which goes on growing, into account."""
        self._logs.append(attempts)

    @property
    def attempts(self) -> list[dict[str, Any]]:
        return [attempt for log in self._logs for attempt in log]

    def failure(self, message: str, code: str, remedy: str) -> dict[str, Any]:
        """The result where something is missing."""
        return {"msg": f"{message} {remedy}", "reason": code, "remedy": remedy, "attempts": self.attempts}
