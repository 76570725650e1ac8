# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scheduled events: api-versions, types with what is usual for them, and named scenarios. Pure data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# These are their own: most are not versions of the instance metadata. Oldest first.
VERSIONS: tuple[str, ...] = (
    "2017-03-01",
    "2017-08-01",
    "2017-11-01",
    "2019-01-01",
    "2019-04-01",
    "2019-08-01",
    "2020-07-01",
    "2024-07-09",
)
NEWEST: tuple[str, ...] = tuple(reversed(VERSIONS[-3:]))
# The preview needs no Metadata header, and names VMs with an underscore in front.
PREVIEW = VERSIONS[0]

# Field of an event -> the version that introduced it. Any other is always there.
INTRODUCED: dict[str, str] = {
    "Description": "2019-04-01",
    "EventSource": "2019-08-01",
    "DurationInSeconds": "2020-07-01",
}

UNKNOWN_DURATION = -1


@dataclass(frozen=True)
class Kind:
    """What is usual for a type of event: least notice, impact, and time from start to end, in seconds.

    ``since``: the version that introduced it; older ones do not show it.
    """

    notice: int
    duration: int
    gone_after: int
    description: str
    since: str = VERSIONS[0]
    source: str = "Platform"


KINDS: dict[str, Kind] = {
    "Freeze": Kind(15 * 60, 5, 5 * 60, "Host server is undergoing maintenance."),
    "Reboot": Kind(15 * 60, UNKNOWN_DURATION, 10 * 60, "Virtual machine is going to be restarted."),
    "Redeploy": Kind(10 * 60, UNKNOWN_DURATION, 10 * 60, "Virtual machine is going to be redeployed."),
    "Preempt": Kind(30, UNKNOWN_DURATION, 60, "Spot virtual machine is going to be evicted.", "2017-11-01"),
    "Terminate": Kind(5 * 60, UNKNOWN_DURATION, 60, "Virtual machine is going to be deleted.", "2019-01-01", "User"),
    "SpotRebalanceRecommendation": Kind(
        15 * 60, UNKNOWN_DURATION, 10 * 60, "Spot virtual machine is at a higher risk of eviction.", "2024-07-09"
    ),
}
# A type that is not known yet.
UNKNOWN_KIND = Kind(15 * 60, UNKNOWN_DURATION, 10 * 60, "")

# A stand-in for a name among resources: the VM itself, another one of its maintenance domain.
SELF, OTHER = "self", "other"

# Name -> events as `POST /events` takes them.
SCENARIOS: dict[str, tuple[dict[str, Any], ...]] = {
    "live-migration": (
        {"type": "Freeze", "description": "Virtual machine is being paused for a memory-preserving live migration."},
    ),
    "host-agent-update": ({"type": "Freeze", "duration": 9, "gone_after": 600},),
    "user-reboot": (
        {
            "type": "Reboot",
            "source": "User",
            "description": "Virtual machine is going to be restarted as requested by authorized user.",
        },
    ),
    "user-redeploy": (
        {
            "type": "Redeploy",
            "source": "User",
            "notice": 900,
            "description": "Virtual machine is going to be redeployed as requested by authorized user.",
        },
    ),
    "redeploy": ({"type": "Redeploy"},),
    "cancelled": ({"type": "Reboot", "cancel_after": 480},),
    "spot": ({"type": "Preempt"},),
    "spot-rebalance": ({"type": "SpotRebalanceRecommendation"},),
    "terminate-two": ({"type": "Terminate"}, {"type": "Terminate", "resources": [OTHER]}),
    "host-failure": (
        {"type": "Reboot", "status": "Started", "description": "Virtual machine has encountered a failure."},
    ),
    "reboot-becomes-freeze": ({"type": "Reboot", "becomes": {"type": "Freeze", "after": 300}},),
    "predicted-failure": (
        {
            "type": "Redeploy",
            "notice": 7 * 24 * 3600,
            "description": "Host server is undergoing emergency repair.",
        },
    ),
    "other-vm-only": ({"type": "Reboot", "resources": [OTHER]},),
    "shared": ({"type": "Reboot", "resources": [SELF, OTHER]},),
}
