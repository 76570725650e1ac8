# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What azure_imds_scheduled_events does, against the emulator, by a clock that both share and only pauses move."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional

import pytest
from ansible_collections.imds.azure.plugins.module_utils._imds.reasons import REASONS
from ansible_collections.imds.azure.plugins.module_utils._imds.transport import Response, TransportError
from ansible_collections.imds.azure.tests.scenarios.imds.events import ID, OTHER_ID
from ansible_collections.imds.azure.tests.scenarios.imds.life import PATH, Life, answer


@pytest.fixture(name="life")
def _life(start: Callable[..., Any]) -> Life:
    return Life(start)


def kinds(result: dict[str, Any]) -> list[str]:
    return [f"{event['event_type']} {event['event_status']}" for event in result["events"]]


# --- approved -------------------------------------------------------------------------------------------------------


def test_an_event_is_approved_and_seen_to_start(life: Life) -> None:
    life.add(type="Reboot")
    result, problem = life.reach("approved", event_ids=[ID.lower()])
    assert (problem, result["changed"], result["found"], result["timed_out"]) == ("", True, True, False)
    assert kinds(result) == ["Reboot Started"]
    assert (result["approved"], result["request"]) == ([ID], {"StartRequests": [{"EventId": ID}]})
    assert life.approved() == [[ID]]
    assert (result["requests"], result["vm_name"], result["notes"]) == (4, "vm1", [])


def test_a_batch_is_one_request(life: Life) -> None:
    life.add(type="Reboot")
    life.add(type="Freeze", id=OTHER_ID)
    result, problem = life.reach("approved", event_types=["Reboot", "Freeze"])
    assert (problem, result["changed"]) == ("", True)
    assert life.approved() == [[ID, OTHER_ID]]


@pytest.mark.parametrize("state", ["approved", "appeared", "gone"])
def test_check_mode_looks_once_and_sends_nothing(life: Life, state: str) -> None:
    life.add(type="Reboot")
    result, problem = life.reach(state, check=True, event_ids=[ID])
    assert (problem, result["found"], result["timed_out"], kinds(result)) == ("", True, False, ["Reboot Scheduled"])
    assert (result["changed"], result["approved"]) == ((True, [ID]) if state == "approved" else (False, []))
    assert result["request"] == ({"StartRequests": [{"EventId": ID}]} if state == "approved" else None)
    assert (life.posts, result["requests"]) == (0, 2)


@pytest.mark.parametrize("state", ["appeared", "gone"])
def test_check_mode_waits_for_nothing(life: Life, state: str) -> None:
    result, problem = life.reach(state, check=True, event_ids=[ID])
    assert (problem, result["found"], result["requests"]) == ("", False, 2)


@pytest.mark.parametrize("check", [False, True])
def test_what_has_started_needs_no_approval(life: Life, check: bool) -> None:
    life.add(type="Reboot", status="Started")
    result, problem = life.reach("approved", check, event_ids=[ID])
    assert (problem, result["changed"], result["found"], life.posts) == ("", False, True, 0)
    assert result["notes"] == [f"Reboot {ID} is not approved: it has started."]


def test_an_event_that_is_not_there_is_done(life: Life) -> None:
    result, problem = life.reach("approved", event_ids=[ID])
    assert (problem, result["changed"], result["found"], result["approved"], life.posts) == ("", False, False, [], 0)
    (note,) = result["notes"]
    assert "is not there" in note


def test_a_second_approval_changes_nothing(life: Life) -> None:
    life.add(type="Reboot")
    assert life.reach("approved", event_ids=[ID])[0]["changed"]
    assert not life.reach("approved", event_ids=[ID])[0]["changed"]
    assert life.posts == 1


@pytest.mark.parametrize("selected", [{"event_ids": [ID, OTHER_ID]}, {"event_types": ["Reboot"]}])
@pytest.mark.parametrize("check", [False, True])
def test_events_of_other_vms_are_refused_as_a_whole(life: Life, selected: dict[str, Any], check: bool) -> None:
    life.add(scenario="shared")
    life.add(type="Reboot", id=OTHER_ID)
    result, problem = life.reach("approved", check, **selected)
    assert (result["changed"], result["approved"], result["request"], life.posts) == (False, [], None, 0)
    assert f"Reboot {ID} of vm1 and vm2" in problem
    assert "others to allow" in problem
    assert OTHER_ID not in problem


