# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the control endpoint that plans scheduled events.

GET|POST|DELETE /events    all events, and what clients posted; add some (`event_spec.py` shows the objects); remove all
PATCH|DELETE /events/ID    postpone or change one; cancel it
"""

from __future__ import annotations

from typing import Any, Callable, Optional

from .checks import load_json
from .event_store import Events
from .message import Request

Method = Callable[[Request], Any]


class EventControl:
    """Methods by path. They raise InvalidInputError, and LookupError for an event that there is not."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self.routes: dict[str, dict[str, Method]] = {
            "/events": {
                "GET": lambda _request: events.as_json(),
                "POST": lambda request: events.add(_given(request)),
                "DELETE": lambda _request: {"deleted": events.clear()},
            },
        }

    def methods_of_one(self, segments: tuple[str, ...]) -> Optional[dict[str, Method]]:
        """The methods of /events/ID, None for another path."""
        if len(segments) != 2 or segments[0] != "events":
            return None
        return {
            "PATCH": lambda request: self._events.change(segments[1], _given(request)),
            "DELETE": lambda _request: self._events.cancel(segments[1]),
        }


def _given(request: Request) -> Any:
    return load_json("body", request.body)
