# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks at the events that count, once per poll. The event source uses it too."""

from __future__ import annotations

import time
from collections.abc import Callable

from ansible_collections.imds.azure.plugins.module_utils._events.document import Document
from ansible_collections.imds.azure.plugins.module_utils._events.options import FIRST_TIMEOUT, Reading
from ansible_collections.imds.azure.plugins.module_utils._events.service import Service
from ansible_collections.imds.azure.plugins.module_utils._imds import client, transport
from ansible_collections.imds.azure.plugins.module_utils._imds.reasons import ImdsError

from .settings import WatchSettings


class Observer:
    """:param get, clock, sleep: as of Client; sleep is also called between the tries of one look"""

    def __init__(
        self,
        settings: WatchSettings,
        get: Callable[..., transport.Response] = transport.get,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._selection = settings.selection
        # As often as possible means as often as possible.
        pace = client.PACE if settings.interval else 0.0
        asking = client.Client(settings.imds, get, clock, sleep, pace=pace)
        self._service = Service(Reading(settings.imds, settings.api_version, FIRST_TIMEOUT), asking)

    @property
    def host(self) -> str:
        """The VM's name, empty while it is unknown."""
        return self._service.vm_name or ""

    @property
    def api_version(self) -> str | None:
        """The API version that was used last."""
        return self._service.api_version

    def look(self) -> Document:
        """The events that count, as they are now.

        :raises ImdsError: with the reason if IMDS does not tell
        """
        # The log of attempts is of no use here, and would grow.
        self._service.client.attempts.clear()
        if self._service.vm_name is None:
            self._service.identify()
            if self._service.vm_name is None and self._selection.mine:
                raise ImdsError("not_found", "the name of this VM, without which its own events are unknown")
        seen = self._service.read()
        return Document(seen.incarnation, self._selection.choose(seen.events))
