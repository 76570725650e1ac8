# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A world for the client: its own clock, and an IMDS that gives the answers of a list."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from ansible_collections.imds.azure.plugins.module_utils._imds.client import Client
from ansible_collections.imds.azure.plugins.module_utils._imds.options import Settings
from ansible_collections.imds.azure.plugins.module_utils._imds.transport import Response, TransportError

ADDRESS = "10.0.0.4"
SERVER = {"server": "IMDS/150.870.65.1854", "content-type": "application/json; charset=utf-8"}


class ScriptedAnswer(NamedTuple):
    """What comes after so many seconds: a response, or an error."""

    result: Response | TransportError
    after: float = 0.01


class Request(NamedTuple):
    at: float
    target: str
    source: str | None
    headers: dict[str, str]
    body: bytes | None = None
    timeout: float = 0.0


class World:
    """answers: one after the other, the last one again and again. A client's get, post, clock and sleep."""

    def __init__(self, answers: Iterable[ScriptedAnswer]) -> None:
        self.now = 1000.0
        self.answers = list(answers)
        self.requests: list[Request] = []
        self.sleeps: list[float] = []
        self.marks: list[int | None] = []

    def client(self, settings: Settings | None = None) -> Client:
        return Client(settings or Settings(), self.get, self.clock, self.sleep, post=self.post)

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.sleeps.append(seconds)
        self.now += seconds

    def get(
        self,
        _address: tuple[str, int],
        target: str,
        headers: dict[str, str],
        connect_timeout: float,
        read_timeout: float,
        timeout: float,
        source: str | None = None,
        mark: int | None = None,
    ) -> Response:
        """Keeps the promise of transport.get: no longer than timeout, and than the other two together."""
        return self._exchange(target, headers, None, connect_timeout, read_timeout, timeout, source, mark)

    def post(
        self,
        _address: tuple[str, int],
        target: str,
        headers: dict[str, str],
        body: bytes,
        connect_timeout: float,
        read_timeout: float,
        timeout: float,
        source: str | None = None,
        mark: int | None = None,
    ) -> Response:
        """As get."""
        return self._exchange(target, headers, body, connect_timeout, read_timeout, timeout, source, mark)

    def _exchange(
        self,
        target: str,
        headers: dict[str, str],
        body: bytes | None,
        connect_timeout: float,
        read_timeout: float,
        timeout: float,
        source: str | None,
        mark: int | None,
    ) -> Response:
        assert min(connect_timeout, read_timeout, timeout) > 0
        self.marks.append(mark)
        limit = min(connect_timeout + read_timeout, timeout)
        self.requests.append(Request(self.now, target, source, headers, body, limit))
        result, after = self.answers[min(len(self.requests), len(self.answers)) - 1]
        self.now += min(after, limit)
        if after > limit:
            raise TransportError("read_timeout", "no complete answer", source or ADDRESS, silent=True)
        if isinstance(result, TransportError):
            raise result
        return result


def said(status: int, body: Any = b"", after: float = 0.01, **headers: str) -> ScriptedAnswer:
    """body: bytes, or what is to be sent as JSON; header names with underscores."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ScriptedAnswer(Response(status, {**SERVER, **named}, content, ADDRESS), after)


def failed(kind: str, after: float = 0.01) -> ScriptedAnswer:
    """A transport error that no silence is behind."""
    return ScriptedAnswer(TransportError(kind, f"as told: {kind}", ADDRESS), after)


def silence() -> ScriptedAnswer:
    """A connection, and then nothing, for longer than anybody waits."""
    return ScriptedAnswer(TransportError("read_timeout", "never"), after=1e9)


def version_error(*newest: str) -> ScriptedAnswer:
    return said(
        400, {"error": "Bad request. api-version is invalid or was not specified", "newest-versions": [*newest]}
    )


DOCUMENT = {"compute": {"name": "web-1", "vmId": "8e0d3a54-6a3c-4b0e-9a43-5f6f3c1f0e77"}, "network": {"interface": []}}
OK = said(200, DOCUMENT)
