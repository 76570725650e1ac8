# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scheduled events under PowerShell: from the first look to the end of the event, with real approvals."""

from __future__ import annotations

import pytest
from ansible_collections.imds.azure.tests.powershell.session import Session
from ansible_collections.imds.azure.tests.scenarios.imds.events import ID, OTHER_ID
from ansible_collections.imds.azure.tests.scenarios.running_emulator import start

INFO, ACT = "azure_imds_scheduled_events_info_windows", "azure_imds_scheduled_events_windows"


def test_an_event_that_appears_is_approved_and_goes(session: Session) -> None:
    with start([{"name": "web-1", "limiter": False}]) as imds:
        here = {"endpoint": imds.url, "detect": "force"}
        assert session.run(INFO, here)["events"] == []
        assert imds.control("POST", "/events", {"type": "Freeze", "id": ID, "gone_after": 0})[0] == 200
        awaited = session.run(ACT, {"state": "appeared", **here})
        assert [event["event_id"] for event in awaited["events"]] == [ID]
        planned = session.run(ACT, {"state": "approved", "event_ids": [ID], **here}, check_mode=True)
        assert (planned["changed"], planned["approved"]) == (True, [ID])
        assert imds.control("GET", "/events")[1]["posts"] == []
        done = session.run(ACT, {"state": "approved", "event_ids": [ID.lower()], **here})
        assert (done["changed"], done["approved"], done["timed_out"]) == (True, [ID], False)
        (post,) = imds.control("GET", "/events")[1]["posts"]
        assert ID in post["body"]
        gone = session.run(ACT, {"state": "gone", "event_ids": [ID], "poll": 1, **here})
        assert (gone["changed"], gone["found"], gone["timed_out"]) == (False, False, False)


def test_events_of_other_vms_are_refused(session: Session) -> None:
    with start([{"name": "web-1", "limiter": False}]) as imds:
        event = {"type": "Reboot", "resources": ["self", "web-2"], "id": OTHER_ID}
        assert imds.control("POST", "/events", event)[0] == 200
        asked = {"state": "approved", "event_ids": [OTHER_ID], "endpoint": imds.url, "detect": "force"}
        found = session.run(ACT, asked)
    assert (found["failed"], found["changed"], found["approved"]) == (True, False, [])
    assert f"Reboot {OTHER_ID} of web-1 and web-2" in found["msg"]


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({}, "state"),
        ({"state": "approved"}, "event_ids"),
        ({"state": "appeared", "event_types": []}, "event_types"),
        ({"state": "appeared", "event_types": ["reboot"]}, "event_types"),
        ({"state": "Appeared"}, "state"),
        ({"state": "appeared", "others": "Allow"}, "others"),
        ({"state": "gone", "event_ids": ["17"]}, "event_ids"),
        ({"state": "appeared", "within": -5}, "within"),
        ({"state": "appeared", "mine": "maybe"}, "mine"),
    ],
    ids=str,
)
def test_bad_input_is_refused_by_name(session: Session, options: dict[str, object], names: str) -> None:
    found = session.run(ACT, {"chassis_asset_tag": "none", **options})
    assert found["failed"]
    assert names in found["msg"]
