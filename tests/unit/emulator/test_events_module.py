# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""azure_imds_scheduled_events as a module; what it does is tested in test_events_reached.py."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from ansible_collections.imds.azure.plugins.modules import azure_imds_scheduled_events as module
from ansible_collections.imds.azure.tests.scenarios.imds.events import ID
from ansible_collections.imds.azure.tests.scenarios.module_runner import (
    assert_documented,
    assert_options_are_documented,
    run,
)

Act = Callable[..., dict[str, Any]]


@pytest.fixture(name="act")
def _act(capsys: pytest.CaptureFixture[str]) -> Act:
    """Run the module; whatever happens, the documented values are there."""

    def result(**options: Any) -> dict[str, Any]:
        found = run(capsys, module, reads=False, **options)
        if "reason" in found:
            documented = yaml.safe_load(module.RETURN)
            assert set(documented) == set(found) - {"changed", "failed", "msg", "invocation", "warnings"}
            for name, value in documented.items():
                assert_documented(found[name], value, name)
        return found

    return result


def test_an_event_that_appears_is_approved_and_goes(imds: Any, act: Act) -> None:
    here = {"endpoint": imds.url, "detect": "force"}
    assert imds.control("POST", "/events", {"type": "Freeze", "id": ID, "gone_after": 0})[0] == 200
    (event,) = act(state="appeared", **here)["events"]
    assert event["event_id"] == ID
    planned = act(state="approved", event_ids=[ID], check=True, **here)
    assert (planned["changed"], planned["request"]) == (True, {"StartRequests": [{"EventId": ID}]})
    assert imds.control("GET", "/events")[1]["posts"] == []
    done = act(state="approved", event_ids=[ID], **here)
    assert (done["changed"], done["approved"]) == (True, [ID])
    gone = act(state="gone", event_ids=[ID], poll=1, **here)
    assert (gone["changed"], gone["found"]) == (False, False)


def test_a_failure_has_its_result(imds: Any, act: Act) -> None:
    assert imds.control("POST", "/events", {"type": "Freeze", "resources": ["self", "vm9"], "id": ID})[0] == 200
    found = act(state="approved", event_ids=[ID], endpoint=imds.url, detect="force", api_version="2031-01-01")
    assert (found["failed"], found["reason"]) == (True, "bad_version")
    assert "2031-01-01" in found["warnings"][0]
    found = act(state="approved", event_ids=[ID], endpoint=imds.url, detect="force")
    assert (found["failed"], found["reason"], found["changed"], found["approved"]) == (True, "ok", False, [])
    assert [event["event_id"] for event in found["events"]] == [ID]


@pytest.fixture(name="no_network")
def _no_network(monkeypatch: Any) -> None:
    """Whoever so much as makes a socket ends the test."""

    def explode(*_arguments: Any, **_options: Any) -> None:
        pytest.fail("something was about to be sent")

    monkeypatch.setattr(socket, "socket", explode)


@pytest.mark.parametrize("state", ["approved", "appeared", "gone"])
@pytest.mark.usefixtures("no_network")
def test_off_azure_nothing_is_sent(act: Act, state: str) -> None:
    found = act(state=state, event_ids=[ID], chassis_asset_tag="Default string")
    assert (found["failed"], found["reason"], found["requests"]) == (True, "not_azure", 0)


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"state": "approved"}, "event_ids"),
        ({"state": "approved", "mine": False}, "event_ids"),
        ({"state": "gone"}, "event_ids"),
        ({"state": "gone", "event_types": ["Reboot"]}, "event_ids"),
        ({"state": "appeared", "event_types": []}, "event_types"),
        ({"state": "approved", "event_ids": ["17"]}, "event_ids"),
        ({"state": "gone", "event_ids": [ID, "all"]}, "event_ids"),
        ({"event_types": ["reboot"]}, "event_types"),
        ({"sources": ["Azure"]}, "sources"),
        ({"statuses": ["Completed"]}, "statuses"),
        ({"within": -5}, "within"),
        ({"poll": 0}, "poll"),
        ({"poll": 0.5}, "poll"),
        ({"poll": 61}, "poll"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": 86401}, "timeout"),
        ({"first_timeout": -1}, "first_timeout"),
        ({"others": "maybe"}, "others"),
        ({"state": "present"}, "state"),
        ({"api_version": "2020"}, "api_version"),
    ],
    ids=str,
)
@pytest.mark.usefixtures("no_network")
def test_bad_input_is_refused_by_name(act: Act, options: dict[str, Any], names: str) -> None:
    found = act(**{"state": "appeared", "chassis_asset_tag": "Default string", **options})
    assert found["failed"]
    assert names in found["msg"]


def test_options_are_documented() -> None:
    assert_options_are_documented(module)
