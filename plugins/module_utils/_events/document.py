# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The document of /metadata/scheduledevents as typed events. Pure.

What this release does not know, or can't read, is kept and named in Event.unrecognized, never an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import dates, terms


class DocumentError(ValueError):
    """The answer is not a document of scheduled events."""


class Event:
    """One event, with the keys of the modules' results. A key is None where the API version lacks its field.

    event_id, event_type, event_status, resource_type, description, event_source: as received. resources: names of VMs.
    mine: whether this VM is among them; only_mine: whether no other is; both None where the VM's name is unknown.
    not_before: ISO 8601 in UTC; not_before_raw: as received. seconds_left: whole seconds until not_before, negative
    once it has passed; None for what has started, or whose time is unknown. duration: seconds, None where unknown;
    duration_raw: as received. unrecognized: the keys whose values this release does not know or can't read.
    """

    def __init__(self, raw: Mapping[str, Any], now: float, vm_name: str | None, api_version: str) -> None:
        self.unrecognized: list[str] = []
        self.event_id = self._text(raw, "EventId", "event_id", required=True)
        self.event_type = self._word(raw, "EventType", "event_type", terms.EVENT_TYPES, required=True)
        self.event_status = self._word(raw, "EventStatus", "event_status", terms.STATUSES, required=True)
        self.resource_type = self._text(raw, "ResourceType", "resource_type")
        self.resources = self._names(raw.get("Resources"), api_version)
        self.mine: bool | None = None
        self.only_mine: bool | None = None
        self.tell_apart(vm_name)
        self.not_before_raw = self._text(raw, "NotBefore", "not_before")
        at = dates.parse(self.not_before_raw) if self.not_before_raw else None
        if at is None and (self.not_before_raw or not self.started):
            self._doubt("not_before")
        self.not_before = None if at is None else dates.iso(at)
        self.seconds_left = None if at is None or self.started else int((at - now) // 1)
        self.description = self._text(raw, "Description", "description")
        self.event_source = self._word(raw, "EventSource", "event_source", terms.SOURCES)
        self.duration_raw = raw.get("DurationInSeconds")
        self.duration = self._duration()

    @property
    def key(self) -> str:
        """What tells this event from others, whatever the case of its id."""
        if self.event_id:
            return self.event_id.lower()
        return f"{self.event_type} {' '.join(sorted(self.resources))}".lower()

    def tell_apart(self, vm_name: str | None) -> None:
        """Say whose event it is, where the VM's name is known."""
        if vm_name is None:
            return
        ours = [name.lower() == vm_name.lower() for name in self.resources]
        self.mine = any(ours)
        # A name that can't be read is not known to be ours.
        self.only_mine = bool(ours) and all(ours) and "resources" not in self.unrecognized

    @property
    def started(self) -> bool:
        return self.event_status == terms.STARTED

    @property
    def fingerprint(self) -> list[Any]:
        """What changes when the event does, as JSON has it: the raw values without those that only count down."""
        return [
            self.event_type,
            self.event_status,
            self.not_before_raw,
            sorted(self.resources),
            self.duration_raw,
            self.event_source,
        ]

    def as_dict(self) -> dict[str, Any]:
        """All of it, as JSON has it; keys in the order of the documentation."""
        return {name: getattr(self, name) for name in KEYS}

    def _doubt(self, key: str) -> None:
        if key not in self.unrecognized:
            self.unrecognized.append(key)

    def _text(self, raw: Mapping[str, Any], name: str, key: str, required: bool = False) -> str | None:
        value = raw.get(name)
        if isinstance(value, str) and (value or not required):
            return value
        if required or value is not None:
            self._doubt(key)
        return None

    def _word(
        self, raw: Mapping[str, Any], name: str, key: str, known: tuple[str, ...], required: bool = False
    ) -> str | None:
        value = self._text(raw, name, key, required)
        if value is not None and value not in known:
            self._doubt(key)
        return value

    def _names(self, value: Any, api_version: str) -> list[str]:
        names = [name for name in value if isinstance(name, str) and name] if isinstance(value, list) else []
        if not names or len(names) != len(value):
            self._doubt("resources")
        if api_version == terms.PREVIEW:
            return [name[1:] if name.startswith("_") else name for name in names]
        return names

    def _duration(self) -> int | None:
        raw = self.duration_raw
        whole = isinstance(raw, int) and not isinstance(raw, bool)
        if raw is None or (whole and raw == -1):
            return None
        if whole and raw >= 0:
            return int(raw)
        self._doubt("duration")
        return None


KEYS = (
    "event_id",
    "event_type",
    "event_status",
    "resource_type",
    "resources",
    "mine",
    "only_mine",
    "not_before",
    "not_before_raw",
    "seconds_left",
    "description",
    "event_source",
    "duration",
    "duration_raw",
    "unrecognized",
)


class Document:
    """events: in IMDS' order; incarnation: changes with them, and starts over after the service was off."""

    def __init__(self, incarnation: int | None, events: list[Event]) -> None:
        self.incarnation = incarnation
        self.events = events

    def find(self, event_id: str) -> Event | None:
        """The event with this id, whatever its case."""
        return next((event for event in self.events if event.event_id and event.key == event_id.lower()), None)


def parse(content: Any, now: float, vm_name: str | None = None, api_version: str = terms.DEFAULT) -> Document:
    """The typed document.

    :param content: the parsed JSON of the answer
    :param now: Unix seconds, from the answer's Date header where it has one: the guest's clock may be wrong
    :param vm_name: compute.name of the VM whose events are "mine"; None if unknown. Its hostname may differ.
    :param api_version: the version that was asked for
    :raises DocumentError: if the content is something else
    """
    events = content.get("Events") if isinstance(content, Mapping) else None
    if not isinstance(events, list) or not all(isinstance(event, Mapping) for event in events):
        raise DocumentError("the answer has no list Events of objects")
    incarnation = content.get("DocumentIncarnation")
    known = isinstance(incarnation, int) and not isinstance(incarnation, bool)
    typed = [Event(event, now, vm_name, api_version) for event in events]
    return Document(incarnation if known else None, typed)


def soonest(events: list[Event]) -> Event | None:
    """The scheduled event that starts first; None if no event is scheduled for a known time."""
    timed = [event for event in events if event.seconds_left is not None]
    return min(timed, key=lambda event: event.seconds_left or 0, default=None)
