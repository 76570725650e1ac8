# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which events are meant: the filters that all programs of the collection share. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.imds.azure.plugins.module_utils._imds.options import OptionError

from . import terms
from .document import Event

_GUID = re.compile("[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
# Option -> the words that it may hold.
WORDS = {"event_types": terms.EVENT_TYPES, "sources": terms.SOURCES, "statuses": terms.STATUSES}
LISTS = (*WORDS, "event_ids")
# Seconds; IMDS announces a predicted failure of hardware about 7 days ahead.
LONGEST_WITHIN = 366 * 24 * 3600


class Selection:
    """Events that meet every filter. None is no filter; an empty list lets nothing through.

    :param mine: only events that name this VM
    :param within: only events that start within so many seconds, have started, or whose time is unknown
    """

    def __init__(
        self,
        event_types: Sequence[str] | None = None,
        sources: Sequence[str] | None = None,
        statuses: Sequence[str] | None = None,
        event_ids: Sequence[str] | None = None,
        mine: bool = True,
        within: int | None = None,
    ) -> None:
        self.event_types = event_types
        self.sources = sources
        self.statuses = statuses
        self.event_ids = None if event_ids is None else [each.lower() for each in event_ids]
        self.mine = mine
        self.within = within

    @property
    def unrestricted(self) -> bool:
        """Whether nothing but the VM decides what is meant."""
        filters = (self.event_types, self.sources, self.statuses, self.event_ids, self.within)
        return all(each is None for each in filters)

    @property
    def empty(self) -> bool:
        """Whether no event can be meant."""
        return any(each is not None and not each for each in (getattr(self, name) for name in LISTS))

    def matches(self, event: Event) -> bool:
        return (
            (event.mine is not False or not self.mine)
            and (self.event_types is None or event.event_type in self.event_types)
            and (self.sources is None or event.event_source in self.sources)
            and (self.statuses is None or event.event_status in self.statuses)
            and (self.event_ids is None or event.key in self.event_ids)
            and (self.within is None or event.seconds_left is None or event.seconds_left <= self.within)
        )

    def choose(self, events: Sequence[Event]) -> list[Event]:
        return [event for event in events if self.matches(event)]


def selection(params: Mapping[str, Any]) -> Selection:
    """A selection from options of these names; others are ignored, and so are unset ones.

    :raises OptionError: for an unknown word, an id that is not a GUID, or an unusable time
    """
    given = {name: params[name] for name in (*LISTS, "mine", "within") if params.get(name) is not None}
    for name in LISTS:
        for each in _texts(name, given.get(name, [])):
            if name in WORDS and each not in WORDS[name]:
                raise OptionError(name, f"{each!r} is not one of {', '.join(WORDS[name])}")
            if name not in WORDS and not _GUID.fullmatch(each):
                raise OptionError(name, f"{each!r} is not a GUID; give an event_id of azure_imds_scheduled_events_info")
    if not isinstance(given.get("mine", True), bool):
        raise OptionError("mine", f"{given['mine']!r} is neither true nor false")
    within = given.get("within", 0)
    if not isinstance(within, int) or not 0 <= within <= LONGEST_WITHIN:
        raise OptionError("within", f"{within!r} is not a usable time; give 0 to {LONGEST_WITHIN} seconds")
    return Selection(**given)


def _texts(name: str, value: Any) -> Sequence[str]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(each, str) for each in value):
        raise OptionError(name, f"{value!r} is not a list of strings")
    return value
