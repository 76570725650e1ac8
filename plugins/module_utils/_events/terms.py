# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words and API versions of scheduled events. Pure."""

from __future__ import annotations

EVENT_TYPES = ("Freeze", "Reboot", "Redeploy", "Preempt", "Terminate", "SpotRebalanceRecommendation")
# A type that nobody can start.
ADVICE = EVENT_TYPES[-1]
SCHEDULED, STARTED = "Scheduled", "Started"
STATUSES = (SCHEDULED, STARTED)
SOURCES = ("Platform", "User")

# They have API versions of their own: most are not versions of the instance metadata. Oldest first.
VERSIONS = (
    "2017-03-01",
    "2017-08-01",
    "2017-11-01",
    "2019-01-01",
    "2019-04-01",
    "2019-08-01",
    "2020-07-01",
    "2024-07-09",
)
# In the preview, names in Resources began with an underscore.
PREVIEW = VERSIONS[0]
# The newest version that every host has.
DEFAULT = "2020-07-01"
# The word for the newest version that this release was tested with, or DEFAULT where the host does not have it yet.
NEWEST = "newest"


def ladder(api_version: str) -> tuple[str, ...]:
    """The versions to try for a value of the option api_version, in this order."""
    return (VERSIONS[-1], DEFAULT) if api_version == NEWEST else (api_version,)


def doubts(api_version: str) -> list[str]:
    """What to warn of for a value of the option api_version: nothing, or that this release does not know it."""
    if api_version == NEWEST or api_version in VERSIONS:
        return []
    return [f"api_version: this release does not know {api_version} of scheduled events; IMDS was asked for it anyway."]
