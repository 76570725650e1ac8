# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What azure_imds_scheduled_events_info does, without anything of Ansible: detect, ask once, choose."""

from __future__ import annotations

from typing import Any

from ansible_collections.imds.azure.plugins.module_utils._imds import platform
from ansible_collections.imds.azure.plugins.module_utils._imds.reasons import REASONS, ImdsError

from . import terms
from .document import Document, soonest
from .options import Reading
from .selection import Selection
from .service import Service


def info(reading: Reading, selection: Selection) -> tuple[dict[str, Any], list[str], str]:
    """(the module's result, warnings, what went wrong if anything did). No answer is not an error here."""
    service = Service(reading)
    document: Document | None = None
    miss: ImdsError | None = None
    try:
        platform.require_azure(reading.settings)
        # Even where there are no events: callers with many hosts need the names to tell whom an event concerns. And
        # first, because an address that IMDS does not answer looks just like events that are being switched on.
        service.identify()
        document = service.read()
    except ImdsError as error:
        miss = error
    chosen = selection.choose(document.events) if document else []
    first = soonest(chosen)
    reason = miss.reason if miss else REASONS["ok"]
    result = {
        "available": miss is None,
        "reason": reason.code,
        "remedy": reason.remedy if miss else None,
        "vm_name": service.vm_name,
        "document_incarnation": document.incarnation if document else None,
        "events": [event.as_dict() for event in chosen],
        "soonest": first.as_dict() if first else None,
        "read_at": service.read_at if document else None,
        "clock": service.clock if document else None,
        "api_version": service.api_version,
        "attempts": service.client.attempts,
    }
    warnings = terms.doubts(reading.api_version) + service.client.long_waits()
    warnings += nameless(service, bool(document and document.events))
    return result, warnings, miss.message if miss else ""


def nameless(service: Service, events: bool) -> list[str]:
    """A warning where there are events, and nobody can tell whose they are."""
    if not events or service.vm_name is not None:
        return []
    return ["IMDS does not tell the name of this VM, so whether an event names it is unknown: mine is null."]
