# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What to do after an answer or an error: wait and try again, or stop, and with which reason. A pure table."""

from __future__ import annotations

import json
from collections.abc import Mapping

from .transport import Response


class Rule:
    """reason: key of REASONS; waits: seconds before each further try; jitter: share added at random."""

    def __init__(self, reason: str, waits: tuple[float, ...] = (), jitter: float = 0.0) -> None:
        self.reason = reason
        self.waits = waits
        self.jitter = jitter


RULES = {
    # answers
    "ok": Rule("ok"),
    "bad_version": Rule("bad_version"),  # the client steps down instead of waiting
    "rejected": Rule("rejected"),
    "forbidden": Rule("forbidden"),
    "missing": Rule("not_found"),
    "missing_root": Rule("not_found", (1, 2, 4)),
    "updating": Rule("updating", (10,) * 7),
    "throttled": Rule("throttled", (1, 2, 4, 8), jitter=0.25),
    "server_error": Rule("server_error", (1, 2, 4)),
    "intercepted": Rule("intercepted", (1,)),
    # errors, by the transport's kinds
    "malformed": Rule("malformed", (1,)),
    "too_large": Rule("too_large"),
    "refused": Rule("refused", (1, 2)),
    "no_route": Rule("no_route", (1, 2)),
    "route_prohibited": Rule("route_prohibited", (1, 2)),
    "connect_timeout": Rule("connect_timeout", (1, 2)),
    "read_timeout": Rule("read_timeout", (1, 2, 4)),
    "reset": Rule("refused", (1, 2, 4)),
}

# A status that means the same whatever the body says.
BY_STATUS = {
    200: "ok",
    401: "forbidden",
    403: "forbidden",
    405: "rejected",
    407: "intercepted",  # a proxy wants a password
    408: "server_error",
    410: "updating",
    421: "forbidden",  # the Metadata Security Protocol's agent can't tell who asks
    429: "throttled",
    511: "intercepted",  # a network wants a login
}


# How the Server header of IMDS and of its front end begins.
_SERVERS = ("imds", "microsoft-iis", "microsoft-httpapi")


def classify(response: Response, root: bool) -> str:
    """The RULES key for a response.

    :param root: every VM has this path, so 404 means "not now" rather than "not here"
    """
    if is_foreign(response):
        return "intercepted"
    if response.status in (400, 404) and _names_version(response.body):
        return "bad_version"
    if response.status == 404:
        return "missing_root" if root else "missing"
    if response.status in BY_STATUS:
        return BY_STATUS[response.status]
    if response.status >= 500:
        return "server_error"
    return "rejected" if response.status >= 400 else "intercepted"


def is_from_imds(response: Response) -> bool:
    """Whether IMDS, or its front end, says that the answer is its own."""
    return not is_foreign(response) and response.headers.get("server", "").lower().startswith(_SERVERS)


def is_foreign(response: Response) -> bool:
    """True for what IMDS never sends: a proxy's header or redirect, an HTML page other than its front end's."""
    if "via" in response.headers or "location" in response.headers:
        return True
    if b"Required metadata header not specified" in response.body[:1024]:
        return True  # we sent it, somebody took it off
    server = response.headers.get("server", "").lower()
    if server.startswith(_SERVERS):
        return False
    if server and response.status >= 400:
        return True  # a refusal or an error counts only from IMDS itself
    page = response.body[:256].lstrip().lower().startswith((b"<!doctype html", b"<html"))
    return page or "html" in response.headers.get("content-type", "").lower()


def _names_version(body: bytes) -> bool:
    text = body[:1024].lower()
    return b"newest-versions" in text or b"invalid version" in text or b"api-version is invalid" in text


def newest_versions(body: bytes) -> list[str]:
    """The versions that a version error offers, newest first; empty if it offers none."""
    try:
        offered = json.loads(body.decode("utf-8"))["newest-versions"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []
    named = [name for name in offered if isinstance(name, str) and len(name) == 10] if isinstance(offered, list) else []
    return sorted(named, reverse=True)


def wait(outcome: str, tries: int, retry_after: str | None = None, chance: float = 0.0) -> float | None:
    """Seconds to wait before the next try, or None to stop.

    :param outcome: key of RULES
    :param tries: how many times this outcome was seen, this one included
    :param retry_after: the header of that name, honoured if it is a number of seconds
    :param chance: random number from 0 to 1, for the jitter
    """
    rule = RULES[outcome]
    if tries > len(rule.waits):
        return None
    if rule.reason == "throttled" and retry_after and retry_after.isdecimal():
        return float(retry_after)
    return rule.waits[tries - 1] * (1 + rule.jitter * chance)


class Policy:
    """How a client takes answers: what each means, what may be told of it, and how long to wait after it.

    :param root: every VM has the path that is asked for
    """

    rules: Mapping[str, Rule] = RULES

    def __init__(self, root: bool) -> None:
        self._root = root

    def classify(self, response: Response) -> str:
        """The key of rules for a response."""
        return classify(response, self._root)

    def describe(self, response: Response) -> str:
        """What the log of attempts and messages say of a response."""
        text = response.body[:200].decode("utf-8", "replace").strip()
        return f"HTTP {response.status}" + (f": {text}" if response.status != 200 and text else "")

    def wait(self, outcome: str, tries: int, retry_after: str | None, chance: float, elapsed: float) -> float | None:
        """Seconds to wait before the next try, or None to stop; see wait.

        :param elapsed: seconds since the operation began
        """
        del elapsed  # here the number of tries decides
        return wait(outcome, tries, retry_after, chance)
