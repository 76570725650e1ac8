# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._imds import client as client_module
from ansible_collections.imds.azure.plugins.module_utils._imds import guest, platform, retry, versions
from ansible_collections.imds.azure.plugins.module_utils._imds.options import Settings
from ansible_collections.imds.azure.plugins.module_utils._imds.paths import path
from ansible_collections.imds.azure.plugins.module_utils._imds.reasons import REASONS, ImdsError
from ansible_collections.imds.azure.tests.scenarios.imds.conversations import (
    ANYTHING,
    BAD_BODIES,
    MORE_VALUES,
    MOST_VALUES,
    OLD_STYLE,
    REJECTED,
    RETRIES,
)
from ansible_collections.imds.azure.tests.scenarios.imds.world import (
    ADDRESS,
    DOCUMENT,
    OK,
    ScriptedAnswer,
    World,
    failed,
    said,
    silence,
    version_error,
)
from hypothesis import given
from hypothesis import strategies as st

NEWEST = versions.LADDER[0]


@pytest.fixture(autouse=True)
def _any_machine(monkeypatch: Any) -> None:
    """The machine that the tests run on has no say."""
    monkeypatch.setattr(platform, "same_machine", lambda _vm_id: None)
    monkeypatch.setattr(guest, "addresses", lambda: [ADDRESS])


def asked_versions(world: World) -> list[str]:
    return [re.findall(r"api-version=([^&]*)", request.target)[0] for request in world.requests]


def failure(world: World, settings: Settings | None = None) -> tuple[str, Any]:
    client = world.client(settings)
    with pytest.raises(ImdsError) as caught:
        client.instance()
    assert client.requests == len(world.requests)
    return caught.value.reason.code, client


# --- the plain way --------------------------------------------------------------------------------------------------


def test_one_request_is_enough() -> None:
    world = World([OK])
    client = world.client()
    answer = client.instance()
    assert (answer.content, answer.api_version, answer.local_address) == (DOCUMENT, NEWEST, ADDRESS)
    assert [request.target for request in world.requests] == [f"/metadata/instance?api-version={NEWEST}"]
    assert world.sleeps == []
    assert client.attempts == [
        {"path": "instance", "api_version": NEWEST, "outcome": "ok", "status": 200, "detail": "HTTP 200", "wait": None}
    ]


def test_another_operation_has_its_own_deadline_and_keeps_the_pace() -> None:
    world = World([silence(), OK])
    client = world.client(Settings(timeout=10))
    with pytest.raises(ImdsError):
        client.instance()
    assert world.now == pytest.approx(1010.0)
    client.restart(Settings(timeout=5, read_timeout=3))
    assert client.elapsed == 0
    client.instance()
    assert world.requests[-1].timeout == 5
    assert client.requests == len(client.attempts) == len(world.requests)
    client.restart(Settings())
    client.instance()
    assert world.requests[-1].at - world.requests[-2].at == pytest.approx(client_module.PACE)


def test_requests_carry_the_metadata_header_and_an_id() -> None:
    world = World([said(500), OK])
    world.client().instance()
    first, second = (request.headers for request in world.requests)
    assert first["Metadata"] == "true"
    assert first["User-Agent"].startswith("imds.azure/")
    assert re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", first["x-ms-client-request-id"])
    assert first["x-ms-client-request-id"] != second["x-ms-client-request-id"]
    assert "x-forwarded-for" not in {name.lower() for name in first}


# --- retries --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RETRIES)
def test_what_lasts_is_given_up_after_the_tables_tries(name: str) -> None:
    answer, code, waits = RETRIES[name]
    world = World([answer])
    reason, client = failure(world)
    assert reason == code
    assert world.sleeps == waits
    assert [attempt["wait"] for attempt in client.attempts] == [*waits, None]


@pytest.mark.parametrize("name", [name for name in RETRIES if RETRIES[name][2]])
def test_what_passes_is_waited_for(name: str) -> None:
    answer, _code, waits = RETRIES[name]
    world = World([answer, OK])
    client = world.client()
    assert client.instance().content == DOCUMENT
    assert world.sleeps == waits[:1]
    assert [attempt["outcome"] for attempt in client.attempts][-1] == "ok"


def test_throttling_is_waited_out_with_jitter() -> None:
    world = World([said(429, b"Too many requests")])
    reason, _client = failure(world)
    assert reason == "throttled"
    assert len(world.sleeps) == 4
    assert all(base <= wait <= base * 1.25 for base, wait in zip([1, 2, 4, 8], world.sleeps))


