# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The key vaults of an emulator as a service on an HTTPS port of its own; the tenants' documents are there, too."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace
from typing import Callable

from ..delivery import deliver
from ..faults import Fault, Faults
from ..log import RequestLog
from ..message import Answer, Request
from ..server import Channel
from ..tokens.site import TenantSite
from ..vms import Vms
from . import access, answers
from .store import Vaults

SERVICE_VERSION = "1.9.2416.1"


class KeyVault:
    """The server calls `exchange` and `malformed`."""

    def __init__(
        self, vaults: Vaults, vms: Vms, site: TenantSite, faults: Faults, log: RequestLog, clock: Callable[[], float]
    ) -> None:
        self._vaults = vaults
        self._vms = vms
        self._site = site
        self._faults = faults
        self._log = log
        self._clock = clock

    def exchange(self, request: Request, channel: Channel) -> None:
        """Answer one request, or do what a fault says instead."""
        vm = self._vms.find(request.source)
        entry = self._log.add(request, vm.name if vm else None, self._clock())
        published = self._site.answer(request, "https")
        if published:
            deliver(channel, published, entry, None)
            return
        fault = self._faults.take(request.path, vm.name if vm else "")
        if fault and fault.delay:
            time.sleep(fault.delay)
        deliver(channel, self._answer(request) if fault is None else self._scripted(request, fault), entry, fault)

    def malformed(self, request: Request, answer: Answer, channel: Channel) -> None:
        """Answer what the server could not read as a request."""
        deliver(channel, answer, self._log.add(request, None, self._clock()), None)

    def _scripted(self, request: Request, fault: Fault) -> Answer:
        if fault.answer is None:
            return self._answer(request)
        if fault.throttled:
            return replace(answers.THROTTLED, headers=fault.answer.headers)
        return replace(fault.answer, body=fault.answer.body * fault.repeat)

    def _answer(self, request: Request) -> Answer:
        vault = self._vaults.called(request.header("Host") or "")
        if vault is None:
            return answers.NO_VAULT
        answer = access.answer(vault, request, self._site.issuer.verified, self._clock())
        family = "InterNetworkV6" if ":" in request.source else "InterNetwork"
        kind = "Ipv6" if ":" in request.source else "Ipv4"
        echoed = request.header("x-ms-client-request-id")
        headers = [
            ("Cache-Control", "no-cache"),
            ("Pragma", "no-cache"),
            ("Expires", "-1"),
            *answer.headers,
            ("x-ms-keyvault-region", vault.location),
            *([("x-ms-client-request-id", echoed)] if echoed else []),
            ("x-ms-request-id", str(uuid.uuid4())),
            ("x-ms-keyvault-service-version", SERVICE_VERSION),
            ("x-ms-keyvault-network-info", f"conn_type={kind};addr={request.source};act_addr_fam={family};"),
            ("X-Content-Type-Options", "nosniff"),
            ("Strict-Transport-Security", "max-age=31536000;includeSubDomains"),
        ]
        return replace(answer, headers=tuple(headers))
