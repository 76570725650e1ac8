# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an endpoint is to the rest of the emulator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Optional

from .. import errors, unevidenced
from ..attestation.documents import Documents
from ..event_store import Events
from ..identity_store import Identities
from ..message import Answer, Request
from ..tokens.tenant import Issuer
from ..vms import Vm


@dataclass(frozen=True)
class Call:
    """A request at its endpoint: ``route`` is the decoded path behind the endpoint's own, ``now`` Unix time."""

    request: Request
    vm: Vm
    route: tuple[str, ...]
    parameters: dict[str, str]
    now: float
    documents: Documents
    events: Events
    identities: Identities
    issuer: Issuer


def _missing_header(request: Request) -> Answer:
    return errors.MISSING_HEADER_ON_HEAD if request.method == "HEAD" else errors.MISSING_HEADER


@dataclass(frozen=True)
class Family:
    """One endpoint: where it is, who answers, how it refuses, and which limit (`limiter.LIMITS`) it falls under.

    ``first``: an answer that comes before every rule. ``needs_header``: whether a request must have the Metadata
    header. ``pause``: seconds before the answer.
    """

    path: tuple[str, ...]
    answer: Callable[[Call], Answer]
    methods: tuple[str, ...] = ("GET",)
    bucket: str = "general"
    first: Callable[[Request], Optional[Answer]] = lambda _request: None
    needs_header: Callable[[Request], bool] = lambda _request: True
    pause: Callable[[Call], float] = lambda _call: 0.0
    missing_header: Callable[[Request], Answer] = _missing_header
    wrong_method: Callable[[Request], Answer] = lambda _request: unevidenced.ANSWERS["method"]
    throttled: Callable[[Request], Answer] = lambda _request: errors.THROTTLED
