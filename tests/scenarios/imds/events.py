# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documents of scheduled events as IMDS sends them."""

from __future__ import annotations

from email.utils import formatdate
from typing import Any

NOW = 1_615_855_426  # Tue, 16 Mar 2021 00:43:46 GMT
VM = "vm1"
ID = "0A1B2C3D-4E5F-6071-8293-A4B5C6D7E8F9"
OTHER_ID = "11111111-2222-3333-4444-555555555555"


def raw_event(event_id: str = ID, notice: int | None = 900, **fields: Any) -> dict[str, Any]:
    """One event: by default a user's reboot of this VM in 15 minutes. notice None: it has started."""
    return {
        "EventId": event_id,
        "EventStatus": "Started" if notice is None else "Scheduled",
        "EventType": "Reboot",
        "ResourceType": "VirtualMachine",
        "Resources": [VM],
        "NotBefore": "" if notice is None else formatdate(NOW + notice, usegmt=True),
        "Description": "",
        "EventSource": "User",
        "DurationInSeconds": -1,
        **fields,
    }


def raw_document(*events: dict[str, Any], incarnation: int = 1) -> dict[str, Any]:
    return {"DocumentIncarnation": incarnation, "Events": list(events)}
