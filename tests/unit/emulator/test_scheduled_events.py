# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""/metadata/scheduledevents over real sockets: versions, life cycle, approval, and what the control endpoint plans."""

from __future__ import annotations

import email.utils
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from azure_imds_emulator import clock, event_kinds, event_store
from azure_imds_emulator.checks import InvalidInputError

PATH = "/metadata/scheduledevents"
NEWEST = "2020-07-01"
NOW = 1_615_855_426.0  # Tue, 16 Mar 2021 00:43:46 GMT
GUID = "0A1B2C3D-4E5F-6071-8293-A4B5C6D7E8F9"


class Events:
    """An emulator whose clock stands still until it is moved on."""

    def __init__(self, imds: Any) -> None:
        self.imds = imds

    def get(self, version: str = NEWEST, source: str = "", **headers: str) -> Any:
        return self.imds.get(f"{PATH}?api-version={version}", source, **headers)

    def seen(self, version: str = NEWEST, source: str = "") -> tuple[int, list[dict[str, Any]]]:
        """Incarnation and events."""
        document = self.get(version, source).json()
        return document["DocumentIncarnation"], document["Events"]

    def add(self, *given: Any, **event: Any) -> list[dict[str, Any]]:
        status, answer = self.imds.control("POST", "/events", list(given) if given else event)
        assert status == 200, answer
        return list(answer)

    def advance(self, seconds: float) -> None:
        assert self.imds.control("POST", "/clock", {"advance": seconds})[0] == 200

    def post(self, body: Any, source: str = "", version: str = NEWEST, media_type: str = "application/json") -> Any:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        head = (
            f"POST {PATH}?api-version={version} HTTP/1.1\r\nHost: imds\r\nMetadata: true\r\n"
            f"Content-Type: {media_type}\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        return self.imds.raw(head.encode() + content, source)

    def approve(self, *ids: str, source: str = "") -> int:
        return int(self.post({"StartRequests": [{"EventId": each} for each in ids]}, source).status)


VMS = [
    {"name": "web1", "sources": ["127.0.0.11"], "scheduled_events": {"domain": "web"}},
    {"name": "web2", "sources": ["127.0.0.12"], "scheduled_events": {"domain": "web"}},
    {"name": "alone", "sources": ["127.0.0.13"]},
]
WEB1, WEB2, ALONE = "127.0.0.11", "127.0.0.12", "127.0.0.13"


@pytest.fixture(name="launch")
def _launch(start: Callable[..., Any]) -> Callable[..., Events]:
    def launch(vms: Any = None, **switches: Any) -> Events:
        return Events(start(vms or [{"name": "vm1", "scheduled_events": switches}], clock=lambda: NOW))

    return launch


@pytest.fixture(name="events")
def _events(launch: Callable[..., Events]) -> Events:
    return launch()


@pytest.fixture(name="fleet")
def _fleet(launch: Callable[..., Events]) -> Events:
    return launch(VMS)


# --- bytes ----------------------------------------------------------------------------------------------------------


def test_nothing_is_planned(events: Events) -> None:
    reply = events.get()
    assert reply.body == b'{"DocumentIncarnation":1,"Events":[]}'
    assert reply.header("Content-Type") == "application/json; charset=utf-8"
    assert reply.header("ETag") == '"1"'


def test_an_event_byte_by_byte(events: Events) -> None:
    events.get()
    events.add(type="Reboot", id=GUID, source="User", description="")
    assert events.get().body == (
        b'{"DocumentIncarnation":2,"Events":[{"EventId":"' + GUID.encode() + b'","EventStatus":"Scheduled",'
        b'"EventType":"Reboot","ResourceType":"VirtualMachine","Resources":["vm1"],'
        b'"NotBefore":"Tue, 16 Mar 2021 00:58:46 GMT","Description":"","EventSource":"User","DurationInSeconds":-1}]}'
    )


@pytest.mark.parametrize(
    ("version", "fields"),
    [
        ("2017-03-01", 6),
        ("2017-08-01", 6),
        ("2017-11-01", 6),
        ("2019-01-01", 6),
        ("2019-04-01", 7),
        ("2019-08-01", 8),
        ("2020-07-01", 9),
        ("2024-07-09", 9),
    ],
)
def test_fields_of_each_version(events: Events, version: str, fields: int) -> None:
    events.add(type="Freeze")
    (event,) = events.seen(version)[1]
    names = ["EventId", "EventStatus", "EventType", "ResourceType", "Resources", "NotBefore", "Description"]
    assert list(event) == [*names, "EventSource", "DurationInSeconds"][:fields]
    assert event["Resources"] == ["_vm1" if version == "2017-03-01" else "vm1"]


@pytest.mark.parametrize(
    ("kind", "since"),
    [
        ("Freeze", "2017-03-01"),
        ("Reboot", "2017-03-01"),
        ("Redeploy", "2017-03-01"),
        ("Preempt", "2017-11-01"),
        ("Terminate", "2019-01-01"),
        ("SpotRebalanceRecommendation", "2024-07-09"),
        ("NobodyKnowsThisYet", "2017-03-01"),
    ],
)
def test_types_of_each_version(events: Events, kind: str, since: str) -> None:
    events.add(type=kind)
    for version in event_kinds.VERSIONS:
        shown = [event["EventType"] for event in events.seen(version)[1]]
        assert shown == ([kind] if version >= since else [])


def test_the_metadata_header(events: Events) -> None:
    for version in event_kinds.VERSIONS:
        reply = events.imds.raw(f"GET {PATH}?api-version={version} HTTP/1.1\r\n\r\n".encode())
        assert reply.status == (200 if version == "2017-03-01" else 400)
    assert b"Required metadata header not specified" in reply.body


@pytest.mark.parametrize("version", ["", "2021-02-01", "{latest}", "2020-07-02", "2025-04-07"])
def test_unknown_versions(launch: Callable[..., Events], version: str) -> None:
    reply = launch().get(version)
    assert reply.status == 400
    assert reply.json()["newest-versions"] == ["2024-07-09", "2020-07-01", "2019-08-01"]
    assert launch(unknown_version=404).get(version).status == 404


def test_a_host_that_lacks_the_newest_version(launch: Callable[..., Events]) -> None:
    events = launch(newest_version="2020-07-01")
    assert [events.get(version).status for version in event_kinds.VERSIONS[-2:]] == [200, 404]
    assert events.post({"StartRequests": []}, version="2024-07-09").status == 404


def test_verbs_and_routes(events: Events) -> None:
    for method in ("PUT", "DELETE", "PATCH", "HEAD"):
        assert events.imds.raw(f"{method} {PATH} HTTP/1.1\r\nMetadata: true\r\n\r\n".encode()).status == 405
    assert events.imds.get(f"{PATH}/x?api-version={NEWEST}").status == 404
    assert events.imds.get(f"/metadata/ScheduledEvents/?api-version={NEWEST}").status == 200


def test_etag(events: Events) -> None:
    for given in ('"1"', "1"):
        reply = events.get(If_None_Match=given)
        assert (reply.status, reply.body, reply.header("ETag")) == (304, b"", '"1"')
    assert events.get(If_None_Match='"0"').status == 200
    events.add(type="Reboot")
    assert events.get(If_None_Match='"1"').header("ETag") == '"2"'


def test_without_etag(launch: Callable[..., Events]) -> None:
    reply = launch(etag=False).get(If_None_Match='"1"')
    assert (reply.status, reply.header("ETag")) == (200, None)


def test_answers_are_dated_by_the_clock_of_the_events(events: Events) -> None:
    assert events.get().header("Date") == "Tue, 16 Mar 2021 00:43:46 GMT"
    events.advance(3600)
    assert events.get().header("Date") == "Tue, 16 Mar 2021 01:43:46 GMT"
    assert events.get().names.count("Date") == 1


def test_throttling(start: Callable[..., Any]) -> None:
    from azure_imds_emulator.limiter import Limiter

    events = Events(start(limiter=Limiter(lambda: 0.0)))
    replies = [events.get() for _ignored in range(6)]
    assert [reply.status for reply in replies] == [200] * 5 + [429]
    assert replies[-1].body == b"Throttle Result: Too Many Requests"


def test_faults_concern_it_like_any_path(events: Events) -> None:
    events.imds.fault(path=PATH, status=500, count=1)
    assert [events.get().status, events.get().status] == [500, 200]


# --- life cycle -----------------------------------------------------------------------------------------------------


def test_an_event_comes_starts_and_goes(events: Events) -> None:
    events.get()
    (added,) = events.add(type="Reboot")
    assert events.seen()[0] == 2
    events.advance(899)
    assert events.seen()[1][0]["EventStatus"] == "Scheduled"
    events.advance(1)
    incarnation, (started,) = events.seen()
    assert (incarnation, started["EventStatus"], started["NotBefore"]) == (3, "Started", "")
    assert started["EventId"] == added["id"]
    assert re.fullmatch("[0-9A-F-]{36}", added["id"])
    events.advance(600)
    assert events.seen() == (4, [])


@pytest.mark.parametrize(
    ("kind", "notice"), [("Freeze", 900), ("Reboot", 900), ("Redeploy", 600), ("Preempt", 30), ("Terminate", 300)]
)
def test_least_notice_of_each_type(events: Events, kind: str, notice: int) -> None:
    (added,) = events.add(type=kind)
    assert added["not_before"] == NOW + notice


def test_approval_starts_it_now(events: Events) -> None:
    events.get()
    (added,) = events.add(type="Reboot")
    assert events.approve(added["id"]) == 200
    incarnation, (started,) = events.seen()
    assert (incarnation, started["EventStatus"], started["NotBefore"]) == (3, "Started", "")
    assert events.approve(added["id"]) == 200, "also when it was approved before"
    assert events.seen()[0] == 3
    events.advance(600)
    assert events.seen()[1] == []
    assert events.approve(added["id"]) == 400, "what is gone is unknown"


def test_an_approved_event_may_take_a_while_to_start(events: Events) -> None:
    (added,) = events.add(type="Reboot", start_delay=20)
    events.approve(added["id"])
    assert events.seen()[1][0]["EventStatus"] == "Scheduled"
    events.advance(10)
    events.approve(added["id"])
    events.advance(10)
    assert events.seen()[1][0]["EventStatus"] == "Started", "a second approval postpones nothing"


@pytest.mark.parametrize("media_type", ["application/json", "application/x-www-form-urlencoded", "text/plain"])
def test_any_media_type_and_more_keys(events: Events, media_type: str) -> None:
    (added,) = events.add(type="Reboot")
    body = {"StartRequests": [{"EventId": added["id"].lower()}], "DocumentIncarnation": 2}
    reply = events.post(body, media_type=media_type)
    assert (reply.status, reply.body) == (200, b"")
    assert events.seen()[1][0]["EventStatus"] == "Started"


def test_several_are_approved_together_or_not_at_all(events: Events) -> None:
    first, second = (added["id"] for added in events.add({"type": "Reboot"}, {"type": "Freeze"}))
    assert events.approve(first, GUID) == 400
    assert {event["EventStatus"] for event in events.seen()[1]} == {"Scheduled"}
    assert events.approve(first, second) == 200
    assert {event["EventStatus"] for event in events.seen()[1]} == {"Started"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"StartRequests": {}}',
        b'{"StartRequests": ["x"]}',
        b'{"StartRequests": [{}]}',
        b'{"StartRequests": [{"EventId": 5}]}',
        b"[" * 100_000,
    ],
)
def test_malformed_approvals(events: Events, body: bytes) -> None:
    events.add(type="Reboot")
    assert events.post(body).status == 400
    assert events.seen()[1][0]["EventStatus"] == "Scheduled"


