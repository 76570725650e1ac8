# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads a message that a watcher has posted. Pure."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.imds.azure.plugins.module_utils._events import document, phases

PHASES = (phases.NEW, phases.UPDATED, phases.STARTED, phases.GONE)


class MessageError(ValueError):
    """It is no message of a watcher. The text says why, to whoever posted it."""


def parse(body: bytes) -> dict[str, Any]:
    """The message: {"azure_scheduled_event": the event, "meta": {"phase": ..., "host": ...}}, and nothing else.

    :raises MessageError: it is something else
    """
    try:
        given = json.loads(body.decode("utf-8"))
        # A rulebook can't take what Python reads beyond JSON.
        json.dumps(given, allow_nan=False, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise MessageError("the body is not JSON") from None
    event = given.get("azure_scheduled_event") if isinstance(given, dict) else None
    meta = given.get("meta") if isinstance(given, dict) else None
    if not isinstance(event, dict) or not isinstance(meta, dict):
        raise MessageError("the body is not an object with azure_scheduled_event and meta")
    if not isinstance(event.get("event_id"), str) or not isinstance(event.get("resources"), list):
        raise MessageError("azure_scheduled_event lacks event_id or resources")
    if meta.get("phase") not in PHASES:
        raise MessageError(f"meta.phase is not one of {', '.join(PHASES)}")
    if not isinstance(meta.get("host"), str) or not meta["host"]:
        raise MessageError("meta.host is not the name of a VM")
    # Keys that a rulebook relies on are there, whichever release posted this.
    known = {name: event.get(name) for name in document.KEYS}
    return {"azure_scheduled_event": {**known, **event}, "meta": {"phase": meta["phase"], "host": meta["host"]}}
