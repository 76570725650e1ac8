# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scheduled events that come and go in an emulator, by a clock that only pauses move, and a host that looks at them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from ansible_collections.imds.azure.plugins.module_utils._events import act, options
from ansible_collections.imds.azure.plugins.module_utils._events.polling import Poller
from ansible_collections.imds.azure.plugins.module_utils._events.service import Service
from ansible_collections.imds.azure.plugins.module_utils._imds import transport
from ansible_collections.imds.azure.plugins.module_utils._imds.client import Client
from ansible_collections.imds.azure.plugins.module_utils._imds.transport import Response

from .events import ID, NOW
from .world import SERVER

PATH = "/metadata/scheduledevents"
DOMAIN = {"scheduled_events": {"domain": "web"}}
VMS = [{"name": "vm1", "sources": ["127.0.0.1"], **DOMAIN}, {"name": "vm2", "sources": ["127.0.0.2"], **DOMAIN}]


def answer(status: int, body: bytes = b"") -> Response:
    return Response(status, SERVER, body, "127.0.0.1")


class Life:
    """An emulator, and a host that looks at it.

    plans: what happens after so many seconds; refusals: what becomes of the next approvals, a response or an error that
    comes in place of IMDS' own. An error that is called lost comes after IMDS has taken the approval. delay: seconds
    that the next answer with events takes.
    """

    def __init__(self, start: Callable[..., Any]) -> None:
        self.now = float(NOW)
        self.plans: list[tuple[float, Callable[[], Any]]] = []
        self.refusals: list[Any] = []
        self.delay = 0.0
        self.posts = 0
        self.pauses: list[float] = []
        self.imds = start(VMS, clock=lambda: self.now)

    def at(self, seconds: float, what: Callable[[], Any]) -> None:
        self.plans.append((NOW + seconds, what))

    def add(self, **event: Any) -> None:
        assert self.imds.control("POST", "/events", {"id": ID, **event})[0] == 200

    def change(self, **event: Any) -> None:
        assert self.imds.control("PATCH", f"/events/{ID}", event)[0] == 200

    def cancel(self) -> None:
        assert self.imds.control("DELETE", f"/events/{ID}")[0] == 200

    def approved(self) -> list[list[str]]:
        """The batches that IMDS got."""
        bodies = [json.loads(post["body"]) for post in self.imds.control("GET", "/events")[1]["posts"]]
        return [[each["EventId"] for each in body["StartRequests"]] for body in bodies]

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        end = self.now + seconds
        for at, what in sorted((plan for plan in self.plans if plan[0] <= end), key=lambda plan: plan[0]):
            self.now = max(at, self.now)
            self.plans = [plan for plan in self.plans if plan[1] is not what]
            what()
        self.now = end

    def get(self, address: tuple[str, int], target: str, *arguments: Any, **named: Any) -> Response:
        if target.startswith(PATH):
            self.now, self.delay = self.now + self.delay, 0.0
        return transport.get(address, target, *arguments, **named)

    def post(self, *arguments: Any, **named: Any) -> Response:
        self.posts += 1
        if not self.refusals:
            return transport.post(*arguments, **named)
        refusal = self.refusals.pop(0)
        if isinstance(refusal, Response):
            return refusal
        if "lost" in str(refusal):  # it arrives, and only its answer does not
            transport.post(*arguments, **named)
        raise refusal

    @classmethod
    @contextmanager
    def begin(cls, start: Callable[..., Any]) -> Iterator[Life]:
        """A life with an emulator of its own. start: running_emulator.start"""
        with ExitStack() as stack:
            yield cls(lambda *args, **options: stack.enter_context(start(*args, **options)))

    def reach(self, state: str, check: bool = False, **params: Any) -> tuple[dict[str, Any], str]:
        """The module's result, and what it fails with."""
        result, _warnings, problem = self.run(check, state=state, **params)
        return result, problem

    def run(self, check: bool, **params: Any) -> tuple[dict[str, Any], list[str], str]:
        """The module's result, its warnings, and what it fails with."""
        params = {"endpoint": self.imds.url, "detect": "force", **params}
        desired = options.desired_state(params)
        reading = options.reading({**params, "timeout": None})
        client = Client(reading.settings, self.get, lambda: self.now, self.sleep, post=self.post)
        service = Service(reading, client, now=lambda: 0.0)
        poller = Poller(
            service, desired.timeout, reading.first_timeout, desired.poll, clock=lambda: self.now, sleep=self.sleep
        )
        return act.act(reading, desired, check, poller)
