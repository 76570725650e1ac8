# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What became of events from one read to the next: new, updated, started, gone. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from .document import Document

NEW, UPDATED, STARTED, GONE = "new", "updated", "started", "gone"


class Absence:
    """Tells events that are gone from those that an answer merely lacks.

    An event is gone when two reads in a row lack it, or one whose incarnation has gone up. An incarnation that went
    down proves nothing: the service was off, and may not show all events yet.
    """

    def __init__(self, incarnation: int | None = None, missed: Collection[str] = ()) -> None:
        self.incarnation = incarnation
        self.missed = set(missed)

    def see(self, document: Document, keys: Collection[str]) -> set[str]:
        """Those of the keys that are gone by now."""
        before, now = self.incarnation, document.incarnation
        risen = before is not None and now is not None and now > before
        lacking = set(keys) - {event.key for event in document.events}
        gone = lacking if risen else lacking & self.missed
        self.incarnation, self.missed = now, lacking - gone
        return gone


class Change:
    """phase: NEW, UPDATED, STARTED or GONE; event: a dictionary as of Event.as_dict, of a gone one as last seen."""

    def __init__(self, phase: str, event: dict[str, Any]) -> None:
        self.phase = phase
        self.event = event


class Watch:
    """Reports each phase of each event once, also across restarts if its state is kept.

    An event that is first seen started is STARTED only: nobody had notice of it.

    :param state: what state() returned earlier, as JSON has it
    """

    def __init__(self, state: Mapping[str, Any] | None = None) -> None:
        state = state or {}
        self._absence = Absence(state.get("incarnation"), state.get("missed", ()))
        self._known: dict[str, dict[str, Any]] = dict(state.get("known", {}))

    def see(self, document: Document) -> list[Change]:
        """What has changed since the last document: first what is gone, then the others in IMDS' order."""
        changes = [
            Change(GONE, self._known.pop(key)["event"]) for key in sorted(self._absence.see(document, [*self._known]))
        ]
        for event in document.events:
            known = self._known.get(event.key)
            shown = event.as_dict()
            self._known[event.key] = {"fingerprint": event.fingerprint, "event": shown}
            if event.started and not (known and known["event"].get("event_status") == event.event_status):
                changes.append(Change(STARTED, shown))
            elif known is None:
                changes.append(Change(NEW, shown))
            elif known.get("fingerprint") != event.fingerprint:
                changes.append(Change(UPDATED, shown))
        return changes

    def state(self) -> dict[str, Any]:
        """What has been seen, fit for JSON and for a later Watch."""
        return {
            "incarnation": self._absence.incarnation,
            "missed": sorted(self._absence.missed),
            "known": {key: dict(seen) for key, seen in self._known.items()},
        }