@pytest.mark.parametrize(
    ("header", "sleeps", "reason"),
    [
        ("3", [3, 3, 3, 3], "throttled"),
        ("12", [12, 12], "throttled"),  # a third wait would end after the deadline
        ("31", [], "throttled"),
        ("9" * 500, [], "throttled"),
    ],
)
def test_retry_after_is_honoured_within_the_deadline(header: str, sleeps: list[float], reason: str) -> None:
    world = World([said(429, b"Too many requests", retry_after=header)])
    assert failure(world)[0] == reason
    assert world.sleeps == sleeps


def test_retry_after_0_is_paced() -> None:
    world = World([said(429, b"Too many requests", retry_after="0")])
    client = world.client()
    with pytest.raises(ImdsError):
        client.instance()
    gaps = [later.at - earlier.at for earlier, later in zip(world.requests, world.requests[1:])]
    assert gaps == pytest.approx([client_module.PACE] * 4)


def test_each_outcome_has_its_own_tries() -> None:
    world = World([said(500), failed("refused"), said(500), failed("refused"), said(500), OK])
    assert world.client().instance().content == DOCUMENT
    assert world.sleeps == [1, 1, 2, 2, 4]


# --- the deadline ---------------------------------------------------------------------------------------------------


def test_silence_ends_with_the_deadline() -> None:
    world = World([silence()])
    assert failure(world)[0] == "read_timeout"
    assert world.now - 1000 <= 30


@pytest.mark.parametrize("timeout", [0.05, 0.3, 1.0, 5.0, 300.0])
def test_timeout_is_the_limit_of_everything(timeout: float) -> None:
    world = World([said(503, after=0.04)])
    failure(world, Settings(timeout=timeout, updating_timeout=timeout))
    assert world.now - 1000 <= timeout


def test_an_update_has_a_deadline_of_its_own() -> None:
    world = World([*[said(410)] * 7, OK])
    assert world.client().instance().content == DOCUMENT
    assert 70 < world.now - 1000 < 71


def test_an_update_that_lasts_ends_within_updating_timeout() -> None:
    world = World([said(410)])
    reason, client = failure(world, Settings(updating_timeout=45))
    assert reason == "updating"
    assert client.attempts[-1]["wait"] is None
    assert world.sleeps == [10] * 4


def test_updating_timeout_never_shortens_the_usual_one() -> None:
    world = World([said(410), said(410), OK])
    assert world.client(Settings(timeout=30, updating_timeout=5)).instance().content == DOCUMENT


def test_after_an_update_other_failures_have_no_longer_deadline() -> None:
    world = World([*[said(410)] * 4, said(503), OK])
    assert failure(world)[0] == "server_error"
    assert world.now - 1000 == pytest.approx(40, abs=1)


def test_after_an_update_the_ladder_is_still_walked() -> None:
    world = World([*[said(410)] * 4, version_error("2024-07-17"), OK])
    assert world.client().instance().api_version == "2024-07-17"


def test_a_step_down_needs_time_too() -> None:
    world = World([*[silence()] * 2, version_error("2024-07-17")._replace(after=7.95), OK])
    reason, client = failure(world)
    # 12 + 1 + 12 + 2 seconds are gone, then nearly all that is left.
    assert (reason, client.attempts[-1]["status"]) in (("connect_timeout", None), ("read_timeout", None))
    assert world.now - 1000 <= 30


def test_after_an_update_a_leaf_is_still_read_as_text() -> None:
    world = World([*[said(410)] * 4, said(400, {"error": "Bad request"}), said(200, b"web-1")])
    assert world.client().fetch(path("instance/compute/newKey")).content == "web-1"


# --- pace -----------------------------------------------------------------------------------------------------------


def test_steps_of_the_ladder_are_paced() -> None:
    world = World([version_error()] * 3 + [OK])
    world.client().instance()
    gaps = [later.at - earlier.at for earlier, later in zip(world.requests, world.requests[1:])]
    assert gaps == pytest.approx([0.25] * 3)


def test_a_slow_answer_needs_no_pause() -> None:
    world = World([version_error()._replace(after=0.5), OK])
    world.client().instance()
    assert world.sleeps == []


# --- versions -------------------------------------------------------------------------------------------------------


def test_steps_down_to_the_newest_that_is_offered() -> None:
    world = World([version_error("2020-07-15", "2020-10-01", "2020-09-01"), OK])
    answer = world.client().instance()
    assert answer.api_version == "2020-10-01"
    assert asked_versions(world) == [NEWEST, "2020-10-01"]


