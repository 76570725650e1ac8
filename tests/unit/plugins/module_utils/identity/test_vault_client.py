# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading a secret: how often the vault is asked, and within which time."""

from __future__ import annotations

import json
import ssl
import traceback
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._identity.tokens import Token
from ansible_collections.imds.azure.plugins.module_utils._identity.vault import Answer, Location, VaultError
from ansible_collections.imds.azure.plugins.module_utils._identity.vault_client import VaultClient
from ansible_collections.imds.azure.tests.scenarios.identities import LIFE, NOW, VAULT, jwt

TOKEN = Token(jwt(), VAULT, NOW + LIFE)
PLACE = Location("v.vault.azure.net")
OK = Answer(200, {}, b'{"value": "hunter2"}')
BUSY = Answer(429, {}, b"{}")
BROKEN = Answer(503, {"retry-after": "3"}, b"{}")
NO_ROLE = Answer(403, {}, json.dumps({"error": {"innererror": {"code": "ForbiddenByRbac"}}}).encode())


class Site:
    """A vault that gives the answers of a list, the last one again and again, and a clock. Answers take a second."""

    def __init__(self, *answers: Answer | VaultError, limit: float = 90.0) -> None:
        self.answers = list(answers)
        self.now = 0.0
        self.limit = limit
        self.sleeps: list[float] = []
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.client = VaultClient(PLACE, ssl.create_default_context(), self.remaining, self.get, self.sleep)

    def remaining(self) -> float:
        return self.limit - self.now

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds

    def get(
        self, place: Location, target: str, headers: dict[str, str], _trusted: ssl.SSLContext, timeout: float
    ) -> Answer:
        assert place is PLACE
        assert 0 < timeout <= 30
        self.now += min(1.0, timeout)
        self.asked.append((target, headers))
        found = self.answers[min(len(self.asked), len(self.answers)) - 1]
        if isinstance(found, VaultError):
            raise found
        return found

    def failure(self) -> VaultError:
        with pytest.raises(VaultError) as caught:
            self.client.secret("secrets/db", TOKEN)
        told = "".join(traceback.format_exception(VaultError, caught.value, caught.value.__traceback__))
        assert TOKEN.value not in told + json.dumps(self.client.attempts)
        return caught.value


def test_one_request_with_the_token() -> None:
    site = Site(OK)
    assert site.client.secret("secrets/db", TOKEN).value == "hunter2"
    ((target, headers),) = site.asked
    assert target == "/secrets/db?api-version=7.4"
    assert headers["Authorization"] == f"Bearer {jwt()}"
    assert site.client.attempts == [
        {
            "path": "secrets/db",
            "api_version": "7.4",
            "outcome": "ok",
            "status": 200,
            "detail": "HTTP 200",
            "wait": None,
        }
    ]


@pytest.mark.parametrize(
    ("answers", "sleeps"),
    [((BUSY, BUSY, OK), [1, 2]), ((BROKEN, OK), [3]), ((VaultError("vault_unreachable", "x"), OK), [1])],
)
def test_what_may_pass_is_waited_for(answers: Any, sleeps: list[float]) -> None:
    site = Site(*answers)
    assert site.client.secret("secrets/db", TOKEN).value == "hunter2"
    assert site.sleeps == sleeps
    assert [attempt["outcome"] for attempt in site.client.attempts][-1] == "ok"


@pytest.mark.parametrize(
    ("answer", "code", "requests"),
    [
        (NO_ROLE, "vault_forbidden", 1),
        (BUSY, "vault_throttled", 5),
        (Answer(200, {}, b"<html>"), "vault_intercepted", 1),
        (VaultError("vault_untrusted", "x"), "vault_untrusted", 1),
        (VaultError("vault_not_found", "x"), "vault_not_found", 1),
    ],
)
def test_what_lasts_is_given_up(answer: Any, code: str, requests: int) -> None:
    site = Site(answer)
    assert site.failure().reason.code == code
    assert len(site.asked) == requests
    assert site.client.attempts[-1]["outcome"] == code
    assert site.client.attempts[-1]["wait"] is None


def test_the_deadline_comes_first() -> None:
    site = Site(BROKEN, limit=3.5)
    assert site.failure().reason.code == "vault_error"
    assert (len(site.asked), site.sleeps) == (1, [])
    late = Site(OK, limit=0)
    assert late.failure().reason.code == "vault_unreachable"
    assert late.asked == []
