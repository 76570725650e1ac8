# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The key vaults of an emulator as one service; the tenants' documents are there, too."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Callable, Optional

from ..message import Answer, Request
from ..tokens.site import TenantSite
from ..vms import Vm
from . import access, answers
from .store import Vaults

SERVICE_VERSION = "1.9.2416.1"


class KeyVault:
    """Answers for all vaults."""

    def __init__(self, vaults: Vaults, site: TenantSite, clock: Callable[[], float]) -> None:
        self._vaults = vaults
        self._site = site
        self._clock = clock

    def answer(self, request: Request, _vm: Optional[Vm]) -> Answer:
        """What the service answers, with the headers that all its answers have."""
        published = self._site.answer(request, "https")
        if published:
            return published
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
