# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Windows module of the route fix alone: what may be asked of it, and what one operation does."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.imds.azure.tests.scenarios.windows_reports import (
    IMDS,
    STATIC_DEFAULT,
    WANTED,
    report,
)
from ansible_collections.imds.azure.tests.windows.windows_host import CmdletError, Row
from ansible_collections.imds.azure.tests.windows.windows_site import Site


@pytest.mark.parametrize(
    ("request_", "check_mode", "words"),
    [
        (None, False, "action plugin"),
        ({}, False, "action plugin"),
        ({"mode": "guess"}, False, "action plugin"),
        ({"mode": "apply", "steps": []}, True, "check mode"),
        ({"mode": "apply", "steps": [{"phase": "repair", "do": [{"action": "format"}]}]}, False, "format"),
        ({"mode": "apply", "steps": ["remove"]}, False, "steps: "),
        ({"mode": "apply", "steps": [None]}, False, "steps: "),
        ({"mode": "apply", "steps": {"phase": "repair", "do": []}}, False, "steps: "),
        ({"mode": "apply", "steps": [{"phase": "repair", "do": {"action": "remove"}}]}, False, "do: "),
        ({"mode": "apply", "steps": [], "expect": "10.0.1.10"}, False, "expect: "),
        ({"mode": "apply", "steps": [], "expect": {}, "verify": "yes"}, False, "verify: "),
        ({"mode": "apply", "steps": [], "expect": {}, "rollback": "yes"}, False, "rollback: "),
    ],
)
def test_what_the_controller_does_not_ask(site: Site, request_: Any, check_mode: bool, words: str) -> None:
    done = site.module({"request": request_}, check_mode)
    assert done["failed"]
    assert words in done["msg"]
    assert not site.host.changes()


@pytest.mark.parametrize(
    "operation",
    [
        {"prefix": "0.0.0.0/0"},
        {"prefix": "169.254.0.0/16"},
        {"prefix": ""},
        {"next_hop": ""},
        {"interface_index": 0},
        {"store": "both", "action": "remove"},
        {"store": "persistent", "action": "add"},
        {"store": ""},
        {"action": "skip_as_source", "address": ""},
    ],
)
def test_no_operation_goes_beyond_the_host_route_of_imds(site: Site, operation: Row) -> None:
    whole = {"action": "remove", "prefix": IMDS, "interface_index": 5, "next_hop": "0.0.0.0", "metric": 1}
    step = {"phase": "repair", "do": [{**whole, "store": "active", **operation}], "undo": []}
    done = site.module({"request": {"mode": "apply", "steps": [step], "expect": {}}}, check_mode=False)
    assert "no such operation" in done["msg"]
    assert not site.host.calls


THERE, WORSE = [WANTED], [{**WANTED, "RouteMetric": 7}]


@pytest.mark.parametrize(
    ("active", "persistent", "operation", "count", "fine"),
    [
        (THERE, THERE, {"action": "add", "store": "both"}, 0, True),
        (THERE, [], {"action": "add", "store": "active"}, 0, True),
        ([], THERE, {"action": "add", "store": "active"}, 1, True),
        ([], [], {"action": "add", "store": "both"}, 1, True),
        ([{**WANTED, "InterfaceIndex": 7}], [], {"action": "add", "store": "active"}, 1, True),
        ([{**WANTED, "NextHop": "10.0.1.1"}], [], {"action": "add", "store": "active"}, 1, True),
        (THERE, [], {"action": "add", "store": "both"}, 1, False),
        ([], THERE, {"action": "add", "store": "both"}, 1, False),
        (THERE, WORSE, {"action": "add", "store": "both"}, 1, False),
        (WORSE, [], {"action": "add", "store": "active"}, 1, False),
        (THERE, [], {"action": "remove", "store": "persistent"}, 0, True),
        ([], THERE, {"action": "remove", "store": "active"}, 0, True),
        (THERE, [], {"action": "set_metric", "store": "persistent"}, 0, True),
        (WORSE, [], {"action": "set_metric", "store": "active"}, 1, True),
    ],
)
def test_an_operation_changes_what_is_not_yet_as_it_wants(
    site: Site, active: list[Row], persistent: list[Row], operation: Row, count: int, fine: bool
) -> None:
    site.build(report([STATIC_DEFAULT, *active], persistent))
    whole = {"prefix": IMDS, "interface_index": 5, "next_hop": "0.0.0.0", "metric": 1, **operation}
    steps = [{"phase": "repair", "do": [whole], "undo": []}]
    done = site.module({"request": {"mode": "apply", "steps": steps, "expect": {}}}, check_mode=False)
    assert len(site.host.changes()) == count
    assert (done["error"] == "") == fine


def test_what_somebody_else_made_meanwhile_is_no_failure(site: Site) -> None:
    site.host.failing, site.host.failure = 0, CmdletError("Windows System Error 87,New-NetRoute", "InvalidArgument")
    site.after_change(
        1, lambda: [site.host.report["routes"][store].append(WANTED) for store in ("active", "persistent")]
    )
    done = site.task()
    assert (done.get("failed"), done["verified"]) == (None, True)
    assert len(site.host.changes()) == 1


def test_what_went_by_itself_meanwhile_is_no_failure(site: Site) -> None:
    site.task()
    gone = CmdletError("CmdletizationQuery_NotFound_DestinationPrefix,Remove-NetRoute", "ObjectNotFound")
    site.host.failing, site.host.failure = 0, gone
    site.after_change(2, site.host.report["routes"]["active"].pop)
    done = site.task(state="absent")
    assert (done.get("failed"), done["changed"]) == (None, True)
    assert site.host.host_routes() == []


def test_bad_options_name_the_option(site: Site) -> None:
    done = site.module({"request": {"mode": "collect"}, "endpoint": "ftp://x"}, check_mode=False)
    assert done["msg"].startswith("endpoint: ")


@pytest.mark.parametrize("digest", [None, "", "0" * 64])
def test_steps_for_other_routes_are_refused(site: Site, digest: Any) -> None:
    operation = {
        "action": "add",
        "prefix": IMDS,
        "interface_index": 5,
        "next_hop": "0.0.0.0",
        "metric": 1,
        "store": "both",
    }
    steps = [{"phase": "repair", "do": [operation], "undo": []}]
    request = {"mode": "apply", "steps": steps, "expect": {}, "digest": digest}
    done = site.module({"request": request}, check_mode=False)
    assert "no longer those that were planned for" in done["msg"]
    assert not site.host.changes()
    reported = site.module({"request": {"mode": "collect"}}, check_mode=False)["report"]["digest"]
    assert reported == site.host.digest()
    assert site.module({"request": {**request, "digest": reported}}, check_mode=False)["kept"]