def test_no_start_request_is_no_error(events: Events) -> None:
    assert events.post({"StartRequests": []}).status == 200


def test_approvals_are_recorded(events: Events) -> None:
    (added,) = events.add(type="Reboot")
    events.approve(added["id"])
    events.post(b"{")
    posts = events.imds.control("GET", "/events")[1]["posts"]
    assert [(post["vm"], post["status"]) for post in posts] == [("vm1", 200), ("vm1", 400)]
    assert json.loads(posts[0]["body"]) == {"StartRequests": [{"EventId": added["id"]}]}
    assert posts[0]["time"] == NOW


# --- the service itself ---------------------------------------------------------------------------------------------


def test_the_first_call_takes_a_while(launch: Callable[..., Events], monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("azure_imds_emulator.emulator.time.sleep", pauses.append)
    events = launch(first_call_delay=120)
    for _ignored in range(3):
        events.get()
    events.get("1999-01-01")
    assert [pause for pause in pauses if pause] == [120.0]
    events.advance(24 * 3600 + 1)
    events.get()
    assert [pause for pause in pauses if pause] == [120.0] * 2, "after a day without calls it is off"


def test_the_incarnation_starts_over_when_the_service_was_off(events: Events) -> None:
    events.get()
    for _ignored in range(5):
        events.add(type="Redeploy", notice=10 * 24 * 3600)
    assert events.seen()[0] == 6
    events.imds.control("DELETE", "/events")
    assert events.seen()[0] == 11
    events.advance(24 * 3600)
    assert events.seen()[0] == 11
    events.advance(24 * 3600 + 1)
    assert events.seen() == (1, [])


def test_switching_off_sooner(launch: Callable[..., Events]) -> None:
    events = launch(disabled_after=60)
    events.get()
    events.add(type="Redeploy")
    events.add(type="Redeploy")
    events.imds.control("DELETE", "/events")
    events.advance(61)
    assert events.seen()[0] == 1


# --- maintenance domains --------------------------------------------------------------------------------------------


def test_a_domain_sees_the_same_and_one_approval_counts_for_all(fleet: Events) -> None:
    for source in (WEB1, WEB2, ALONE):
        fleet.get(source=source)
    (added,) = fleet.add(vm="web1", type="Reboot", resources=["web1", "web2"])
    assert fleet.seen(source=WEB1) == fleet.seen(source=WEB2)
    assert fleet.seen(source=WEB1)[1][0]["Resources"] == ["web1", "web2"]
    assert fleet.seen(source=ALONE) == (1, [])
    assert fleet.approve(added["id"], source=ALONE) == 400
    assert fleet.approve(added["id"], source=WEB2) == 200
    assert fleet.seen(source=WEB1)[1][0]["EventStatus"] == "Started"


def test_resources_are_named_as_in_the_instance_document(launch: Callable[..., Events]) -> None:
    events = launch([{"name": "a", "overrides": {"compute": {"name": "vmss_13"}}}])
    events.add({"type": "Reboot"}, {"type": "Freeze", "resources": ["a", "somebody"]})
    assert [event["Resources"] for event in events.seen()[1]] == [["vmss_13"], ["vmss_13", "somebody"]]


def test_a_new_list_of_vms_keeps_the_events(fleet: Events) -> None:
    fleet.add(vm="web1", type="Reboot")
    assert fleet.imds.control("PUT", "/vms", VMS[:2])[0] == 200
    assert len(fleet.seen(source=WEB2)[1]) == 1


# --- scenarios ------------------------------------------------------------------------------------------------------

# Scenario -> what is seen at each moment, after so many seconds: (type, status) of each event.
SCENARIOS: dict[str, dict[float, list[tuple[str, str]]]] = {
    "live-migration": {0: [("Freeze", "Scheduled")], 900: [("Freeze", "Started")], 1200: []},
    "host-agent-update": {0: [("Freeze", "Scheduled")], 900: [("Freeze", "Started")], 1499: [("Freeze", "Started")]},
    "user-reboot": {0: [("Reboot", "Scheduled")], 900: [("Reboot", "Started")], 1500: []},
    "user-redeploy": {0: [("Redeploy", "Scheduled")], 900: [("Redeploy", "Started")], 1500: []},
    "redeploy": {599: [("Redeploy", "Scheduled")], 600: [("Redeploy", "Started")], 1200: []},
    "cancelled": {479: [("Reboot", "Scheduled")], 480: [], 900: []},
    "spot": {29: [("Preempt", "Scheduled")], 30: [("Preempt", "Started")], 90: []},
    "spot-rebalance": {0: [("SpotRebalanceRecommendation", "Scheduled")]},
    "terminate-two": {0: [("Terminate", "Scheduled")] * 2, 300: [("Terminate", "Started")] * 2, 360: []},
    "host-failure": {0: [("Reboot", "Started")], 600: []},
    "reboot-becomes-freeze": {
        0: [("Reboot", "Scheduled")],
        300: [("Freeze", "Scheduled")],
        900: [("Freeze", "Started")],
    },
    "predicted-failure": {6 * 24 * 3600: [("Redeploy", "Scheduled")], 7 * 24 * 3600: [("Redeploy", "Started")]},
    "other-vm-only": {0: [("Reboot", "Scheduled")]},
    "shared": {0: [("Reboot", "Scheduled")], 900: [("Reboot", "Started")]},
}


def test_every_scenario_is_tested() -> None:
    assert set(SCENARIOS) == set(event_kinds.SCENARIOS)


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(fleet: Events, name: str) -> None:
    fleet.add(scenario=name, vm="web1")
    passed = 0.0
    for moment, expected in SCENARIOS[name].items():
        fleet.advance(moment - passed)
        passed = moment
        shown = fleet.seen("2024-07-09", WEB1)[1]
        assert [(event["EventType"], event["EventStatus"]) for event in shown] == expected, moment
        assert len({event["EventId"] for event in shown}) == len(shown)


@pytest.mark.parametrize(
    ("name", "resources"),
    [("other-vm-only", [["web2"]]), ("shared", [["web1", "web2"]]), ("terminate-two", [["web1"], ["web2"]])],
)
def test_scenarios_with_another_vm(fleet: Events, name: str, resources: list[list[str]]) -> None:
    fleet.add(scenario=name, vm="web1")
    assert [event["Resources"] for event in fleet.seen(source=WEB1)[1]] == resources
    (added, *_more) = fleet.add(scenario="other-vm-only", vm="alone")
    assert added["resources"] == ["another-vm"]


def test_fields_beside_a_scenario_replace_its_own(events: Events) -> None:
    events.add(scenario="user-reboot", notice=5, source="Platform")
    (event,) = events.seen()[1]
    assert (event["EventSource"], event["NotBefore"]) == ("Platform", "Tue, 16 Mar 2021 00:43:51 GMT")


def test_an_incarnation_that_skips_numbers(events: Events) -> None:
    events.get()
    events.add(type="Reboot", incarnation_step=2)
    assert events.seen()[0] == 3
    events.advance(900)
    assert events.seen()[0] == 5


# --- control endpoint -----------------------------------------------------------------------------------------------


def test_postponed_and_changed(events: Events) -> None:
    (added,) = events.add(type="Reboot")
    before = events.seen()[0]
    change = {"notice": 3600, "type": "Freeze", "duration": 9, "description": "x", "resources": ["a"]}
    status, changed = events.imds.control("PATCH", f"/events/{added['id'].lower()}", change)
    assert (status, changed["not_before"]) == (200, NOW + 3600)
    incarnation, (event,) = events.seen()
    assert incarnation == before + 1
    assert (event["EventId"], event["EventType"], event["DurationInSeconds"]) == (added["id"], "Freeze", 9)
    events.advance(3599)
    assert events.seen()[1][0]["EventStatus"] == "Scheduled"
    events.advance(1)
    status, answer = events.imds.control("PATCH", f"/events/{added['id']}", {"notice": 5, "type": "Reboot"})
    assert (status, answer["field"]) == (400, "notice")
    assert events.seen()[1][0]["EventType"] == "Freeze"


def test_cancelled(events: Events) -> None:
    events.get()
    (added,) = events.add(type="Reboot")
    assert events.imds.control("DELETE", f"/events/{added['id']}")[0] == 200
    assert events.seen() == (3, [])
    for method in ("DELETE", "PATCH"):
        status, answer = events.imds.control(method, f"/events/{added['id']}", {})
        assert (status, added["id"] in answer["error"]) == (404, True)


def test_all_at_once(fleet: Events) -> None:
    fleet.add({"scenario": "shared", "vm": "web1"}, {"type": "Freeze", "vm": "alone"})
    shown = fleet.imds.control("GET", "/events")[1]
    assert {name: len(domain["events"]) for name, domain in shown["domains"].items()} == {
        "domain web": 1,
        "vm alone": 1,
    }
    assert fleet.imds.control("DELETE", "/events") == (200, {"deleted": 2})
    assert fleet.imds.control("GET", "/clock") == (200, {"now": NOW, "ahead": 0.0})


def test_the_clock_stays_where_dates_can_name_it() -> None:
    ahead = clock.Clock(lambda: NOW)
    for _year in range(100):
        ahead.advance({"advance": clock.LONGEST})
    email.utils.formatdate(ahead(), usegmt=True)
    with pytest.raises(InvalidInputError, match="advance: would put the clock"):
        ahead.advance({"advance": 1})


BAD: dict[str, tuple[str, Any, str]] = {
    "no object": ("/events", 5, "event"),
    "nothing": ("/events", {}, "type"),
    "no type in a list": ("/events", [{"type": "Reboot"}, {}], "events[1].type"),
    "unknown field": ("/events", {"type": "Reboot", "when": 5}, "when"),
    "unknown scenario": ("/events", {"scenario": "earthquake"}, "scenario"),
    "type": ("/events", {"type": "Re boot"}, "type"),
    "id": ("/events", {"type": "Reboot", "id": "5"}, "id"),
    "id of two": ("/events", {"scenario": "terminate-two", "id": GUID}, "id"),
    "id twice": ("/events", [{"type": "Reboot", "id": GUID}, {"type": "Reboot", "id": GUID.lower()}], "id"),
    "vm": ("/events", {"type": "Reboot", "vm": "nobody"}, "vm"),
    "source": ("/events", {"type": "Reboot", "source": "Me"}, "source"),
    "status": ("/events", {"type": "Reboot", "status": "Completed"}, "status"),
    "notice": ("/events", {"type": "Reboot", "notice": -1}, "notice"),
    "duration": ("/events", {"type": "Reboot", "duration": 0.5}, "duration"),
    "resources": ("/events", {"type": "Reboot", "resources": []}, "resources"),
    "resource": ("/events", {"type": "Reboot", "resources": [5]}, "resources[0]"),
    "description": ("/events", {"type": "Reboot", "description": None}, "description"),
    "becomes": ("/events", {"type": "Reboot", "becomes": {"type": "Freeze"}}, "becomes.after"),
    "too many": ("/events", [{"type": "Reboot"}] * (event_store.MOST + 1), "events"),
    "clock": ("/clock", {}, "advance"),
    "clock back": ("/clock", {"advance": -1}, "advance"),
    "clock far": ("/clock", {"advance": 1e12}, "advance"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_names_the_field_and_changes_nothing(events: Events, name: str) -> None:
    path, given, field = BAD[name]
    status, answer = events.imds.control("POST", path, given)
    assert (status, answer["field"]) == (400, field), answer
    assert events.seen() == (1, [])


def test_the_number_of_events_is_bounded(events: Events) -> None:
    events.add(*[{"type": "Reboot"}] * event_store.MOST)
    assert events.imds.control("POST", "/events", {"type": "Reboot"})[0] == 400


@pytest.mark.parametrize(
    ("switches", "field"),
    [
        ({"domains": "a"}, "vms[0].scheduled_events.domains"),
        ({"domain": ""}, "vms[0].scheduled_events.domain"),
        ({"first_call_delay": -1}, "vms[0].scheduled_events.first_call_delay"),
        ({"newest_version": "2025-04-07"}, "vms[0].scheduled_events.newest_version"),
        ({"unknown_version": 500}, "vms[0].scheduled_events.unknown_version"),
        (5, "vms[0].scheduled_events"),
    ],
)
def test_bad_switches_name_the_field(events: Events, switches: Any, field: str) -> None:
    status, answer = events.imds.control("PUT", "/vms", [{"name": "a", "scheduled_events": switches}])
    assert (status, answer["field"]) == (400, field)
