# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the modules for scheduled events, checked in one place. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.imds.azure.plugins.module_utils._imds.options import (
    OptionError,
    Settings,
    is_version,
    settings,
)

from . import terms
from .selection import LISTS, Selection, selection

APPROVED, APPEARED, GONE = "approved", "appeared", "gone"
REFUSE, ALLOW = "refuse", "allow"
# Seconds for the first answer: IMDS may take two minutes to switch the service on.
FIRST_TIMEOUT = 130.0
# Seconds to wait for what a state demands.
TIMEOUT = 300.0
# IMDS switches the service off where nobody has asked for a day.
_LONGEST_WAIT = 24 * 3600
POLL, _MOST_OFTEN, _MOST_RARELY = 5.0, 1, 60


class Reading:
    """How events are read. settings: how IMDS is asked; first_timeout: seconds for the first answer."""

    def __init__(self, settings: Settings, api_version: str, first_timeout: float) -> None:
        self.settings = settings
        self.api_version = api_version
        self.first_timeout = first_timeout


class DesiredState:
    """What the options ask for, and until when. timeout and poll in seconds."""

    def __init__(
        self, state: str, selection: Selection, others: str, timeout: float, poll: float, fail_on_timeout: bool
    ) -> None:
        self.state = state
        self.selection = selection
        self.others = others
        self.timeout = timeout
        self.poll = poll
        self.fail_on_timeout = fail_on_timeout


def reading(params: Mapping[str, Any]) -> Reading:
    """How to read, from a module's parameters.

    :raises OptionError: for a value that can't be used
    """
    version = params.get("api_version") or terms.DEFAULT
    if version != terms.NEWEST and not is_version(version):
        raise OptionError("api_version", f"{version!r} is neither {terms.NEWEST} nor a date such as {terms.DEFAULT}")
    # It is not for IMDS' other endpoints, which have other versions.
    chosen = settings({**params, "api_version": None})
    return Reading(chosen, version, _seconds(params, "first_timeout", FIRST_TIMEOUT, 0, 3600))


def desired_state(params: Mapping[str, Any]) -> DesiredState:
    """The desired state, from the parameters of azure_imds_scheduled_events. Its timeout is the deadline of everything.

    :raises OptionError: for a value that can't be used, or options that do not go together
    """
    state, meant = params["state"], selection(params)
    if state == APPROVED and meant.unrestricted:
        raise OptionError("event_ids", "give the events to approve, or select them by one of the filters")
    if state == GONE and meant.event_ids is None:
        raise OptionError("event_ids", "give the events that are to be gone")
    for name in LISTS:
        if state == APPEARED and params.get(name) == []:
            raise OptionError(name, "no event can appear that meets an empty list; leave it out")
    if state == GONE:
        # Who waits for an event by its id means this one, whatever has become of it.
        meant = Selection(event_ids=meant.event_ids, mine=False)
    fails = params.get("fail_on_timeout")
    return DesiredState(
        state,
        meant,
        params.get("others") or REFUSE,
        _seconds(params, "timeout", TIMEOUT, 0, _LONGEST_WAIT),
        _seconds(params, "poll", POLL, _MOST_OFTEN, _MOST_RARELY),
        state != APPEARED if fails is None else fails,
    )


def _seconds(params: Mapping[str, Any], name: str, default: float, least: float, most: float) -> float:
    value = params.get(name)
    try:
        seconds = default if value is None else float(value)
    except (TypeError, ValueError, OverflowError):
        seconds = -1.0
    if not least <= seconds <= most or not seconds:
        span = f"{least:g} to {most:g}" if least else f"more than 0 and at most {most:g}"
        raise OptionError(name, f"{value!r} is not a usable time; give {span} seconds")
    return seconds