def test_events_of_other_vms_are_approved_if_that_is_meant(life: Life) -> None:
    life.add(scenario="shared")
    life.refusals = [answer(503)] * 9
    result, problem = life.reach("approved", event_ids=[ID], others="allow")
    assert (problem, result["changed"], kinds(result)) == ("", True, ["Reboot Started"])


def test_events_of_other_vms_only_are_not_meant(life: Life) -> None:
    life.add(scenario="other-vm-only")
    result, problem = life.reach("approved", event_ids=[ID])
    assert (problem, result["changed"], result["found"], life.posts) == ("", False, False, 0)
    assert "names only vm2" in result["notes"][0]
    _result, problem = life.reach("approved", event_ids=[ID], mine=False)
    assert "of vm2" in problem
    assert life.reach("approved", event_ids=[ID], mine=False, others="allow")[0]["changed"]


def test_an_event_whose_names_are_unknown_is_refused(life: Life) -> None:
    life.imds.fault(path="/metadata/instance", status=404, count=1)
    life.add(type="Reboot")
    result, problem = life.reach("approved", event_ids=[ID])
    assert (result["changed"], life.posts) == (False, 0)
    assert "Nothing was approved" in problem


@pytest.mark.parametrize("kind", ["Novelty", "SpotRebalanceRecommendation"])
def test_what_is_unknown_or_mere_advice_has_to_be_named(life: Life, kind: str) -> None:
    life.add(type=kind)
    result, problem = life.reach("approved", within=10**6, sources=["Platform"], api_version="newest")
    assert (problem, result["changed"], life.posts) == ("", False, 0)
    assert "has to be named" in result["notes"][0]
    assert life.reach("approved", event_ids=[ID], api_version="newest")[0]["changed"]


def test_other_filters_count_for_ids_too(life: Life) -> None:
    life.add(type="Reboot")
    result, _problem = life.reach("approved", event_ids=[ID], within=60)
    assert (result["changed"], life.posts) == (False, 0)
    assert "does not match the other filters" in result["notes"][0]


@pytest.mark.parametrize(
    "refusals",
    [
        [answer(503)],
        [answer(503)] * 9,
        [answer(429, b"Throttle Result: Too Many Requests")] * 9,
        [answer(500), TransportError("read_timeout", "silence"), TransportError("refused", "no")],
        [TransportError("reset", "reset")] * 9,
    ],
    ids=["once", "503 for long", "throttled for long", "all kinds", "reset for long"],
)
def test_an_approval_is_tried_until_it_is_confirmed(life: Life, refusals: list[Any]) -> None:
    life.add(type="Reboot")
    life.refusals = [*refusals]
    result, problem = life.reach("approved", event_ids=[ID])
    assert (problem, result["changed"], kinds(result)) == ("", True, ["Reboot Started"])
    assert life.approved() == [[ID]]
    assert life.posts == len(refusals) + 1


def test_an_approval_whose_answer_is_lost_still_counts(life: Life) -> None:
    life.add(type="Reboot")
    life.refusals = [TransportError("read_timeout", "lost")] * 9
    result, problem = life.reach("approved", event_ids=[ID])
    assert (problem, result["changed"], result["approved"]) == ("", True, [ID])
    assert kinds(result) == ["Reboot Started"]


def test_an_approval_that_never_gets_through(life: Life) -> None:
    life.add(type="Reboot")
    life.refusals = [answer(503)] * 999
    result, problem = life.reach("approved", event_ids=[ID], timeout=120)
    assert (result["changed"], result["approved"], result["timed_out"]) == (False, [], True)
    assert problem.startswith("IMDS did not confirm the approval")
    assert result["waited"] <= 120
    assert (result["reason"], result["remedy"]) == ("server_error", REASONS["server_error"].remedy)
    assert any("503" in note for note in result["notes"])
    result, problem = life.reach("approved", event_ids=[ID], timeout=20, fail_on_timeout=False)
    assert (problem, result["reason"]) == ("", "server_error")


