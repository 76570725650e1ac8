# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""/metadata/scheduledevents: what is going to happen to the VM, and the approval that lets it start now."""

from __future__ import annotations

import email.utils
import json
from typing import Any, Optional

from .. import errors, unevidenced
from ..checks import InvalidInputError, load_json
from ..event_kinds import INTRODUCED, KINDS, PREVIEW, VERSIONS
from ..message import JSON, Answer, Request
from .family import Call


def answer(call: Call) -> Answer:
    """The events, or what became of an approval. Dated by the clock of the events, which may be ahead."""
    found = _objection(call) or (_approve(call) if call.request.method == "POST" else _show(call))
    return found.with_header("Date", email.utils.formatdate(call.events.now(), usegmt=True))


def pause(call: Call) -> float:
    """Seconds until the answer: the first request has to wait until the service is switched on."""
    return 0.0 if _objection(call) or call.request.method == "POST" else call.events.delay(call.vm)


def needs_header(request: Request) -> bool:
    """The preview was there without the Metadata header."""
    return request.parameters().get("api-version") != PREVIEW


def _objection(call: Call) -> Optional[Answer]:
    if call.route:
        return errors.NOT_FOUND
    version = call.parameters.get("api-version", "")
    switches = call.vm.scheduled_events
    if version not in VERSIONS:
        return (
            unevidenced.ANSWERS["events_too_new"]
            if switches.get("unknown_version") == 404
            else errors.BAD_EVENTS_VERSION
        )
    return unevidenced.ANSWERS["events_too_new"] if version > switches.get("newest_version", VERSIONS[-1]) else None


def _show(call: Call) -> Answer:
    look = call.events.look(call.vm)
    version = call.parameters["api-version"]
    shown = [_event(event, version) for event in look.events if _is_known(event["type"], version)]
    # Not sorted, unlike everything else: the order of the keys is captured.
    document = {"DocumentIncarnation": look.incarnation, "Events": shown}
    body = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode(errors="replace")
    if not call.vm.scheduled_events.get("etag", True):
        return Answer(200, body)
    same = (call.request.header("If-None-Match") or "").strip().strip('"') == str(look.incarnation)
    return (Answer(304, b"") if same else Answer(200, body)).with_header("ETag", f'"{look.incarnation}"')


def _is_known(kind: str, version: str) -> bool:
    """Whether this version shows events of this type; one of a new type is shown by all."""
    return kind not in KINDS or KINDS[kind].since <= version


def _event(event: dict[str, Any], version: str) -> dict[str, Any]:
    before = "" if event["not_before"] is None else email.utils.formatdate(event["not_before"], usegmt=True)
    fields = {
        "EventId": event["id"],
        "EventStatus": event["status"],
        "EventType": event["type"],
        "ResourceType": "VirtualMachine",
        "Resources": [f"_{name}" if version == PREVIEW else name for name in event["resources"]],
        "NotBefore": before,
        "Description": event["description"],
        "EventSource": event["source"],
        "DurationInSeconds": event["duration"],
    }
    return {name: value for name, value in fields.items() if INTRODUCED.get(name, "") <= version}


def _approve(call: Call) -> Answer:
    ids = _ids(call.request.body)
    known = ids is not None and call.events.approve(call.vm, ids)
    result = Answer(200, b"", JSON) if known else unevidenced.ANSWERS["events_post"]
    call.events.note_post(call.vm, call.request.body, result.status)
    return result


def _ids(body: bytes) -> Optional[list[str]]:
    """The ids in ``{"StartRequests": [{"EventId": "..."}]}``, whatever the media type; None for anything else."""
    try:
        document = load_json("body", body)
    except InvalidInputError:
        return None
    requests = document.get("StartRequests") if isinstance(document, dict) else None
    if not isinstance(requests, list):
        return None
    ids = [request.get("EventId") if isinstance(request, dict) else None for request in requests]
    return [each for each in ids if isinstance(each, str)] if all(isinstance(each, str) for each in ids) else None
