# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._events.options import Reading
from ansible_collections.imds.azure.plugins.module_utils._events.service import Service
from ansible_collections.imds.azure.plugins.module_utils._imds import guest
from ansible_collections.imds.azure.plugins.module_utils._imds.options import Settings
from ansible_collections.imds.azure.plugins.module_utils._imds.reasons import ImdsError
from ansible_collections.imds.azure.tests.scenarios.imds.events import ID, NOW, VM, raw_document, raw_event
from ansible_collections.imds.azure.tests.scenarios.imds.world import (
    ADDRESS,
    ScriptedAnswer,
    World,
    failed,
    said,
    silence,
)

DATE = "Tue, 16 Mar 2021 00:43:46 GMT"
NAME = said(200, VM.encode(), content_type="text/plain; charset=utf-8")
EVENTS = said(200, raw_document(raw_event(), incarnation=2), date=DATE)
THROTTLED = b"Throttle Result: Too Many Requests"


@pytest.fixture(autouse=True)
def _no_other_addresses(monkeypatch: Any) -> None:
    monkeypatch.setattr(guest, "addresses", lambda: [ADDRESS])


def service(*answers: ScriptedAnswer, version: str = "2020-07-01", **settings: Any) -> tuple[Service, World]:
    world = World(answers)
    chosen = Settings(**settings)
    return Service(Reading(chosen, version, 130.0), world.client(chosen), now=lambda: 1_700_000_000.0), world


def targets(world: World) -> list[str]:
    return [request.target.removeprefix("/metadata/") for request in world.requests]


def test_the_name_of_the_vm_then_its_events() -> None:
    asked, world = service(NAME, EVENTS)
    asked.identify()
    document = asked.read()
    assert (asked.vm_name, document.incarnation, document.events[0].mine) == (VM, 2, True)
    assert targets(world) == [
        "instance/compute/name?api-version=2025-04-07&format=text",
        "scheduledevents?api-version=2020-07-01",
    ]
    assert all(request.headers["Metadata"] == "true" and request.body is None for request in world.requests)
    assert world.requests[1].at - world.requests[0].at >= 0.25
    assert asked.client.requests == 2


@pytest.mark.parametrize("answer", [said(404), said(400)], ids=["404", "400"])
def test_a_vm_without_a_name(answer: ScriptedAnswer) -> None:
    asked, _world = service(answer)
    asked.identify()
    assert asked.vm_name is None


def test_a_name_that_cannot_be_asked_is_an_error() -> None:
    asked, _world = service(said(403))
    with pytest.raises(ImdsError) as caught:
        asked.identify()
    assert caught.value.reason.code == "forbidden"


@pytest.mark.parametrize(
    ("headers", "clock", "read_at", "left"),
    [
        ({"date": DATE}, "imds", "2021-03-16T00:43:46Z", 900),
        ({}, "guest", "2023-11-14T22:13:20Z", NOW + 900 - 1_700_000_000),
        ({"date": "today"}, "guest", "2023-11-14T22:13:20Z", NOW + 900 - 1_700_000_000),
    ],
)
def test_time_is_that_of_the_answer(headers: dict[str, str], clock: str, read_at: str, left: int) -> None:
    asked, _world = service(said(200, raw_document(raw_event()), 0.01, **headers))
    (event,) = asked.read().events
    assert (asked.clock, asked.read_at, event.seconds_left) == (clock, read_at, left)


def test_only_the_first_answer_may_take_two_minutes() -> None:
    slow = ScriptedAnswer(EVENTS.result, after=120)
    asked, world = service(NAME, slow, EVENTS, silence())
    asked.identify()
    assert asked.read().incarnation == 2
    assert asked.read().incarnation == 2
    with pytest.raises(ImdsError) as caught:
        asked.read()
    assert caught.value.reason.code == "read_timeout"
    name, *reads = [request.timeout for request in world.requests[:4]]
    assert (name, reads[1:]) == (12.0, [12.0, 12.0])
    assert reads[0] == pytest.approx(130.0, abs=0.25)  # less the pause after the request before


def test_the_first_answer_may_take_as_long_as_the_timeout() -> None:
    asked, world = service(EVENTS, timeout=300)
    asked.read()
    assert world.requests[0].timeout == 132.0


