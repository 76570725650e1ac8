# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which commands are still due: each phase of each event once, in order, and of one event one at a time. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

# Phases that are due at most. If commands take so long that there are more, later ones are left out.
MOST_DUE = 1000


class Due:
    """One phase of one event whose command has not ended yet.

    phase: new, updated, started or gone; event: the event as it was then; running: whether its command runs.
    """

    def __init__(self, phase: str, event: dict[str, Any]) -> None:
        self.phase = phase
        self.event = event
        self.running = False

    @property
    def event_id(self) -> str:
        return _key(self.event)


class Ledger:
    """What is due.

    :param phases: the phases that have a command
    :param at_once: how many commands may run at the same time
    """

    def __init__(self, phases: Container[str], at_once: int) -> None:
        self._phases = phases
        self._at_once = at_once
        self._due: list[Due] = []

    def __len__(self) -> int:
        return len(self._due)

    def add(self, phase: str, event: dict[str, Any]) -> bool:
        """Note that an event has reached a phase. False if so much is due already that this one is left out."""
        if phase not in self._phases:
            return True
        if len(self._due) >= MOST_DUE:
            return False
        self._due.append(Due(phase, event))
        return True

    def startable(self) -> list[Due]:
        """What may start now, in the order in which it became due. The caller marks what it starts as running."""
        busy = {due.event_id for due in self._due if due.running}
        found = []
        for due in self._due:
            if len(busy) >= self._at_once:
                break
            if due.event_id not in busy:
                busy.add(due.event_id)
                found.append(due)
        return found

    def ended(self, due: Due) -> None:
        """Note that a command has ended, however it did."""
        self._due.remove(due)

    def as_json(self) -> list[dict[str, Any]]:
        """What the state file keeps: everything that is due, running or not."""
        return [{"phase": due.phase, "event": due.event} for due in self._due]

    def resume(self, kept: Iterable[dict[str, Any]], now: Iterable[dict[str, Any]]) -> list[tuple[str, str]]:
        """Take up what was due when the watcher ended. To be called before the first `add`.

        A command that was interrupted makes sense only while its event is still in that phase: to drain a host after
        the reboot would do harm. Others are left out.

        :param kept: what `as_json` returned
        :param now: the events that there are
        :returns: phase and event ID of what is left out
        """
        status = {_key(event): event.get("event_status") for event in now}
        overtaken = []
        for item in kept:
            phase, event = item["phase"], item["event"]
            if phase in _phases_of(status.get(_key(event))):
                self.add(phase, event)
            else:
                overtaken.append((phase, str(event["event_id"])))
        return overtaken


def _phases_of(status: str | None) -> tuple[str, ...]:
    """The phases that an event with this status can be in; None for an event that is gone."""
    if status is None:
        return ("gone",)
    return ("started",) if status == "Started" else ("new", "updated")


def _key(event: dict[str, Any]) -> str:
    return str(event["event_id"]).lower()
