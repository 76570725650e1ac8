# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks for events, and runs the user's command for each phase of each."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from ansible_collections.imds.azure.plugins.module_utils._events.document import Document
from ansible_collections.imds.azure.plugins.module_utils._events.phases import Watch
from ansible_collections.imds.azure.plugins.module_utils._imds import transport
from ansible_collections.imds.azure.plugins.module_utils._imds.reasons import ImdsError
from ansible_collections.imds.azure.plugins.module_utils._imds.transport import Response

from . import state_file
from .ledger import MOST_DUE, Due, Ledger
from .observer import Observer
from .pace import Pace
from .settings import WatcherSettings

# Commands for different events that run at the same time.
AT_ONCE = 8
# Seconds between two looks at commands that run.
_GLANCE = 0.2


class Command(Protocol):
    """A command that runs."""

    timed_out: bool

    def ended(self, now: float) -> str | None:
        """How it ended; None while it runs."""

    def end(self, now: float) -> None:
        """Ask it to end."""


class Watcher:
    """:param log: takes a level, as of syslog, and a sentence

    :param run: starts a command: gets program and arguments, phase, event, host, the seconds that it may take, and the
        time; raises OSError or ValueError if it can't
    """

    def __init__(
        self,
        settings: WatcherSettings,
        log: Callable[[int, str], None],
        run: Callable[..., Command],
        get: Callable[..., Response] = transport.get,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._log = log
        self._clock = clock
        self._sleep = sleep
        self._run = run
        self._observer = Observer(settings, get, clock, self.wait)
        self._pace = Pace(settings.interval, settings.longest_wait)
        self._ledger = Ledger(settings.phases, AT_ONCE)
        self._runs: dict[Due, Command] = {}
        self._kept: dict[str, Any] | None = self._read_state()
        self._watch = Watch((self._kept or {}).get("watch"))
        self._announced = False
        self._full = False

    def poll(self) -> float:
        """Ask once, and start what has become due; when to ask next."""
        try:
            document = self._observer.look()
        except ImdsError as error:
            if not self._pace.errors:
                self._log(WARNING, f"no events: {error.message}")
            return self._pace.failed(self._clock())
        if self._pace.errors or not self._announced:
            self._announced = True
            name = self._observer.host or "a VM without a name"
            self._log(INFO, f"watching the events of {name} with API version {self._observer.api_version}")
        next_poll = self._pace.answered(self._clock())
        self._take(document)
        return next_poll

    def wait(self, seconds: float) -> None:
        """Let time pass, and look after the commands meanwhile."""
        until = self._clock() + seconds
        while True:
            self._tend()
            left = until - self._clock()
            if left <= 0:
                return
            self._sleep(min(left, _GLANCE) if self._runs else left)

    def finish(self, sleep: Callable[[float], None]) -> None:
        """Start nothing more, and give the commands that run the time that they have."""
        end = self._clock() + self._settings.stop_timeout
        while self._runs:
            now = self._clock()
            if now >= end:
                for run in self._runs.values():
                    run.end(now)
            if self._reap(interrupted=now >= end):
                self._save()
            if self._runs:
                sleep(_GLANCE)

    # ----------------------------------------------------------------------------------------------------------------

    def _take(self, document: Document) -> None:
        """Note what has changed, and start the commands. The state is written after that, because writing takes time.

        Whenever the watcher is killed, what is not yet in the file is found again, and what has not ended is repeated.
        """
        if self._kept is not None:
            events = [event.as_dict() for event in document.events]
            for phase, event_id in self._ledger.resume(self._kept.get("due", ()), events):
                self._log(INFO, f"{phase} of event {event_id} is over and not repeated")
            self._kept = None
        changes = self._watch.see(document)
        for change in changes:
            self._log(INFO, _describe(change.phase, change.event))
            if not self._ledger.add(change.phase, change.event):
                self._log(WARNING, f"more than {MOST_DUE} commands are due; none is run for this one")
        started = self._start()
        if changes or started:
            self._save()

    def _tend(self) -> None:
        if self._runs and self._reap():
            self._start()
            self._save()

    def _start(self) -> bool:
        """Start what can start; whether there was anything. What can't be started counts as ended."""
        found = self._kept is None and bool(self._ledger.startable())
        while self._kept is None:
            startable = self._ledger.startable()
            if not startable:
                break
            for due in startable:
                self._start_one(due)
        return found

    def _start_one(self, due: Due) -> None:
        settings = self._settings
        limit, now = settings.command_timeout, self._clock()
        try:
            run = self._run(settings.command, due.phase, due.event, self._observer.host, limit, now)
        except (OSError, ValueError) as error:
            self._log(ERROR, f"{_name(due)}: {settings.command[0]} can't be run: {error}")
            self._ledger.ended(due)
        else:
            due.running = True
            self._runs[due] = run

    def _reap(self, interrupted: bool = False) -> bool:
        """Take note of the commands that have ended; whether there were any.

        :param interrupted: the watcher itself ended them, so they stay due
        """
        found = False
        for due, run in list(self._runs.items()):
            how = run.ended(self._clock())
            if how is None:
                continue
            found = True
            del self._runs[due]
            if interrupted:
                self._log(WARNING, f"{_name(due)}: the command was interrupted, and will be repeated")
                continue
            self._ledger.ended(due)
            limit = f" after its limit of {self._settings.command_timeout:g} s" if run.timed_out else ""
            good = how == "exit status 0" and not run.timed_out
            self._log(INFO if good else ERROR, f"{_name(due)}: the command ended with {how}{limit}")
        return found

    def _read_state(self) -> dict[str, Any] | None:
        path = self._settings.state_file
        try:
            return state_file.read(path)
        except state_file.StateError as error:
            aside = state_file.set_aside(path)
            self._log(WARNING, f"{path}: {error}; it is now {aside}, and commands may be repeated")
            return None

    def _save(self) -> None:
        try:
            state_file.write(self._settings.state_file, {"watch": self._watch.state(), "due": self._ledger.as_json()})
            self._full = False
        except OSError as error:
            if not self._full:
                self._log(ERROR, f"{self._settings.state_file}: {error.strerror}; a restart may repeat commands")
            self._full = True


# Levels of syslog.
ERROR, WARNING, INFO = 3, 4, 6


def _name(due: Due) -> str:
    return f"{due.phase} of event {due.event['event_id']}"


def _describe(phase: str, event: dict[str, Any]) -> str:
    at = f", not before {event['not_before']}" if event["not_before"] else ""
    names = ", ".join(event["resources"][:5])
    return f"{phase}: {event['event_type']} of {names}{at}, event {event['event_id']}"
