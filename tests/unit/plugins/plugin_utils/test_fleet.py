# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the report of a fleet says of a host."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.plugin_utils import _fleet
from hypothesis import given
from hypothesis import strategies as st

FACTS: dict[str, Any] = {
    "available": True,
    "reason": "ok",
    "name": "web-1",
    "zone": "2",
    "platform_fault_domain": 0,
    "image": {"publisher": "canonical", "offer": "ubuntu", "sku": "server", "version": "1", "id": None},
    "tags": {"role": "web", "empty": ""},
    "storage": {
        "os_disk": {"name": "os", "disk_size_gb": 30, "device": {"path": "/dev/sda", "mounts": ["/", "/boot"]}},
        "data_disks": [{"name": "d", "lun": 0, "device": None}],
        "resource_disk": None,
        "local_disks": [{"device": {"path": r"\\.\PHYSICALDRIVE2", "drive_letters": ["E"]}}],
    },
    "network": {
        "interfaces": [
            {
                "private_ip_addresses": ["10.0.0.4"],
                "public_ip_addresses": ["203.0.113.9"],
                "ipv6_addresses": ["fd00::4"],
            }
        ]
    },
}
EVENT = {"event_type": "Freeze", "event_status": "Scheduled", "not_before": "2026-11-28T00:00:00Z", "mine": True}


def test_entry_of_a_vm() -> None:
    found = _fleet.entry("a", {"facts": {"ansible_facts": {"azure_imds": FACTS}}})
    assert found == {**found, **_fleet.entry("a", {"facts": FACTS})}, "a task's result, or the facts themselves"
    assert (found["status"], found["zone"], found["fault_domain"]) == ("ok", "2", "0")
    assert found["image"] == "canonical:ubuntu:server:1"
    assert found["tags"] == {"role": "web", "empty": ""}
    assert found["addresses"] == ["10.0.0.4", "203.0.113.9", "fd00::4"]
    assert [(disk["kind"], disk["lun"], disk["device"], disk["mounts"]) for disk in found["disks"]] == [
        ("os", None, "/dev/sda", ["/", "/boot"]),
        ("data", "0", None, []),
        ("local", None, r"\\.\PHYSICALDRIVE2", ["E"]),
    ]
    assert {found[part]["verdict"] for part in ("events", "attestation", "route")} == {"not_asked"}


def test_name_of_a_custom_image() -> None:
    image = {"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/images/golden"}
    assert _fleet.entry("a", {"facts": {"image": image}})["image"] == "golden"


@pytest.mark.parametrize(
    ("answer", "status", "message"),
    [
        ({"unreachable": True, "msg": "no route"}, "unreachable", "no route"),
        ({"failed": True, "msg": "No Python"}, "failed", "No Python"),
        ({"available": False, "reason": "throttled", "remedy": "Look for it."}, "throttled", "Look for it."),
        ({"skipped": True, "changed": False}, "not_asked", ""),
        (None, "not_asked", ""),
    ],
)
def test_host_without_facts(answer: Any, status: str, message: str) -> None:
    found = _fleet.entry("a", {"facts": answer})
    assert (found["status"], found["message"]) == (status, message)


@pytest.mark.parametrize(
    ("part", "answer", "verdict"),
    [
        ("events", {"available": True, "events": []}, "none"),
        ("events", {"available": True, "events": [EVENT]}, "pending"),
        ("events", {"available": True, "events": [{**EVENT, "mine": None}]}, "pending"),
        ("events", {"available": True, "events": [{**EVENT, "mine": False}]}, "none"),
        ("events", {"available": False, "reason": "not_azure", "events": []}, "unavailable"),
        ("attestation", {"verified": True, "identity_bound": True}, "attested"),
        ("attestation", {"verified": True, "identity_bound": False}, "genuine"),
        ("attestation", {"failed": True, "verified": False, "step": "chain", "reason": "untrusted"}, "refused"),
        ("attestation", {"verified": False, "step": "request", "reason": "not_azure"}, "no_document"),
        ("attestation", {"failed": True, "msg": "no cryptography"}, "failed"),
        ("route", {"findings": [{"severity": "ok"}], "plan": []}, "ok"),
        ("route", {"findings": [{"severity": "warning", "code": "x"}], "plan": []}, "ok"),
        ("route", {"findings": [{"severity": "refusal", "code": "x"}], "plan": []}, "faulty"),
        ("route", {"findings": [{"severity": "error", "code": "x"}], "plan": [{}]}, "repairable"),
        ("route", {"unreachable": True}, "unreachable"),
    ],
)
def test_verdict(part: str, answer: dict[str, Any], verdict: str) -> None:
    assert _fleet.entry("a", {part: answer})[part]["verdict"] == verdict


def test_next_event_is_one_that_has_started_then_the_soonest() -> None:
    later, unknown = {**EVENT, "event_id": "later"}, {**EVENT, "event_id": "unknown", "not_before": None}
    sooner = {**EVENT, "event_id": "sooner", "not_before": "2026-11-27T00:00:00Z"}
    started = {**EVENT, "event_id": "started", "event_status": "Started", "not_before": None}
    answer = {"available": True, "events": [unknown, later, started, sooner]}
    found = _fleet.entry("a", {"events": answer})["events"]
    assert [event["event_id"] for event in found["pending"]] == ["started", "sooner", "later", "unknown"]
    assert found["next"]["event_id"] == "started"


KEYS = ("image", "tags", "storage", "network", "interfaces", "events", "findings", "device", "os_disk")
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ("image", "tags", "storage", "network", "interfaces", "events", "findings", "device", "os_disk")
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(_fleet.ANSWERS, anything)))
def test_any_answer_makes_an_entry_and_a_line(answers: dict[str, Any]) -> None:
    text = _fleet.as_csv([_fleet.entry("a", answers)])
    header, line = csv.reader(io.StringIO(text, newline=""))
    assert len(header) == len(line) == len(_fleet.COLUMNS)
    assert not [cell for cell in line if cell.startswith(_fleet.FORMULA)]


def test_no_cell_is_a_formula() -> None:
    text = _fleet.as_csv([_fleet.entry("a", {"facts": {**FACTS, "name": "=1+1", "zone": "@x", "location": 'a,"b\n'}})])
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert (row["name"], row["zone"], row["location"]) == ("'=1+1", "'@x", 'a,"b\n')