def test_a_proxys_page_confirms_nothing(life: Life) -> None:
    life.add(type="Reboot")
    life.refusals = [Response(200, {"via": "1.1 proxy", "content-type": "text/html"}, b"<html>", "127.0.0.1")] * 9
    result, problem = life.reach("approved", event_ids=[ID])
    assert (result["changed"], result["approved"], result["reason"]) == (False, [], "intercepted")
    assert problem.startswith("The approval failed")


def test_a_refused_approval_ends_at_once(life: Life) -> None:
    life.add(type="Reboot")
    life.refusals = [answer(403)]
    result, problem = life.reach("approved", event_ids=[ID])
    assert (result["changed"], result["reason"], life.posts) == (False, "forbidden", 1)
    assert result["remedy"] in problem


def test_an_approval_that_is_rejected_while_the_event_is_there(life: Life) -> None:
    life.add(type="Reboot")
    life.refusals = [answer(400, b"Bad request")] * 9
    result, problem = life.reach("approved", event_ids=[ID])
    assert (result["changed"], result["reason"], life.posts) == (False, "rejected", 1)
    assert "The approval failed" in problem


def test_an_event_that_goes_before_its_approval_arrives(life: Life) -> None:
    """IMDS refuses a batch with an unknown id; the others are approved without it."""
    life.add(type="Reboot")
    life.add(type="Freeze", id=OTHER_ID)
    life.refusals = [answer(503)]
    life.at(1, life.cancel)
    result, problem = life.reach("approved", event_ids=[ID, OTHER_ID])
    assert (problem, result["changed"], result["approved"]) == ("", True, [OTHER_ID])
    assert life.approved() == [[ID, OTHER_ID], [OTHER_ID]]
    assert any("was gone before" in note for note in result["notes"])
    assert kinds(result) == ["Reboot Scheduled", "Freeze Started"]


def test_an_only_event_that_goes_before_its_approval_arrives(life: Life) -> None:
    life.add(type="Reboot")
    life.refusals = [answer(503)]
    life.at(1, life.cancel)
    result, problem = life.reach("approved", event_ids=[ID])
    assert (problem, result["changed"], result["approved"]) == ("", False, [])


def test_an_event_that_comes_to_name_other_vms_is_refused(life: Life) -> None:
    life.add(type="Reboot")
    life.refusals = [answer(503)] * 4
    life.at(3, lambda: life.change(resources=["vm1", "vm2"]))
    result, problem = life.reach("approved", event_ids=[ID])
    assert (result["changed"], life.approved()) == (False, [])
    assert "of vm1 and vm2" in problem


def test_a_start_that_takes_its_time_is_awaited(life: Life) -> None:
    life.add(type="Reboot", start_delay=100)
    result, problem = life.reach("approved", event_ids=[ID], poll=60)
    assert (problem, result["changed"], kinds(result)) == ("", True, ["Reboot Started"])
    assert life.posts == 1
    assert 100 <= result["waited"] <= 130


def test_a_start_that_takes_too_long(life: Life) -> None:
    life.add(type="Reboot", start_delay=500)
    result, problem = life.reach("approved", event_ids=[ID])
    assert (result["changed"], result["approved"], result["timed_out"]) == (True, [ID], True)
    assert problem.startswith("IMDS confirmed the approval, but not all events started within 300 seconds: Reboot")


def test_trouble_before_a_confirmation_is_no_news(life: Life) -> None:
    life.add(type="Reboot", start_delay=500)
    life.refusals = [answer(503)] * 5
    result, _problem = life.reach("approved", event_ids=[ID])
    assert (result["approved"], result["timed_out"], result["notes"]) == ([ID], True, [])


def test_other_vms_that_come_after_the_confirmation_change_nothing(life: Life) -> None:
    life.add(type="Reboot", start_delay=100)
    life.at(50, lambda: life.change(resources=["vm1", "vm2"]))
    result, problem = life.reach("approved", event_ids=[ID])
    assert (problem, result["changed"], kinds(result)) == ("", True, ["Reboot Started"])


def test_what_starts_and_ends_between_two_looks_is_done(life: Life) -> None:
    life.add(type="Freeze", start_delay=2, gone_after=2)
    result, problem = life.reach("approved", event_ids=[ID], poll=30)
    assert (problem, result["changed"]) == ("", True)
    assert kinds(result) == ["Freeze Scheduled"]


