# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the event source azure_scheduled_events does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Protocol

from ansible_collections.imds.azure.plugins.module_utils._watcher.settings import WatchSettings

from .options import ReceiveOptions, receives
from .receiving import Receiver
from .watching import Watching

LOGGER = logging.getLogger(__name__)
# What ansible-rulebook itself adds to the arguments.
_FOREIGN = "eda_feedback_queue"


class Queue(Protocol):
    """Takes events; ansible-rulebook's, or a test's."""

    async def put(self, item: dict[str, Any]) -> None:
        """Add one event."""


async def run(queue: Queue, arguments: Mapping[str, Any]) -> None:
    """Put messages into the queue until the task is cancelled.

    :raises OptionError: an argument can't be used
    :raises ImdsError: this host is not an Azure VM
    :raises OSError: the address to listen on is taken, or the certificate can't be read
    """
    given = {name: value for name, value in arguments.items() if name != _FOREIGN and value is not None}
    if not receives(given):
        await Watching(WatchSettings(given), queue.put, LOGGER.warning).run()
        return
    options = ReceiveOptions(given)
    server = await Receiver(options, queue.put).start()
    LOGGER.info("receiving at %s", server.sockets[0].getsockname()[:2])
    async with server:
        await asyncio.Event().wait()