def test_walks_the_ladder_where_nothing_is_offered() -> None:
    world = World([OLD_STYLE] * 3 + [OK])
    assert world.client().instance().api_version == versions.LADDER[3]
    assert asked_versions(world) == list(versions.LADDER[:4])


def test_the_old_style_with_404_is_a_version_error_too() -> None:
    world = World([said(404, b'{ "error": "Not found. Invalid version requested" }'), OK])
    assert world.client().instance().api_version == versions.LADDER[1]


def test_the_ladder_ends() -> None:
    world = World([OLD_STYLE])
    reason, client = failure(world)
    assert reason == "bad_version"
    assert asked_versions(world) == list(versions.LADDER)
    assert [attempt["outcome"] for attempt in client.attempts] == ["bad_version"] * len(versions.LADDER)


def test_a_pinned_version_is_asked_for_once() -> None:
    world = World([version_error("2020-10-01")])
    client = world.client(Settings(api_version="2024-07-17"))
    with pytest.raises(ImdsError) as caught:
        client.instance()
    assert caught.value.reason.code == "bad_version"
    assert "2024-07-17" in caught.value.message
    assert "2020-10-01" in caught.value.message
    assert asked_versions(world) == ["2024-07-17"]


def test_a_pinned_version_that_is_known() -> None:
    world = World([OK])
    assert world.client(Settings(api_version="2019-06-04")).instance().api_version == "2019-06-04"


def test_a_long_list_of_versions_makes_no_long_message() -> None:
    world = World([version_error(*[f"2020-{number:05}" for number in range(5000)])])
    client = world.client(Settings(api_version="2024-07-17"))
    with pytest.raises(ImdsError) as caught:
        client.instance()
    assert len(caught.value.message) < 400


# --- what comes back ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BAD_BODIES)
def test_unusable_documents(name: str) -> None:
    world = World([said(200, BAD_BODIES[name])])
    reason, client = failure(world)
    assert reason == "malformed"
    assert [attempt["outcome"] for attempt in client.attempts] == ["malformed"] * 2
    assert all(len(attempt["detail"]) < 400 for attempt in client.attempts)


def test_a_document_of_too_many_values() -> None:
    assert World([said(200, MOST_VALUES)]).client().instance().content["compute"] == {}
    world = World([said(200, MORE_VALUES)])
    reason, client = failure(world)
    assert reason == "too_large"
    assert client.attempts[0]["detail"] == "the answer holds more than 20000 values"
    assert client.requests == 1


@pytest.mark.parametrize(
    "body", [{"compute": {}}, {"network": {}}, {"compute": {"name": "ü\U0001f600"}, "network": None}]
)
def test_documents_that_are_enough(body: Any) -> None:
    assert World([said(200, body)]).client().instance().content == body


@pytest.mark.parametrize(
    ("verdict", "detect", "reason"),
    [(True, "auto", "ok"), (None, "auto", "ok"), (False, "auto", "intercepted"), (False, "force", "ok")],
)
def test_the_document_of_another_machine(monkeypatch: Any, verdict: bool | None, detect: str, reason: str) -> None:
    monkeypatch.setattr(platform, "same_machine", lambda _vm_id: verdict)
    world = World([OK])
    if reason == "ok":
        assert world.client(Settings(detect=detect)).instance().content == DOCUMENT
    else:
        assert failure(world, Settings(detect=detect))[0] == reason


# --- the source address ---------------------------------------------------------------------------------------------


def on_addresses(monkeypatch: Any, *addresses: str) -> None:
    monkeypatch.setattr(guest, "addresses", lambda: list(addresses))


def test_silence_for_one_address_and_an_answer_for_another(monkeypatch: Any) -> None:
    on_addresses(monkeypatch, ADDRESS, "10.0.0.5", "10.0.0.6")
    world = World([silence(), silence(), silence(), OK])
    client = world.client()
    with pytest.raises(ImdsError) as caught:
        client.instance()
    assert caught.value.reason.code == "wrong_source_address"
    assert ADDRESS in caught.value.detail
    assert "10.0.0.6" in caught.value.detail
    assert [request.source for request in world.requests] == [None, None, "10.0.0.5", "10.0.0.6"]
    assert client.requests == 4
    assert world.now - 1000 <= 30


def test_any_answer_of_imds_shows_the_right_source(monkeypatch: Any) -> None:
    on_addresses(monkeypatch, "10.0.0.5")
    assert failure(World([silence(), silence(), said(429)]))[0] == "wrong_source_address"


