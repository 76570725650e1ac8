# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._events import document, terms
from ansible_collections.imds.azure.plugins.module_utils._events.document import DocumentError, Event, parse, soonest
from ansible_collections.imds.azure.tests.scenarios.imds.events import ID, NOW, OTHER_ID, VM, raw_document, raw_event
from hypothesis import given
from hypothesis import strategies as st

FOLDER = Path(document.__file__).parent
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
ANYTHING = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.text(max_size=3), SCALARS, max_size=2)


def typed(**fields: Any) -> Event:
    (event,) = parse(raw_document(raw_event(**fields)), NOW, VM).events
    return event


def test_an_event_with_all_its_keys() -> None:
    assert typed().as_dict() == {
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
        "description": "",
        "event_source": "User",
        "duration": None,
        "duration_raw": -1,
        "unrecognized": [],
    }


@pytest.mark.parametrize("document", [raw_document(), raw_document(raw_event(), raw_event(OTHER_ID), incarnation=7)])
def test_a_document(document: dict[str, Any]) -> None:
    read = parse(document, NOW, VM)
    assert read.incarnation == document["DocumentIncarnation"]
    assert [event.event_id for event in read.events] == [event["EventId"] for event in document["Events"]]


def test_fields_that_an_old_version_lacks_are_none() -> None:
    raw = raw_event()
    for name in ("Description", "EventSource", "DurationInSeconds"):
        del raw[name]
    (event,) = parse(raw_document(raw), NOW, VM, "2019-01-01").events
    assert (event.description, event.event_source, event.duration, event.duration_raw) == (None,) * 4
    assert event.unrecognized == []


def test_a_started_event_has_no_time_left() -> None:
    event = typed(notice=None)
    assert (event.started, event.not_before, event.not_before_raw, event.seconds_left) == (True, None, "", None)
    assert event.unrecognized == []
    assert typed(notice=60, EventStatus="Started").seconds_left is None


@pytest.mark.parametrize(("now", "left"), [(NOW, 900), (NOW + 0.5, 899), (NOW + 900, 0), (NOW + 960, -60)])
def test_seconds_left_by_the_time_of_the_answer(now: float, left: int) -> None:
    (event,) = parse(raw_document(raw_event()), now, VM).events
    assert event.seconds_left == left


@pytest.mark.parametrize(
    ("resources", "mine", "only_mine"),
    [
        (["vm1"], True, True),
        (["VM1"], True, True),
        (["vm1", "vm2"], True, False),
        (["vm2"], False, False),
        (["vm10"], False, False),
        (["_vm1"], False, False),
    ],
)
def test_whose_event_it_is(resources: list[str], mine: bool, only_mine: bool) -> None:
    event = typed(Resources=resources)
    assert (event.mine, event.only_mine) == (mine, only_mine)


def test_without_the_name_of_the_vm_nothing_is_said() -> None:
    (event,) = parse(raw_document(raw_event()), NOW).events
    assert (event.mine, event.only_mine) == (None, None)


def test_the_underscore_of_the_preview() -> None:
    (event,) = parse(raw_document(raw_event(Resources=["_vm1", "_vm2"])), NOW, VM, terms.PREVIEW).events
    assert (event.resources, event.mine, event.only_mine) == (["vm1", "vm2"], True, False)


@pytest.mark.parametrize(("raw", "duration"), [(-1, None), (0, 0), (9, 9), (None, None)])
def test_durations(raw: Any, duration: int | None) -> None:
    event = typed(DurationInSeconds=raw)
    assert (event.duration, event.duration_raw, event.unrecognized) == (duration, raw, [])


@pytest.mark.parametrize(
    ("field", "value", "key", "kept"),
    [
        ("EventType", "LiveMigration", "event_type", "LiveMigration"),
        ("EventType", 5, "event_type", None),
        ("EventType", None, "event_type", None),
        ("EventStatus", "Completed", "event_status", "Completed"),
        ("EventStatus", None, "event_status", None),
        ("EventId", None, "event_id", None),
        ("EventSource", "Guest", "event_source", "Guest"),
        ("EventId", "", "event_id", None),
        ("EventId", 7, "event_id", None),
        ("ResourceType", [], "resource_type", None),
        ("Description", {}, "description", None),
        ("NotBefore", "soon", "not_before", None),
        ("NotBefore", "", "not_before", None),
        ("NotBefore", 5, "not_before", None),
        ("Resources", "vm1", "resources", []),
        ("Resources", [], "resources", []),
        ("Resources", ["vm1", 3, ""], "resources", ["vm1"]),
        ("DurationInSeconds", -2, "duration", None),
        ("DurationInSeconds", "9", "duration", None),
        ("DurationInSeconds", True, "duration", None),
        ("DurationInSeconds", 1.5, "duration", None),
    ],
)
def test_what_is_unknown_or_unreadable_is_kept_and_marked(field: str, value: Any, key: str, kept: Any) -> None:
    event = typed(**{field: value})
    assert event.unrecognized == [key]
    assert getattr(event, key) == kept
    json.dumps(event.as_dict())


def test_an_unreadable_date_is_kept_as_it_came() -> None:
    event = typed(NotBefore="next week")
    assert (event.not_before, event.not_before_raw, event.seconds_left) == (None, "next week", None)


def test_names_that_cannot_be_read_may_be_another_vm() -> None:
    event = typed(Resources=["vm1", 3])
    assert (event.mine, event.only_mine) == (True, False)


@pytest.mark.parametrize(
    "content", [None, [], "x", {}, {"Events": None}, {"Events": {}}, {"Events": ["x"]}, {"Events": [None]}]
)
def test_what_is_no_document(content: Any) -> None:
    with pytest.raises(DocumentError):
        parse(content, NOW)


@pytest.mark.parametrize("incarnation", [None, "2", True, 1.5])
def test_an_incarnation_that_is_no_number_is_unknown(incarnation: Any) -> None:
    assert parse({"DocumentIncarnation": incarnation, "Events": []}, NOW).incarnation is None
    assert parse({"Events": []}, NOW).incarnation is None


def test_an_event_is_found_by_its_id_whatever_the_case() -> None:
    read = parse(raw_document(raw_event(OTHER_ID), raw_event(), raw_event(EventId=None)), NOW, VM)
    found = read.find(ID.lower())
    assert found is read.events[1]
    assert read.find("reboot vm1") is None


def test_the_event_that_starts_first() -> None:
    events = [typed(notice=900), typed(notice=None), typed(notice=60), typed(NotBefore="soon")]
    assert soonest(events) is events[2]
    assert soonest([events[1], events[3]]) is None
    assert soonest([typed(notice=0), typed(notice=5)]).seconds_left == 0  # type: ignore[union-attr]


def test_documents_are_read_without_anything_of_ansible() -> None:
    program = f"""
import sys
sys.path.insert(0, {str(FOLDER.parent)!r})
from _events import dates, document, phases, terms
print(document.parse({{"Events": []}}, 0).events, "ansible" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.split() == ["[]", "False"]


@given(
    st.dictionaries(st.sampled_from(sorted(raw_event())), ANYTHING),
    st.sampled_from(terms.VERSIONS),
    st.none() | st.text(),
)
def test_no_event_is_an_error(fields: dict[str, Any], version: str, name: str | None) -> None:
    (event,) = parse(raw_document(fields), NOW, name, version).events
    shown = event.as_dict()
    assert json.loads(json.dumps(shown)) == shown
    assert set(event.unrecognized) < set(shown)
    assert event.only_mine is not True or event.mine
    assert event.key == event.key.lower()
