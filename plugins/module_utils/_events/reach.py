# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What azure_imds_scheduled_events does, without anything of Ansible: approve, or wait, under one deadline."""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.imds.azure.plugins.module_utils._imds.reasons import ImdsError

from . import approval, options
from .document import Document, Event
from .options import DesiredState
from .phases import Absence
from .polling import Poller

# How IMDS refuses an approval. That may mean that one of the events is gone, so the next look decides.
_REFUSED = ("rejected", "not_found", "bad_version")


class Outcome:
    """found: whether a matching event was there at the last look, or for approved at the first one.

    events: those that match, as last seen; approved: the ids that were approved, or in check mode would be;
    changed: whether that started anything; foreign: the events for whose other VMs the approval was refused; timed_out:
    whether the deadline came first; error: why IMDS could not be asked; unconfirmed: why the approval was not confirmed
    before the deadline; notes: what else there is to say.
    """

    def __init__(self) -> None:
        self.found = False
        self.changed = False
        self.timed_out = False
        self.incarnation: int | None = None
        self.events: list[Event] = []
        self.approved: list[str] = []
        self.foreign: list[Event] = []
        self.notes: list[str] = []
        self.error: ImdsError | None = None
        self.unconfirmed: ImdsError | None = None


def reach(desired: DesiredState, poller: Poller, check: bool) -> Outcome:
    """Reach the desired state.

    :param check: look once, send no approval, and wait for nothing
    """
    outcome = Outcome()
    if desired.selection.empty:
        outcome.notes.append("No event can match, because a filter is an empty list. Nothing was asked or sent.")
        return outcome
    states = {options.APPROVED: _approve, options.APPEARED: _await_appearance, options.GONE: _await_end}
    try:
        states[desired.state](desired, poller, check, outcome)
    except ImdsError as error:
        outcome.error = error
    if poller.trouble and not outcome.error:
        outcome.notes.append(f"The last answer is missing: {poller.trouble.message}")
    return outcome


def _look(poller: Poller, outcome: Outcome) -> Document | None:
    document = poller.look()
    if document:
        outcome.incarnation = document.incarnation
    return document


def _first(poller: Poller, outcome: Outcome) -> Document:
    """The first document that IMDS shows.

    :raises ImdsError: it shows none before the deadline
    """
    while True:
        document = _look(poller, outcome)
        if document:
            return document
        if not poller.pause() and poller.trouble:
            raise poller.trouble


def _await_appearance(desired: DesiredState, poller: Poller, check: bool, outcome: Outcome) -> None:
    document: Document | None = _first(poller, outcome)
    while True:
        if document:
            outcome.events = desired.selection.choose(document.events)
            outcome.found = bool(outcome.events)
        if outcome.found or check:
            return
        if not poller.pause():
            outcome.timed_out = True
            return
        document = _look(poller, outcome)


def _await_end(desired: DesiredState, poller: Poller, check: bool, outcome: Outcome) -> None:
    keys = set(desired.selection.event_ids or ())
    absence = Absence()
    document: Document | None = _first(poller, outcome)
    while True:
        if document:
            keys -= absence.see(document, keys)
            outcome.events = _updated(outcome.events, desired.selection.choose(document.events))
            outcome.found = any(event.key in keys for event in document.events)
        if not keys or check:
            return
        if not poller.pause():
            outcome.timed_out = True
            return
        document = _look(poller, outcome)


def _approve(desired: DesiredState, poller: Poller, check: bool, outcome: Outcome) -> None:
    document = _first(poller, outcome)
    plan = approval.plan(desired.selection, document.events)
    outcome.events, outcome.notes, outcome.found = plan.chosen, plan.notes, bool(plan.chosen)
    if plan.foreign and desired.others == options.REFUSE:
        outcome.foreign = plan.foreign
        return
    outcome.approved = _ids(plan.send)
    outcome.changed = bool(plan.send)
    if plan.send and not check:
        _Approval(desired, poller, outcome, plan.send, document.incarnation).run()


class _Approval:
    """One batch of events, approved until IMDS confirms it, and watched until all have started or are gone."""

    def __init__(
        self, desired: DesiredState, poller: Poller, outcome: Outcome, events: list[Event], incarnation: int | None
    ) -> None:
        self._desired = desired
        self._poller = poller
        self._outcome = outcome
        self._waiting = {event.key: event for event in events}
        self._absence = Absence(incarnation)
        self._confirmed = False
        self._trouble: ImdsError | None = None
        outcome.changed, outcome.approved = False, []

    def run(self) -> None:
        while True:
            refusal = None if self._confirmed else self._send()
            document = _look(self._poller, self._outcome)
            if document:
                before = len(self._waiting)
                self._see(document)
                if not self._waiting or self._became_foreign():
                    return
                if refusal and len(self._waiting) == before and not self._absence.missed:
                    raise refusal
            if not self._poller.pause():
                self._outcome.timed_out = True
                if not self._confirmed and self._trouble:
                    self._outcome.unconfirmed = self._trouble
                    self._outcome.notes.append(f"IMDS has not confirmed the approval: {self._trouble.message}")
                return

    def _send(self) -> ImdsError | None:
        """Approve all that wait, in one request; how IMDS refused it, if it did."""
        ids = _ids(self._waiting.values())
        try:
            self._poller.approve(ids)
        except ImdsError as error:
            self._trouble = error
            if error.reason.code in _REFUSED:
                return error
            if not self._poller.is_temporary(error):
                raise
        else:
            self._confirmed = self._outcome.changed = True
            self._outcome.approved = ids
        return None

    def _see(self, document: Document) -> None:
        """Take those off that have started or are gone."""
        outcome = self._outcome
        for key in sorted(self._absence.see(document, self._waiting)):
            event = self._waiting.pop(key)
            if not self._confirmed:
                outcome.notes.append(f"Event {event.event_id} was gone before IMDS confirmed its approval.")
        seen = [event for event in document.events if event.key in self._waiting]
        outcome.events = _updated(outcome.events, seen)
        for event in seen:
            self._waiting[event.key] = event
            if event.started:
                del self._waiting[event.key]
                # IMDS need not have confirmed it: an answer may get lost.
                outcome.changed = True
                outcome.approved += [each for each in _ids([event]) if each not in outcome.approved]

    def _became_foreign(self) -> bool:
        """Whether what is yet to be approved names other VMs by now."""
        if self._confirmed or self._desired.others != options.REFUSE:
            return False
        self._outcome.foreign = [event for event in self._waiting.values() if event.only_mine is not True]
        return bool(self._outcome.foreign)


def _ids(events: Iterable[Event]) -> list[str]:
    return [event.event_id for event in events if event.event_id]


def _updated(known: list[Event], seen: list[Event]) -> list[Event]:
    """The known events as they were seen last, then those that are new."""
    latest = {event.key: event for event in [*known, *seen]}
    return list(latest.values())