@pytest.mark.parametrize(
    "other",
    [silence(), failed("no_route"), failed("refused"), said(200, b"<html>", server="x", content_type="text/html")],
    ids=["silence", "no route", "refused", "page"],
)
def test_no_other_address_does_better(monkeypatch: Any, other: ScriptedAnswer) -> None:
    on_addresses(monkeypatch, "10.0.0.5", "10.0.0.6", "10.0.0.7", "10.0.0.8", "10.0.0.9")
    world = World([silence(), silence(), other, other, other, silence()])
    assert failure(world)[0] == "read_timeout"
    tried = [request.source for request in world.requests if request.source]
    assert tried == ["10.0.0.5", "10.0.0.6", "10.0.0.7"]
    assert world.now - 1000 <= 30


def test_what_is_slow_but_not_silent_has_the_right_source(monkeypatch: Any) -> None:
    on_addresses(monkeypatch, "10.0.0.5")
    world = World([failed("read_timeout")])
    failure(world)
    assert {request.source for request in world.requests} == {None}


def test_over_loopback_no_other_source_is_tried(monkeypatch: Any) -> None:
    on_addresses(monkeypatch, "10.0.0.5")
    world = World([silence()])
    failure(world, Settings(address=("127.0.0.1", 8169)))
    assert {request.source for request in world.requests} == {None}


# --- what it says --------------------------------------------------------------------------------------------------


def test_a_long_wait_is_reported_with_its_length() -> None:
    world = World([*[said(410)] * 7, OK])
    client = world.client()
    client.instance()
    assert client.long_waits() == ["Asking IMDS took 70 s. Attempts by outcome: updating 7, ok 1."]


def test_a_long_wait_for_nothing_is_reported_too() -> None:
    _reason, client = failure(World([said(410)]), Settings(updating_timeout=45))
    assert client.long_waits() == ["Asking IMDS took 40 s. Attempts by outcome: updating 5."]


@pytest.mark.parametrize("answers", [[OK], [said(503), OK], [said(429), said(429), OK]])
def test_a_short_wait_is_nobodys_business(answers: list[ScriptedAnswer]) -> None:
    client = World(answers).client()
    client.instance()
    assert client.long_waits() == []


def test_what_answers_does_not_control_the_terminal() -> None:
    code, client = failure(World([said(403, "\x1b[2J\x9b\u202e\n größer".encode())]))
    (attempt,) = client.attempts
    assert (code, attempt["detail"]) == ("forbidden", "HTTP 403: \\x1b[2J\\x9b\\u202e\\n größer")
    assert ImdsError("forbidden", "\x1b[2J").message.endswith("(\\x1b[2J)")


# --- paths ----------------------------------------------------------------------------------------------------------


def test_an_unknown_leaf_is_read_as_text_at_last() -> None:
    world = World([REJECTED, said(200, b"web-1", content_type="text/plain")])
    answer = world.client().fetch(path("instance/compute/newKey"))
    assert (answer.content, answer.api_version) == ("web-1", NEWEST)
    assert [request.target for request in world.requests] == [
        f"/metadata/instance/compute/newKey?api-version={NEWEST}",
        f"/metadata/instance/compute/newKey?api-version={NEWEST}&format=text",
    ]


@pytest.mark.parametrize(
    "leaf",
    [
        "compute/zone",
        "compute/name",
        "compute/tags",
        "compute/plan/name",
        "compute/tagsList/12/value",
        "network/interface/0/macAddress",
        "network/interface/0/ipv4/ipAddress/0/privateIpAddress",
    ],
)
def test_a_known_leaf_takes_one_request(leaf: str) -> None:
    world = World([said(200, b"2", content_type="text/plain")])
    assert world.client().fetch(path(f"instance/{leaf}")).content == "2"
    assert [request.target for request in world.requests] == [
        f"/metadata/instance/{leaf}?api-version={NEWEST}&format=text"
    ]


@pytest.mark.parametrize(
    "node", ["compute", "compute/plan", "compute/tagsList", "compute/tagsList/0", "network/interface/0", "compute/0"]
)
def test_a_node_takes_one_request_too(node: str) -> None:
    world = World([said(200, {"a": "b"})])
    assert world.client().fetch(path(f"instance/{node}")).content == {"a": "b"}
    assert [request.target for request in world.requests] == [f"/metadata/instance/{node}?api-version={NEWEST}"]


def test_a_known_leaf_that_is_none_any_more_is_read_as_json() -> None:
    world = World([REJECTED, said(200, {"a": "b"})])
    assert world.client().fetch(path("instance/compute/zone")).content == {"a": "b"}


