# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Watches the events of the VM that this runs on, in a thread, because asking IMDS blocks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from ansible_collections.imds.azure.plugins.module_utils._events.phases import Watch
from ansible_collections.imds.azure.plugins.module_utils._imds import platform
from ansible_collections.imds.azure.plugins.module_utils._imds.reasons import ImdsError
from ansible_collections.imds.azure.plugins.module_utils._watcher.commands import message
from ansible_collections.imds.azure.plugins.module_utils._watcher.observer import Observer
from ansible_collections.imds.azure.plugins.module_utils._watcher.pace import Pace
from ansible_collections.imds.azure.plugins.module_utils._watcher.settings import WatchSettings

Emit = Callable[[dict[str, Any]], Awaitable[None]]


class _StoppedError(Exception):
    """The source was told to end."""


class Watching:
    """``emit`` gets a message for every phase of every event; ``log`` a sentence where asking begins to fail."""

    def __init__(self, settings: WatchSettings, emit: Emit, log: Callable[[str], None]) -> None:
        self._settings = settings
        self._emit = emit
        self._log = log
        self._stop = threading.Event()

    async def run(self) -> None:
        """Watch until the task is cancelled.

        :raises ImdsError: not_azure or unknown_platform; nothing is sent then
        """
        platform.require_azure(self._settings.imds)
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()

        def end(error: BaseException | None) -> None:
            if not ended.done():
                ended.set_exception(error) if error else ended.set_result(None)

        def work() -> None:
            error: BaseException | None = None
            try:
                self._watch(loop)
            except _StoppedError:
                pass
            except BaseException as caught:
                error = caught
            if not loop.is_closed():
                loop.call_soon_threadsafe(end, error)

        # A daemon, so that a request under way does not hold up the end of the process.
        threading.Thread(target=work, name="azure_scheduled_events", daemon=True).start()
        try:
            await ended
        finally:
            self._stop.set()

    def _sleep(self, seconds: float) -> None:
        if self._stop.wait(max(seconds, 0)):
            raise _StoppedError

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        settings = self._settings
        observer = Observer(settings, sleep=self._sleep)
        pace = Pace(settings.interval, settings.longest_wait)
        clock = loop.time
        watch = Watch()
        while True:
            try:
                document = observer.look()
            except ImdsError as error:
                if not pace.errors:
                    self._log(f"no events: {error.message}")
                self._sleep(pace.failed(clock()) - clock())
                continue
            for change in watch.see(document):
                if change.phase in settings.phases:
                    sending = self._emit(message(change.phase, change.event, observer.host))
                    # Waits, so that a rulebook that is slow is not flooded.
                    asyncio.run_coroutine_threadsafe(_awaited(sending), loop).result()
            self._sleep(pace.answered(clock()) - clock())


async def _awaited(sending: Awaitable[None]) -> None:
    await sending
