# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which commands are due, and in which order they may start."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._watcher.ledger import MOST_DUE, Due, Ledger

ALL = ("new", "updated", "started", "gone")


def event(event_id: str | None, status: str = "Scheduled") -> dict[str, Any]:
    return {"event_id": event_id, "event_status": status}


def shown(dues: list[Due]) -> list[tuple[str, str]]:
    return [(due.phase, due.event["event_id"]) for due in dues]


def start(ledger: Ledger) -> list[Due]:
    found = ledger.startable()
    for due in found:
        due.running = True
    return found


def test_phases_of_one_event_follow_each_other() -> None:
    ledger = Ledger(ALL, at_once=8)
    for phase in ALL:
        ledger.add(phase, event("A"))
    order = []
    while len(ledger):
        (due,) = start(ledger)
        assert start(ledger) == []
        order.append(due.phase)
        ledger.ended(due)
    assert order == list(ALL)


def test_an_event_does_not_wait_for_another() -> None:
    ledger = Ledger(ALL, at_once=8)
    ledger.add("new", event("A"))
    start(ledger)
    ledger.add("started", event("a"))
    ledger.add("new", event("B"))
    assert shown(start(ledger)) == [("new", "B")]


def test_only_so_many_run_at_once() -> None:
    ledger = Ledger(ALL, at_once=2)
    for name in "ABCD":
        ledger.add("new", event(name))
    first = start(ledger)
    assert shown(first) == [("new", "A"), ("new", "B")]
    ledger.ended(first[0])
    assert shown(start(ledger)) == [("new", "C")]


def test_phases_without_a_command_are_not_due() -> None:
    ledger = Ledger(("started",), at_once=8)
    assert ledger.add("new", event("A"))
    assert len(ledger) == 0
    assert ledger.add("started", event("A"))
    assert len(ledger) == 1


def test_it_does_not_grow_without_end() -> None:
    ledger = Ledger(ALL, at_once=1)
    assert all(ledger.add("updated", event("A")) for _update in range(MOST_DUE))
    assert not ledger.add("updated", event("A"))
    assert len(ledger) == MOST_DUE


# Phase that was due when the watcher ended, status of the event now (None: gone) -> whether its command is repeated.
@pytest.mark.parametrize(
    ("phase", "status", "repeated"),
    [
        ("new", "Scheduled", True),
        ("new", "Started", False),
        ("new", None, False),
        ("updated", "Scheduled", True),
        ("updated", "Started", False),
        ("started", "Started", True),
        ("started", "Scheduled", False),
        ("started", None, False),
        ("gone", None, True),
        ("gone", "Scheduled", False),
    ],
)
def test_what_a_restart_repeats(phase: str, status: str | None, repeated: bool) -> None:
    before = Ledger(ALL, at_once=8)
    before.add(phase, event("A"))
    start(before)
    ledger = Ledger(ALL, at_once=8)
    overtaken = ledger.resume(before.as_json(), [] if status is None else [event("a", status)])
    assert shown(ledger.startable()) == ([(phase, "A")] if repeated else [])
    assert overtaken == ([] if repeated else [(phase, "A")])


def test_what_has_ended_is_not_kept() -> None:
    ledger = Ledger(ALL, at_once=8)
    ledger.add("new", event("A"))
    ledger.add("started", event("A", "Started"))
    ledger.ended(start(ledger)[0])
    assert ledger.as_json() == [{"phase": "started", "event": event("A", "Started")}]


def test_an_event_without_an_id() -> None:
    ledger = Ledger(ALL, at_once=8)
    ledger.add("new", event(None))
    kept = ledger.as_json()
    assert len(start(ledger)) == 1
    again = Ledger(ALL, at_once=8)
    assert again.resume(kept, [event(None)]) == []
    assert len(again) == 1