@pytest.mark.parametrize("body", [b"", b"1", b"true", b"a\nb", "ü".encode()])
def test_a_leafs_text_is_what_it_is(body: bytes) -> None:
    world = World([said(200, body, content_type="text/plain")])
    assert world.client().fetch(path("instance/compute/zone")).content == body.decode()


@pytest.mark.parametrize("body", [[], {}, {"a": [1]}, ["x"], "text", 1, None])
def test_a_node_is_read_as_json(body: Any) -> None:
    world = World([said(200, body)])
    assert world.client().fetch(path("instance/compute")).content == body
    assert len(world.requests) == 1


@pytest.mark.parametrize("text", ["instance", "versions", "loadbalancer", "attested/document"])
def test_documents_are_never_asked_for_as_text(text: str) -> None:
    world = World([REJECTED])
    with pytest.raises(ImdsError) as caught:
        world.client().fetch(path(text))
    assert caught.value.reason.code == "rejected"
    assert not [request for request in world.requests if "format" in request.target]


def test_versions_has_no_version() -> None:
    world = World([said(200, {"apiVersions": ["2025-04-07"]})])
    answer = world.client().fetch(path("versions"))
    assert (answer.content, answer.api_version) == ({"apiVersions": ["2025-04-07"]}, None)
    assert [request.target for request in world.requests] == ["/metadata/versions"]


@pytest.mark.parametrize(("text", "tries"), [("instance", 4), ("versions", 4), ("attested/document", 4)])
def test_404_on_what_every_vm_has_means_not_now(text: str, tries: int) -> None:
    world = World([said(404, {"error": "Not found"})])
    with pytest.raises(ImdsError):
        world.client().fetch(path(text))
    assert len(world.requests) == tries


@pytest.mark.parametrize("text", ["instance/compute", "instance/network/interface/7", "loadbalancer"])
def test_404_elsewhere_means_not_here(text: str) -> None:
    world = World([said(404, {"error": "Not found"})])
    with pytest.raises(ImdsError) as caught:
        world.client().fetch(path(text))
    assert caught.value.reason.code == "not_found"
    assert len(world.requests) == 1


def test_the_ladder_of_a_path_ends_where_the_path_began() -> None:
    world = World([OLD_STYLE])
    with pytest.raises(ImdsError):
        world.client().load_balancer()
    assert min(asked_versions(world)) >= versions.LOAD_BALANCER_SINCE


def test_two_questions_share_a_deadline_and_a_pace() -> None:
    world = World([OK, said(200, {"loadbalancer": {}})])
    client = world.client()
    client.instance()
    assert client.load_balancer().content == {"loadbalancer": {}}
    assert world.requests[1].at - world.requests[0].at == pytest.approx(0.25)
    world = World([OK._replace(after=0.4), OK])
    client = world.client(Settings(timeout=0.41))
    client.instance()
    world.now += 0.02
    with pytest.raises(ImdsError):
        client.load_balancer()
    assert len(world.requests) == 1


# --- whatever happens -----------------------------------------------------------------------------------------------

TIMES = st.floats(0.05, 60)


@given(
    st.lists(ANYTHING, min_size=1, max_size=12),
    st.builds(Settings, connect_timeout=TIMES, read_timeout=TIMES, timeout=TIMES, updating_timeout=TIMES),
    st.sampled_from(["instance", "versions", "instance/compute/name", "loadbalancer"]),
    st.integers(0, 4),
)
def test_no_sequence_of_answers_outlasts_the_deadline(
    answers: list[ScriptedAnswer], settings: Settings, text: str, addresses: int
) -> None:
    world = World(answers)
    client = world.client(settings)
    with pytest.MonkeyPatch.context() as patch:
        on_addresses(patch, *[f"10.0.0.{number + 5}" for number in range(addresses)])
        try:
            client.instance() if text == "instance" else client.fetch(path(text))
            reason = "ok"
        except ImdsError as error:
            reason = error.reason.code
    assert reason in REASONS
    updated = any(attempt["outcome"] == "updating" for attempt in client.attempts)
    limit = max(settings.timeout, settings.updating_timeout) if updated else settings.timeout
    assert world.now - 1000 <= limit + 1e-6
    gaps = [later.at - earlier.at for earlier, later in zip(world.requests, world.requests[1:])]
    assert all(gap >= client_module.PACE - 1e-6 for gap in gaps)
    assert client.requests == len(world.requests)
    assert all(attempt["outcome"] in retry.RULES for attempt in client.attempts)
    assert client.attempts[-1]["wait"] is None
    assert (reason == "ok") == (client.attempts[-1]["outcome"] == "ok")
    json.dumps(client.attempts, allow_nan=False)
