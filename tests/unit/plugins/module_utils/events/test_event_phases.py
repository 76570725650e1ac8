# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._events.document import parse
from ansible_collections.imds.azure.plugins.module_utils._events.phases import Absence, Watch
from ansible_collections.imds.azure.tests.scenarios.imds.events import ID, NOW, OTHER_ID, VM, raw_document, raw_event

SCHEDULED, STARTED, OTHER = raw_event(), raw_event(notice=None), raw_event(OTHER_ID)
Read = tuple[int, list[dict[str, Any]]]


def phases(watch: Watch, read: Read, now: int = NOW) -> list[str]:
    incarnation, events = read
    document = parse(raw_document(*events, incarnation=incarnation), now, VM)
    return [f"{change.phase} {str(change.event['event_id'])[:1]}" for change in watch.see(document)]


@pytest.mark.parametrize("restarted", [False, True], ids=["one watch", "a restart after each read"])
@pytest.mark.parametrize(
    ("reads", "expected"),
    [
        ([(1, [])], [[]]),
        ([(2, [SCHEDULED]), (2, [SCHEDULED]), (3, [STARTED])], [["new 0"], [], ["started 0"]]),
        ([(3, [STARTED]), (3, [STARTED]), (3, [STARTED]), (4, [])], [["started 0"], [], [], ["gone 0"]]),
        ([(2, [STARTED]), (2, [STARTED]), (3, [])], [["started 0"], [], ["gone 0"]]),
        ([(2, [SCHEDULED]), (3, [raw_event(notice=1800)])], [["new 0"], ["updated 0"]]),
        ([(2, [SCHEDULED]), (3, [raw_event(EventType="Freeze")])], [["new 0"], ["updated 0"]]),
        ([(2, [STARTED]), (3, [raw_event(notice=None, EventType="Freeze")])], [["started 0"], ["updated 0"]]),
        ([(2, [SCHEDULED]), (3, [raw_event(Resources=["vm1", "vm2"])])], [["new 0"], ["updated 0"]]),
        ([(2, [SCHEDULED]), (2, [raw_event(Description="other words")])], [["new 0"], []]),
        ([(2, [SCHEDULED]), (2, [raw_event(EventId=ID.lower())])], [["new 0"], []]),
        ([(2, [SCHEDULED]), (3, [SCHEDULED, OTHER]), (4, [OTHER])], [["new 0"], ["new 1"], ["gone 0"]]),
        # Lacking once with the same incarnation, or after the service restarted, is not gone yet.
        ([(2, [SCHEDULED]), (2, []), (2, [SCHEDULED])], [["new 0"], [], []]),
        ([(2, [SCHEDULED]), (2, []), (2, [])], [["new 0"], [], ["gone 0"]]),
        ([(5, [SCHEDULED]), (1, []), (2, [SCHEDULED])], [["new 0"], [], []]),
        ([(5, [SCHEDULED]), (1, []), (1, [])], [["new 0"], [], ["gone 0"]]),
        ([(5, [SCHEDULED]), (1, [SCHEDULED]), (1, [STARTED])], [["new 0"], [], ["started 0"]]),
        ([(2, [SCHEDULED]), (3, []), (4, [SCHEDULED])], [["new 0"], ["gone 0"], ["new 0"]]),
    ],
    ids=str,
)  # fmt: skip
def test_each_phase_is_reported_once(reads: list[Read], expected: list[list[str]], restarted: bool) -> None:
    watch, found = Watch(), []
    for read in reads:
        found.append(phases(watch, read))
        if restarted:
            watch = Watch(json.loads(json.dumps(watch.state())))
    assert found == expected


def test_time_alone_updates_nothing() -> None:
    watch = Watch()
    assert phases(watch, (2, [SCHEDULED])) == ["new 0"]
    assert phases(watch, (2, [SCHEDULED]), NOW + 60) == []


def test_a_gone_event_is_told_as_last_seen() -> None:
    watch = Watch()
    phases(watch, (2, [SCHEDULED]))
    phases(watch, (3, [STARTED]))
    (change,) = watch.see(parse(raw_document(incarnation=4), NOW, VM))
    assert change.phase == "gone"
    assert change.event["event_status"] == "Started"


def test_events_without_an_id_are_told_apart_by_what_they_say() -> None:
    nameless = [raw_event(EventId=None), raw_event(EventId=None, EventType="Freeze")]
    watch = Watch()
    assert len(phases(watch, (2, nameless))) == 2
    assert phases(watch, (2, nameless)) == []


def test_absence_of_what_was_never_seen_takes_two_reads() -> None:
    absence = Absence()
    empty = parse(raw_document(incarnation=3), NOW)
    assert absence.see(empty, [ID.lower()]) == set()
    assert absence.see(empty, [ID.lower()]) == {ID.lower()}


def test_absence_without_incarnations_takes_two_reads() -> None:
    absence = Absence()
    assert absence.see(parse({"Events": [SCHEDULED]}, NOW), [ID.lower()]) == set()
    assert absence.see(parse({"Events": []}, NOW), [ID.lower()]) == set()
    assert absence.see(parse({"Events": []}, NOW), [ID.lower()]) == {ID.lower()}