def test_a_reboot_that_becomes_a_freeze_is_followed(life: Life) -> None:
    life.add(type="Reboot", becomes={"type": "Freeze", "after": 3}, start_delay=10)
    result, problem = life.reach("approved", event_types=["Reboot"])
    assert (problem, kinds(result)) == ("", ["Freeze Started"])


# --- appeared -------------------------------------------------------------------------------------------------------


def test_an_event_that_is_there_ends_the_wait_at_once(life: Life) -> None:
    life.add(type="Reboot")
    result, problem = life.reach("appeared")
    assert (problem, result["found"], result["requests"], kinds(result)) == ("", True, 2, ["Reboot Scheduled"])
    assert result["changed"] is False


@pytest.mark.parametrize("poll", [1, 5, 60])
def test_an_event_is_found_within_one_poll(life: Life, poll: int) -> None:
    life.at(100, lambda: life.add(type="Preempt"))
    result, problem = life.reach("appeared", event_types=["Preempt"], poll=poll)
    assert (problem, result["found"], kinds(result)) == ("", True, ["Preempt Scheduled"])
    assert 100 <= result["waited"] <= 101 + poll
    assert result["events"][0]["seconds_left"] <= 30
    assert max(life.pauses) <= poll


def test_what_does_not_meet_the_filters_does_not_end_the_wait(life: Life) -> None:
    life.add(scenario="other-vm-only", id=OTHER_ID)
    life.add(type="Freeze")
    life.at(50, lambda: life.change(type="Reboot"))
    result, _problem = life.reach("appeared", event_types=["Reboot"])
    assert (result["found"], kinds(result)) == (True, ["Reboot Scheduled"])
    assert result["waited"] >= 50


@pytest.mark.parametrize(
    ("fails", "problem"), [(None, ""), (False, ""), (True, "No event appeared within 100 seconds.")]
)
def test_nothing_appears(life: Life, fails: Optional[bool], problem: str) -> None:
    result, found = life.reach("appeared", timeout=100, fail_on_timeout=fails)
    assert (found, result["found"], result["timed_out"], result["events"]) == (problem, False, True, [])
    assert 95 <= result["waited"] <= 100


def test_the_last_look_is_just_before_the_deadline(life: Life) -> None:
    life.at(98, lambda: life.add(type="Reboot"))
    result, _problem = life.reach("appeared", timeout=100, poll=60)
    assert (result["found"], result["waited"]) == (True, 99.0)


def test_errors_that_pass_are_waited_out(life: Life) -> None:
    life.at(1, lambda: life.imds.fault(path=PATH, status=503, count=30))
    life.at(2, lambda: life.add(type="Reboot"))
    result, problem = life.reach("appeared")
    assert (problem, result["found"], result["notes"]) == ("", True, [])


def test_errors_from_the_beginning_are_waited_out_too(life: Life) -> None:
    life.imds.fault(path=PATH, status=404, count=10)
    life.add(type="Reboot")
    result, problem = life.reach("appeared")
    assert (problem, result["found"]) == ("", True)


def test_errors_at_the_end_are_told(life: Life) -> None:
    life.at(1, lambda: life.imds.fault(path=PATH, status=503, count=999))
    result, problem = life.reach("appeared", timeout=60)
    assert (problem, result["found"], result["timed_out"]) == ("", False, True)
    assert any("503" in note for note in result["notes"])


@pytest.mark.parametrize("status", [503, 429, 410])
def test_errors_all_the_time_are_a_failure(life: Life, status: int) -> None:
    life.imds.fault(path=PATH, status=status, count=9999)
    result, problem = life.reach("appeared", timeout=300)
    assert result["reason"] in ("server_error", "throttled", "updating")
    assert result["remedy"] in problem
    assert 200 <= result["waited"] <= 300


@pytest.mark.parametrize(("state", "path"), [("appeared", PATH), ("gone", "/metadata/instance"), ("approved", PATH)])
def test_errors_that_do_not_pass_end_it_at_once(life: Life, state: str, path: str) -> None:
    life.imds.fault(path=path, status=403, count=1)
    result, problem = life.reach(state, event_ids=[ID])
    assert (result["reason"], result["found"], result["changed"]) == ("forbidden", False, False)
    assert result["waited"] < 1
    assert result["remedy"] in problem


