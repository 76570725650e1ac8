# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""azure_imds_scheduled_events_info against the emulator."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from ansible_collections.imds.azure.plugins.modules import azure_imds_scheduled_events_info as module
from ansible_collections.imds.azure.tests.scenarios.imds.events import ID, NOW, OTHER_ID
from ansible_collections.imds.azure.tests.scenarios.module_runner import (
    assert_documented,
    assert_options_are_documented,
    run,
)

Read = Callable[..., dict[str, Any]]
DOMAIN = {"scheduled_events": {"domain": "web"}}
VMS = [{"name": "vm1", "sources": ["127.0.0.1"], **DOMAIN}, {"name": "vm2", "sources": ["127.0.0.2"], **DOMAIN}]
ELSEWHERE = {"chassis_asset_tag": "Default string"}


@pytest.fixture(name="imds")
def _imds(start: Callable[..., Any]) -> Any:
    """Two VMs of one maintenance domain, and a clock that stands still. The module runs on vm1."""
    return start(VMS, clock=lambda: NOW)


@pytest.fixture(name="read")
def _read(capsys: pytest.CaptureFixture[str], imds: Any) -> Read:
    """Run the module; whatever happens, the documented values are there."""

    def result(**options: Any) -> dict[str, Any]:
        found = run(capsys, module, **{"endpoint": imds.url, "detect": "force", **options})
        if "reason" in found:
            documented = yaml.safe_load(module.RETURN)
            assert set(documented) == set(found) - {"failed", "msg", "invocation", "warnings"}
            for name, value in documented.items():
                assert_documented(found[name], value, name)
        return found

    return result


def add(imds: Any, **event: Any) -> None:
    assert imds.control("POST", "/events", event)[0] == 200


def ids(result: dict[str, Any]) -> list[str]:
    return [event["event_id"] for event in result["events"]]


@pytest.mark.parametrize("check", [False, True], ids=["run", "check mode"])
def test_an_event(imds: Any, read: Read, check: bool) -> None:
    add(imds, scenario="user-reboot", id=ID)
    found = read(check=check)
    assert (found["available"], found["reason"], found["remedy"]) == (True, "ok", None)
    assert (found["vm_name"], found["document_incarnation"], found["api_version"]) == ("vm1", 2, "2020-07-01")
    assert (found["clock"], found["read_at"]) == ("imds", "2021-03-16T00:43:46Z")
    (event,) = found["events"]
    assert event == {
        "event_id": ID,
        "event_type": "Reboot",
        "event_status": "Scheduled",
        "resource_type": "VirtualMachine",
        "resources": ["vm1"],
        "mine": True,
        "only_mine": True,
        "not_before": "2021-03-16T00:58:46Z",
        "not_before_raw": "Tue, 16 Mar 2021 00:58:46 GMT",
        "seconds_left": 900,
        "description": "Virtual machine is going to be restarted as requested by authorized user.",
        "event_source": "User",
        "duration": None,
        "duration_raw": -1,
        "unrecognized": [],
    }
    assert found["soonest"] == event
    assert [attempt["outcome"] for attempt in found["attempts"]] == ["ok", "ok"]


def test_nothing_is_planned(read: Read) -> None:
    found = read()
    assert (found["events"], found["soonest"], found["document_incarnation"]) == ([], None, 1)
    assert (found["vm_name"], "warnings" in found) == ("vm1", False)


def test_events_of_others_are_left_out_unless_asked_for(imds: Any, read: Read) -> None:
    add(imds, scenario="other-vm-only", id=OTHER_ID)
    add(imds, scenario="shared", id=ID)
    assert ids(read()) == [ID]
    found = read(mine=False)
    assert [(event["mine"], event["only_mine"]) for event in found["events"]] == [(False, False), (True, False)]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"event_types": ["Freeze"]}, [OTHER_ID]),
        ({"sources": ["User"]}, [ID]),
        ({"statuses": ["Started"]}, [OTHER_ID]),
        ({"event_ids": [ID.lower()]}, [ID]),
        ({"within": 899}, [OTHER_ID]),
        ({"within": 900}, [ID, OTHER_ID]),
        ({"event_types": []}, []),
    ],
    ids=str,
)
def test_filters(imds: Any, read: Read, options: dict[str, Any], expected: list[str]) -> None:
    add(imds, scenario="user-reboot", id=ID)
    add(imds, type="Freeze", status="Started", id=OTHER_ID)
    assert ids(read(**options)) == expected


def test_a_type_that_is_unknown_is_kept_and_marked(imds: Any, read: Read) -> None:
    add(imds, type="LiveMigration", id=ID)
    (event,) = read()["events"]
    assert (event["event_type"], event["unrecognized"]) == ("LiveMigration", ["event_type"])


def test_fields_of_an_old_version(imds: Any, read: Read) -> None:
    add(imds, scenario="user-reboot", id=ID)
    found = read(api_version="2017-03-01")
    (event,) = found["events"]
    assert (event["mine"], event["description"], event["event_source"]) == (True, None, None)
    assert event["unrecognized"] == []