@pytest.mark.parametrize("limit", [1.0, 50.0])
def test_a_limit_bounds_everything(limit: float) -> None:
    for answer in (silence(), said(503), said(410), failed("refused"), said(429)):
        asked, world = service(answer)
        with pytest.raises(ImdsError):
            asked.read(limit)
        assert world.now - 1000 <= limit


@pytest.mark.parametrize(
    ("answer", "waits"),
    [(said(503), [1]), (said(429, THROTTLED), [1]), (said(400, THROTTLED), [1]), (said(503, THROTTLED), [1])],
    ids=["503", "429", "400 with its words", "503 with its words"],
)
def test_trouble_passes(answer: ScriptedAnswer, waits: list[float]) -> None:
    asked, world = service(answer, EVENTS)
    assert asked.read().incarnation == 2
    assert [round(wait // 1) for wait in world.sleeps] == waits


@pytest.mark.parametrize(
    "refusal",
    [
        said(404, {"error": "Not found"}),
        said(400, b"BAD REQUEST"),
        said(400, {"error": "Bad request. api-version is invalid", "newest-versions": ["2020-07-01", "2019-08-01"]}),
    ],
    ids=["404", "400", "version error"],
)
def test_newest_falls_back_at_once_and_stays_there(refusal: ScriptedAnswer) -> None:
    asked, world = service(refusal, EVENTS, version="newest")
    asked.read()
    assert (asked.api_version, asked.client.attempts[0]["wait"]) == ("2020-07-01", None)
    asked.read()
    asked.approve([ID])
    versions = [target[-10:] for target in targets(world)]
    assert versions == ["2024-07-09", "2020-07-01", "2020-07-01", "2020-07-01"]


def test_newest_where_it_is_there() -> None:
    asked, world = service(EVENTS, said(404), EVENTS, version="newest")
    asked.read()
    assert asked.api_version == "2024-07-09"
    with pytest.raises(ImdsError):
        asked.read()
    assert {target[-10:] for target in targets(world)} == {"2024-07-09"}


@pytest.mark.parametrize("status", [403, 500, 429])
def test_newest_falls_back_for_no_other_reason(status: int) -> None:
    asked, world = service(said(status), version="newest")
    with pytest.raises(ImdsError):
        asked.read()
    assert {target[-10:] for target in targets(world)} == {"2024-07-09"}


def test_404_of_a_version_that_every_host_has_means_not_now() -> None:
    asked, world = service(said(404), EVENTS)
    assert asked.read().incarnation == 2
    assert world.sleeps == [1]


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"Events": [1]}', b"no", b"\xff"])
def test_an_answer_that_is_no_document_is_malformed(body: bytes) -> None:
    asked, _world = service(said(200, body))
    with pytest.raises(ImdsError) as caught:
        asked.read()
    assert caught.value.reason.code == "malformed"
    assert not asked.answered


def test_an_approval() -> None:
    asked, world = service(EVENTS, said(200))
    asked.read()
    asked.approve([ID, "b"])
    (request,) = world.requests[1:]
    assert request.target == "/metadata/scheduledevents?api-version=2020-07-01"
    assert request.body is not None
    assert json.loads(request.body) == {"StartRequests": [{"EventId": ID}, {"EventId": "b"}]}
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Metadata"] == "true"


@pytest.mark.parametrize("answer", [said(200), said(200, b"{}"), said(202), said(204)])
def test_any_success_approves(answer: ScriptedAnswer) -> None:
    asked, world = service(answer)
    asked.approve([ID])
    assert len(world.requests) == 1


@pytest.mark.parametrize("trouble", [said(503), said(429, THROTTLED), said(200, THROTTLED), silence(), failed("reset")])
def test_an_approval_is_tried_again(trouble: ScriptedAnswer) -> None:
    asked, world = service(trouble, said(200))
    asked.approve([ID])
    assert len(world.requests) == 2
    assert world.requests[0].body == world.requests[1].body


@pytest.mark.parametrize(("status", "code"), [(400, "rejected"), (404, "not_found"), (403, "forbidden")])
def test_a_refused_approval_is_not_tried_again(status: int, code: str) -> None:
    asked, world = service(said(status))
    with pytest.raises(ImdsError) as caught:
        asked.approve([ID])
    assert (caught.value.reason.code, len(world.requests)) == (code, 1)
