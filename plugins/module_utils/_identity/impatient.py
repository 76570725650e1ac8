# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A client that asks only once where nothing answers. It still waits where IMDS throttles, is updated or fails."""

from __future__ import annotations

from typing import Any, Callable

from ansible_collections.imds.azure.plugins.module_utils._imds import retry, transport
from ansible_collections.imds.azure.plugins.module_utils._imds.client import Client
from ansible_collections.imds.azure.plugins.module_utils._imds.paths import Path

from .errors import UNANSWERED


class ImpatientPolicy(retry.Policy):
    """The same as for everybody, but silence ends it."""

    def wait(self, outcome: str, tries: int, retry_after: str | None, chance: float, elapsed: float) -> float | None:
        return None if outcome in UNANSWERED else super().wait(outcome, tries, retry_after, chance, elapsed)


class ImpatientClient(Client):
    """A policy that is given has to be impatient by itself."""

    def ask(
        self,
        path: Path,
        version: str | None,
        read: Callable[[transport.Response], Any],
        query: str = "",
        policy: retry.Policy | None = None,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
    ) -> tuple[Any, transport.Response]:
        """As Client.ask.

        :raises ImdsError: with the reason to stop
        """
        return super().ask(path, version, read, query, policy or ImpatientPolicy(path.root), headers, body)
