# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._events.document import parse
from ansible_collections.imds.azure.plugins.module_utils._events.selection import selection
from ansible_collections.imds.azure.plugins.module_utils._imds.options import OptionError
from ansible_collections.imds.azure.tests.scenarios.imds.events import NOW, VM, raw_document, raw_event

IDS = {name: f"00000000-0000-0000-0000-00000000000{number}" for number, name in enumerate("abcdef")}
DOCUMENT = raw_document(
    raw_event(IDS["a"], 600),
    raw_event(IDS["b"], None, EventType="Freeze", EventSource="Platform"),
    raw_event(IDS["c"], 30, EventType="Preempt", EventSource="Platform", Resources=["vm1", "vm2"]),
    raw_event(IDS["d"], 600, Resources=["vm2"]),
    raw_event(IDS["e"], 600, EventType="Novelty", NotBefore="?"),
)


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        ({}, "abce"),
        ({"mine": None, "within": None, "event_types": None, "endpoint": "x"}, "abce"),
        ({"mine": False}, "abcde"),
        ({"event_types": ["Reboot", "Freeze"]}, "ab"),
        ({"event_types": []}, ""),
        ({"sources": ["Platform"]}, "bc"),
        ({"sources": []}, ""),
        ({"statuses": ["Started"]}, "b"),
        ({"statuses": ["Scheduled", "Started"]}, "abce"),
        ({"statuses": []}, ""),
        ({"event_ids": [IDS["a"].upper(), IDS["d"]]}, "a"),
        ({"event_ids": [IDS["d"]], "mine": False}, "d"),
        ({"event_ids": []}, ""),
        ({"within": 60}, "bce"),
        ({"within": 600}, "abce"),
        ({"within": 0}, "be"),
        ({"event_types": ["Preempt", "Reboot"], "within": 60}, "c"),
    ],
    ids=str,
)
def test_events_meet_every_filter(options: dict[str, Any], chosen: str) -> None:
    events = parse(DOCUMENT, NOW, VM).events
    wanted = selection(options)
    assert [event.event_id for event in wanted.choose(events)] == [IDS[name] for name in chosen]
    assert not (wanted.empty and chosen)


@pytest.mark.parametrize(
    ("options", "unrestricted", "empty"),
    [
        ({}, True, False),
        ({"mine": False}, True, False),
        ({"within": 0}, False, False),
        ({"event_ids": []}, False, True),
        ({"sources": ["User"]}, False, False),
        ({"sources": ["User"], "event_types": []}, False, True),
    ],
    ids=str,
)
def test_what_a_selection_says_of_itself(options: dict[str, Any], unrestricted: bool, empty: bool) -> None:
    wanted = selection(options)
    assert (wanted.unrestricted, wanted.empty) == (unrestricted, empty)


def test_where_the_name_is_unknown_every_event_may_be_mine() -> None:
    events = parse(DOCUMENT, NOW).events
    assert len(selection({}).choose(events)) == 5


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("event_types", ["reboot"]),
        ("event_types", ["Reboot", "LiveMigration"]),
        ("event_types", "Reboot"),
        ("sources", ["Azure"]),
        ("statuses", ["Completed"]),
        ("statuses", [1]),
        ("event_ids", ["17"]),
        ("event_ids", [""]),
        ("event_ids", [IDS["a"], f"{{{IDS['a']}}}"]),
        ("event_ids", [f"{IDS['a']}\n"]),
        ("event_ids", {}),
        ("mine", "yes"),
        ("within", -1),
        ("within", 10**9),
        ("within", "60"),
    ],
    ids=str,
)
def test_bad_filters_are_refused_by_name(option: str, value: Any) -> None:
    with pytest.raises(OptionError) as error:
        selection({option: value})
    assert error.value.option == option
    assert str(error.value).startswith(f"{option}: ")