def test_attempts_of_a_long_wait_are_not_all_kept(life: Life) -> None:
    result, _problem = life.reach("appeared", poll=1)
    assert result["requests"] > 200
    assert len(result["attempts"]) <= 51


# --- gone -----------------------------------------------------------------------------------------------------------


def test_the_whole_life_of_an_event_is_awaited(life: Life) -> None:
    life.add(type="Reboot", notice=60, gone_after=60)
    result, problem = life.reach("gone", event_ids=[ID])
    assert (problem, result["found"], result["timed_out"], result["changed"]) == ("", False, False, False)
    assert kinds(result) == ["Reboot Started"]
    assert 120 <= result["waited"] <= 126


def test_a_cancelled_event_is_gone(life: Life) -> None:
    life.add(type="Reboot")
    life.at(30, life.cancel)
    result, problem = life.reach("gone", event_ids=[ID])
    assert (problem, result["found"], kinds(result)) == ("", False, ["Reboot Scheduled"])
    assert result["waited"] <= 36


def test_an_event_that_never_was_takes_two_looks(life: Life) -> None:
    result, problem = life.reach("gone", event_ids=[ID])
    assert (problem, result["found"], result["requests"]) == ("", False, 3)


def test_all_events_have_to_be_gone(life: Life) -> None:
    life.add(type="Reboot", status="Started", gone_after=30)
    life.add(type="Reboot", status="Started", gone_after=90, id=OTHER_ID)
    result, _problem = life.reach("gone", event_ids=[ID, OTHER_ID])
    assert result["waited"] >= 90
    assert len(result["events"]) == 2


def test_an_event_of_others_is_awaited_by_its_id(life: Life) -> None:
    life.add(scenario="other-vm-only")
    life.at(30, life.cancel)
    result, _problem = life.reach("gone", event_ids=[ID])
    assert result["waited"] >= 30
    assert [event["mine"] for event in result["events"]] == [False]


@pytest.mark.parametrize("fails", [None, False])
def test_an_event_that_stays(life: Life, fails: Optional[bool]) -> None:
    life.add(type="Reboot")
    result, problem = life.reach("gone", event_ids=[ID], fail_on_timeout=fails)
    assert (result["found"], result["timed_out"]) == (True, True)
    assert problem == (
        "" if fails is False else f"Not all events were gone within 300 seconds. Last seen: Reboot {ID} of vm1."
    )


def test_a_service_that_starts_over_does_not_end_the_wait(life: Life) -> None:
    """Its incarnation begins at 1 again, and for a while it shows nothing."""
    life.add(type="Freeze", incarnation_step=7)
    life.at(10, lambda: life.imds.fault(path=PATH, body='{"DocumentIncarnation":1,"Events":[]}', count=1))
    result, _problem = life.reach("gone", event_ids=[ID], timeout=60, fail_on_timeout=False)
    assert (result["found"], result["timed_out"]) == (True, True)


def test_a_host_that_reboots_finds_imds_again(life: Life) -> None:
    life.add(type="Reboot", status="Started", gone_after=100)
    life.at(10, lambda: life.imds.fault(path=PATH, drop=True, count=12))
    life.at(20, lambda: life.imds.fault(path=PATH, status=503, count=5))
    result, problem = life.reach("gone", event_ids=[ID])
    assert (problem, result["found"]) == ("", False)


# --- all states -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["approved", "gone"])
def test_an_empty_list_means_no_event(life: Life, state: str) -> None:
    life.add(type="Reboot")
    result, problem = life.reach(state, event_ids=[])
    assert (problem, result["changed"], result["found"], result["requests"]) == ("", False, False, 0)
    assert "empty list" in result["notes"][0]


def test_a_first_answer_that_takes_long_leaves_time_for_the_approval(life: Life) -> None:
    life.add(type="Reboot")
    life.delay = 120
    result, problem = life.reach("approved", event_ids=[ID], timeout=20)
    assert (problem, result["changed"], kinds(result)) == ("", True, ["Reboot Started"])
    assert 120 < result["waited"] < 125
