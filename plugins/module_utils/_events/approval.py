# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which events to approve, and why not the others. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from . import terms
from .document import Event
from .selection import Selection


class Plan:
    """chosen: the events that match; send: those to approve; foreign: those of them that name other VMs too.

    notes: a sentence for each event that matches but is not to be approved, and for each id that does not match.
    """

    def __init__(self, chosen: list[Event], send: list[Event], notes: list[str]) -> None:
        self.chosen = chosen
        self.send = send
        # Where names are unknown or unreadable, they may be those of others.
        self.foreign = [event for event in send if event.only_mine is not True]
        self.notes = notes


def plan(selection: Selection, events: Sequence[Event]) -> Plan:
    """What to approve of the events that IMDS shows."""
    chosen = selection.choose(events)
    named = selection.event_ids is not None or selection.event_types is not None
    objections = [(event, _objection(event, named)) for event in chosen]
    notes = [f"{_called(event)} is not approved: {objection}." for event, objection in objections if objection]
    notes += [_missing(event_id, events) for event_id in _absent(selection, chosen)]
    return Plan(chosen, [event for event, objection in objections if not objection], notes)


def _objection(event: Event, named: bool) -> str:
    """Why an event is not to be approved; empty if it is.

    :param named: the user has named it by id or by type
    """
    if event.started:
        return "it has started"
    if event.event_status != terms.SCHEDULED:
        return f"its status {event.event_status} is unknown to this release"
    if not event.event_id:
        return "it has no ID"
    if not named and "event_type" in event.unrecognized:
        return "its type is unknown to this release, so it has to be named in event_ids"
    if not named and event.event_type == terms.ADVICE:
        return "it is a recommendation, so it has to be named in event_types or event_ids"
    return ""


def _absent(selection: Selection, chosen: Sequence[Event]) -> list[str]:
    there = {event.key for event in chosen}
    return [event_id for event_id in dict.fromkeys(selection.event_ids or ()) if event_id not in there]


def _missing(event_id: str, events: Sequence[Event]) -> str:
    event = next((event for event in events if event.key == event_id), None)
    if event is None:
        return f"Event {event_id} is not there: it is over, was cancelled, or never was."
    if event.mine is False:
        return f"{_called(event)} is not approved: it names only {', '.join(event.resources)}, which mine leaves out."
    return f"{_called(event)} is not approved: it does not match the other filters."


def _called(event: Event) -> str:
    return f"{event.event_type or 'Event'} {event.event_id or ''}".rstrip()
