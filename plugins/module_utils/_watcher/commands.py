# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the user's command is given. How it is run is up to the program, which the role of the watcher brings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

PREFIX = "AZURE_EVENT_"
# The system takes 128 KiB per variable. A longer value is left out; standard input has everything.
_LONGEST = 32 * 1024


def message(phase: str, event: Mapping[str, Any], host: str) -> dict[str, Any]:
    """What a command reads: the same that the event source gives to a rulebook."""
    return {"azure_scheduled_event": dict(event), "meta": {"phase": phase, "host": host}}


def variables(phase: str, event: Mapping[str, Any], host: str) -> dict[str, str]:
    """The same as environment variables: AZURE_EVENT_PHASE, AZURE_EVENT_HOST, and one for each key of the event.

    The key event_id becomes AZURE_EVENT_ID, resources AZURE_EVENT_RESOURCES. Lists are joined by commas, booleans are
    true or false, and null is empty.
    """
    found = {f"{PREFIX}PHASE": phase, f"{PREFIX}HOST": host}
    for name, value in event.items():
        text = _text(value).replace("\0", "")
        if len(text.encode("utf-8", "replace")) <= _LONGEST:
            found[PREFIX + name.removeprefix("event_").upper()] = text
    return found


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(map(_text, value))
    return str(value)


def environment(phase: str, event: Mapping[str, Any], host: str) -> dict[bytes, bytes]:
    """The environment of a command: the watcher's own, and the variables."""
    found = {name: value for name, value in os.environb.items() if not name.startswith(PREFIX.encode())}
    for name, value in variables(phase, event, host).items():
        found[name.encode()] = value.encode("utf-8", "replace")
    return found
