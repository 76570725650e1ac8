# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What azure_imds_scheduled_events does, without anything of Ansible, as its result and its messages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.imds.azure.plugins.module_utils._imds import platform
from ansible_collections.imds.azure.plugins.module_utils._imds.reasons import REASONS, ImdsError

from . import options, terms
from .document import Event
from .info import nameless
from .options import DesiredState, Reading
from .polling import Poller
from .reach import Outcome, reach
from .service import Service, start_requests

_FAILED = {
    options.APPROVED: "The approval failed",
    options.APPEARED: "Waiting for an event failed",
    options.GONE: "Waiting for the end of the event failed",
}


def act(
    reading: Reading, desired: DesiredState, check: bool, poller: Poller | None = None
) -> tuple[dict[str, Any], list[str], str]:
    """(the module's result, warnings, what went wrong if the module is to fail)."""
    poller = poller or Poller(Service(reading), desired.timeout, reading.first_timeout, desired.poll)
    service = poller.service
    try:
        platform.require_azure(reading.settings)
        outcome = reach(desired, poller, check)
    except ImdsError as error:
        outcome = Outcome()
        outcome.error = error
    miss = outcome.error or outcome.unconfirmed
    reason = miss.reason if miss else REASONS["ok"]
    result = {
        "changed": outcome.changed,
        "found": outcome.found,
        "timed_out": outcome.timed_out,
        "events": [event.as_dict() for event in outcome.events],
        "approved": outcome.approved,
        "request": start_requests(outcome.approved) if outcome.approved else None,
        "notes": outcome.notes,
        "reason": reason.code,
        "remedy": reason.remedy if miss else None,
        "vm_name": service.vm_name,
        "document_incarnation": outcome.incarnation,
        "read_at": service.read_at,
        "clock": service.clock,
        "api_version": service.api_version,
        "waited": round(poller.elapsed, 1),
        "requests": service.client.requests,
        "attempts": service.client.attempts,
    }
    warnings = terms.doubts(reading.api_version) + nameless(service, bool(outcome.events))
    return result, warnings, _problem(desired, outcome)


def _problem(desired: DesiredState, outcome: Outcome) -> str:
    if outcome.foreign:
        return (
            f"An approval starts an event for all VMs that it names, and these name others: {_list(outcome.foreign)}. "
            "Nothing was approved. If that is intended, set others to allow."
        )
    if outcome.error:
        return f"{_FAILED[desired.state]}: {outcome.error.message} {outcome.error.reason.remedy}"
    if not outcome.timed_out or not desired.fail_on_timeout:
        return ""
    within = f"within {desired.timeout:g} seconds"
    if desired.state == options.APPEARED:
        return f"No event appeared {within}."
    if desired.state == options.GONE:
        return f"Not all events were gone {within}. Last seen: {_list(outcome.events) or 'none of them'}."
    waiting = f"not all events started {within}: {_list(outcome.events)}."
    if outcome.unconfirmed:
        told = outcome.unconfirmed
        return f"IMDS did not confirm the approval, and {waiting} {told.message} {told.reason.remedy}"
    return f"IMDS confirmed the approval, but {waiting} Give it a longer timeout."


def _list(events: Iterable[Event]) -> str:
    return ", ".join(f"{event.event_type} {event.event_id} of {' and '.join(event.resources)}" for event in events)
