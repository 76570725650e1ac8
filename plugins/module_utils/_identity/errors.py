# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the answers to a request for a token mean, and what may be told of them. Pure.

An error of IMDS is told by its code and description; any other body is told by its size only, because a token could be
in it.
"""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.imds.azure.plugins.module_utils._imds import retry
from ansible_collections.imds.azure.plugins.module_utils._imds.retry import RULES as IMDS_RULES
from ansible_collections.imds.azure.plugins.module_utils._imds.retry import Policy, Rule
from ansible_collections.imds.azure.plugins.module_utils._imds.transport import Response

from .strict_json import read_object

# Seconds, as Microsoft's documentation of the endpoint says: five tries.
_BACKOFF = (2.0, 6.0, 14.0, 30.0)
# Seconds between two looks for an identity that is on its way.
_LOOK = 5.0

RULES = {
    **IMDS_RULES,
    "missing_root": Rule("not_found", _BACKOFF),
    "throttled": Rule("throttled", _BACKOFF, jitter=0.25),
    "server_error": Rule("server_error", _BACKOFF),
    "read_timeout": Rule("read_timeout", _BACKOFF),
    # Of these, the first two are waited for on request.
    "no_identity": Rule("no_identity"),
    "identity_unknown": Rule("identity_unknown"),
    "identity_ambiguous": Rule("identity_ambiguous"),
    "identity_refused": Rule("identity_refused"),
    "resource_unknown": Rule("resource_unknown"),
}
UNANSWERED = ("refused", "no_route", "route_prohibited", "connect_timeout", "read_timeout", "reset")

# What IMDS sends word for word; no other description is looked at.
_NOT_FOUND = "identity not found"
_SEVERAL = "multiple user assigned identities exist"

_UNKNOWN_RESOURCE = {500011, 50001, 65001}
_TOLD = 300
_TOKEN_LIKE = re.compile(r"[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}(?:\.[A-Za-z0-9_-]*)?|[A-Za-z0-9+=_-]{60,}")


class Problem:
    """An error of IMDS or of Entra ID. error and description are empty where the body has none.

    codes: the numbers of Entra ID's error, such as 500011 for AADSTS500011.
    """

    def __init__(self, error: str, description: str, codes: set[int]) -> None:
        self.error = error
        self.description = description
        self.codes = codes


def read(body: bytes) -> Problem:
    """The error in a body; one without words where there is none."""
    content = read_object(body)
    if content is None:
        return Problem("", "", set())
    error, description = _text(content.get("error")), _text(content.get("error_description"))
    listed = content.get("error_codes")
    codes = {code for code in listed if isinstance(code, int)} if isinstance(listed, list) else set()
    named = re.match(r"AADSTS([0-9]{1,9})\b", description)
    return Problem(error, description, codes | ({int(named[1])} if named else set()))


def redact(text: str) -> str:
    """The text without what looks like a token."""
    return _TOKEN_LIKE.sub("[redacted]", text)


def describe(response: Response) -> str:
    """Status, and the error if it is one of IMDS."""
    if response.status == 200:
        return "HTTP 200"
    problem = read(response.body)
    words = [redact(word) for word in (problem.error, problem.description) if word]
    if words:
        return f"HTTP {response.status}: {': '.join(words)[:_TOLD]}"
    return f"HTTP {response.status}" + (f" with {len(response.body)} bytes" if response.body else "")


def classify(response: Response, named: bool) -> str:
    """The key of RULES for a response.

    :param named: the identity was named
    """
    if response.status == 500 and response.headers.get("content-type", "").lower().startswith("text/plain"):
        return "server_error"  # IMDS restarts, and what is in front of it says so
    if response.status == 403 and b"unreachable" in response.body[:1024].lower():
        return "intercepted"  # Docker Desktop answers in its place
    general = retry.classify(response, root=True)
    if general not in ("rejected", "forbidden"):
        return general
    problem = read(response.body)
    description = problem.description.strip().lower()
    if description == _NOT_FOUND:
        return "identity_unknown" if named else "no_identity"
    if description.startswith(_SEVERAL):
        return "identity_ambiguous"
    if problem.error == "invalid_resource" or problem.codes & _UNKNOWN_RESOURCE:
        return "resource_unknown"
    if problem.error in ("unauthorized_client", "access_denied") or problem.codes:
        return "identity_refused"
    return general


class TokenPolicy(Policy):
    """How a client takes answers to a request for a token.

    :param named: the identity was named
    :param identity_wait: seconds to wait for an identity that is not known yet
    :param patient: ask again where nothing answers
    """

    rules = RULES

    def __init__(self, named: bool, identity_wait: float = 0.0, patient: bool = True) -> None:
        super().__init__(root=True)
        self._named = named
        self._identity_wait = identity_wait
        self._patient = patient

    def classify(self, response: Response) -> str:
        return classify(response, self._named)

    def describe(self, response: Response) -> str:
        return describe(response)

    def wait(self, outcome: str, tries: int, retry_after: str | None, chance: float, elapsed: float) -> float | None:
        """As documented for tokens; Retry-After is obeyed with every answer that is worth another try."""
        if outcome in ("no_identity", "identity_unknown"):
            rest = self._identity_wait - elapsed
            return min(_LOOK, rest) if rest > 0 else None
        rule = self.rules[outcome]
        if tries > len(rule.waits) or (outcome in UNANSWERED and not self._patient):
            return None
        if retry_after and retry_after.isdecimal() and len(retry_after) < 10:
            return float(retry_after)
        return rule.waits[tries - 1] * (1 + rule.jitter * chance)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