@pytest.mark.parametrize(
    ("switches", "used"),
    [
        ({}, "2024-07-09"),
        ({"newest_version": "2020-07-01"}, "2020-07-01"),
        ({"newest_version": "2020-07-01", "unknown_version": 404}, "2020-07-01"),
    ],
)
def test_newest(
    start: Callable[..., Any], capsys: pytest.CaptureFixture[str], switches: dict[str, Any], used: str
) -> None:
    imds = start([{"name": "vm1", "scheduled_events": switches}], clock=lambda: NOW)
    add(imds, scenario="spot-rebalance", id=ID)
    found = run(capsys, module, endpoint=imds.url, detect="force", api_version="newest")
    assert found["api_version"] == used
    assert ids(found) == ([ID] if used == "2024-07-09" else [])


def test_a_version_that_nobody_knows(read: Read) -> None:
    found = read(api_version="2031-01-01")
    assert (found["failed"], found["reason"]) == (True, "bad_version")
    assert any("2031-01-01" in warning for warning in found["warnings"])


def test_the_first_call_may_take_long(start: Callable[..., Any], capsys: pytest.CaptureFixture[str]) -> None:
    imds = start([{"name": "vm1", "scheduled_events": {"first_call_delay": 1.0}}])
    options = {"endpoint": imds.url, "detect": "force", "timeout": 0.5, "read_timeout": 0.5}
    failed = run(capsys, module, first_timeout=0.6, **options)
    assert failed["reason"] == "read_timeout"
    assert run(capsys, module, **options)["available"]


@pytest.mark.parametrize("required", [False, True])
def test_events_that_cannot_be_read(imds: Any, read: Read, required: bool) -> None:
    imds.fault(path="/metadata/scheduledevents", status=403, count=9)
    found = read(required=required)
    assert (found["available"], found["reason"], found["events"], found["vm_name"]) == (False, "forbidden", [], "vm1")
    assert found.get("failed", False) is required
    assert not required or found["remedy"] in found["msg"]


def test_a_single_error_does_not_matter(imds: Any, read: Read) -> None:
    imds.fault(path="/metadata/scheduledevents", status=503, count=1)
    assert [attempt["status"] for attempt in read()["attempts"]] == [200, 503, 200]


def test_a_name_that_cannot_be_asked_is_a_failure(imds: Any, read: Read) -> None:
    """Else events of others would pass for those of this VM."""
    add(imds, scenario="other-vm-only", id=ID)
    imds.fault(path="/metadata/instance", status=403, count=1)
    found = read()
    assert (found["failed"], found["reason"], found["events"]) == (True, "forbidden", [])


def test_silence_does_not_take_as_long_as_switching_on(imds: Any, read: Read) -> None:
    """An address that IMDS does not answer is found out by a usual request."""
    imds.fault(path="/metadata", drop=True, delay=5, count=9)
    found = read(timeout=0.5, read_timeout=0.2)
    assert [attempt["path"] for attempt in found["attempts"]] == ["instance/compute/name"]
    assert found["reason"] == "read_timeout"


def test_a_vm_without_a_name_cannot_tell_whose_events_they_are(imds: Any, read: Read) -> None:
    imds.fault(path="/metadata/instance", status=404, count=1)
    add(imds, scenario="other-vm-only", id=ID)
    found = read()
    assert (found["vm_name"], [event["mine"] for event in found["events"]]) == (None, [None])
    assert any("mine is null" in warning for warning in found["warnings"])


@pytest.fixture(name="no_network")
def _no_network(monkeypatch: Any) -> None:
    """Whoever so much as makes a socket ends the test."""

    def explode(*_arguments: Any, **_options: Any) -> None:
        pytest.fail("something was about to be sent")

    monkeypatch.setattr(socket, "socket", explode)


@pytest.mark.parametrize("required", [False, True])
@pytest.mark.usefixtures("no_network")
def test_off_azure_nothing_is_sent(capsys: pytest.CaptureFixture[str], required: bool) -> None:
    found = run(capsys, module, required=required, chassis_asset_tag=ELSEWHERE["chassis_asset_tag"])
    assert (found["available"], found["reason"], found["attempts"]) == (False, "not_azure", [])
    assert found.get("failed", False) is required


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"event_types": ["reboot"]}, "event_types"),
        ({"sources": ["Azure"]}, "sources"),
        ({"statuses": ["Completed"]}, "statuses"),
        ({"event_ids": ["17"]}, "event_ids"),
        ({"within": -1}, "within"),
        ({"api_version": "latest"}, "api_version"),
        ({"first_timeout": 0}, "first_timeout"),
        ({"first_timeout": 4000}, "first_timeout"),
        ({"timeout": -1}, "timeout"),
        ({"endpoint": "http://10.0.0.1"}, "endpoint"),
    ],
    ids=str,
)
@pytest.mark.usefixtures("no_network")
def test_bad_input_is_refused_by_name(capsys: pytest.CaptureFixture[str], options: dict[str, Any], names: str) -> None:
    found = run(capsys, module, **{**ELSEWHERE, **options})
    assert found["failed"]
    assert names in found["msg"]


def test_options_are_documented() -> None:
    assert_options_are_documented(module)
