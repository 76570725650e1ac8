# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads a secret from a Key Vault with a token, under the deadline of the whole operation."""

from __future__ import annotations

import ssl
import time
from typing import Any, Callable

from ansible_collections.imds.azure.plugins.module_utils._imds import release

from . import https, vault
from .tokens import Token
from .vault import Answer, Location, Secret, VaultError

# Seconds for one try: a connection that hangs leaves time for another.
_TRY = 30.0
# (location, target, headers, what is trusted, timeout in seconds) -> answer; raises VaultError
Get = Callable[[Location, str, "dict[str, str]", ssl.SSLContext, float], Answer]


class VaultClient:
    """attempts: the log, with path, api_version, outcome, status, detail and wait of each.

    :param trusted: the CA certificates that may vouch for the vault
    :param remaining: seconds until the deadline
    """

    def __init__(
        self,
        place: Location,
        trusted: ssl.SSLContext,
        remaining: Callable[[], float],
        get: Get = https.get,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._place = place
        self._trusted = trusted
        self._get = get
        self._remaining = remaining
        self._sleep = sleep
        self.attempts: list[dict[str, Any]] = []

    def secret(self, path: str, token: Token) -> Secret:
        """The secret at a path (vault.path).

        :raises VaultError: with the reason if there is none
        """
        tries: dict[str, int] = {}
        while True:
            log: dict[str, Any] = {
                "path": path,
                "api_version": vault.API_VERSION,
                "outcome": "ok",
                "status": None,
                "detail": "HTTP 200",
                "wait": None,
            }
            self.attempts.append(log)
            answer: Answer | None = None
            try:
                answer = self._ask(path, token)
                log["status"] = answer.status
                return vault.read(answer, token.tenant_id)
            except VaultError as error:
                code = error.reason.code
                log.update(outcome=code, detail=error.detail)
                tries[code] = tries.get(code, 0) + 1
                retry_after = answer.headers.get("retry-after") if answer else None
                wait = vault.wait(code, tries[code], retry_after)
                if wait is None or wait >= self._remaining():
                    raise
                log["wait"] = wait
            self._sleep(wait)

    def _ask(self, path: str, token: Token) -> Answer:
        remaining = self._remaining()
        if remaining <= 0:
            raise VaultError("vault_unreachable", "the deadline leaves no time for a request")
        headers = {
            "Authorization": f"{token.token_type} {token.value}",
            "Accept": "application/json",
            "User-Agent": f"imds.azure/{release.VERSION}",
        }
        target = f"/{path}?api-version={vault.API_VERSION}"
        return self._get(self._place, target, headers, self._trusted, min(remaining, _TRY))
