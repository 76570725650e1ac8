# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoints under /metadata: one file each, one row each in the table FAMILIES.

A handler is a pure function `Call -> Answer`. It is called only for requests that passed the rules in `routes.py`
and the limiter. A new endpoint is a new file beside these and one more row.
"""

from __future__ import annotations

from .. import errors, unevidenced
from . import attested, identity, instance, loadbalancer, scheduledevents, versions
from .family import Call, Family

__all__ = ["FAMILIES", "Call", "Family"]

# The first row whose path a request's path starts with answers it. Route names are matched in any case.
FAMILIES: tuple[Family, ...] = (
    Family(("instance",), instance.answer),
    Family(("versions",), versions.answer),
    Family(("attested",), attested.answer),
    Family(
        ("scheduledevents",),
        scheduledevents.answer,
        methods=("GET", "POST"),
        needs_header=scheduledevents.needs_header,
        pause=scheduledevents.pause,
        throttled=lambda _request: errors.EVENTS_THROTTLED,
    ),
    Family(
        ("loadbalancer",),
        loadbalancer.answer,
        wrong_method=lambda request: errors.loadbalancer("method", request),
        throttled=lambda request: errors.loadbalancer("throttled", request),
    ),
    Family(
        ("identity",),
        identity.answer,
        bucket="identity",
        first=identity.newer_protocol,
        missing_header=lambda _request: errors.IDENTITY_MISSING_HEADER,
        wrong_method=identity.wrong_method,
        throttled=lambda _request: unevidenced.ANSWERS["identity_throttled"],
    ),
    Family((), instance.answer_root),
)
