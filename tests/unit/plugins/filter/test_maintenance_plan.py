# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may be taken out of service, with whom, and when."""

from __future__ import annotations

import itertools
import random
from typing import Any, Optional

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.imds.azure.plugins.filter.maintenance_plan import maintenance_plan

LETTERS = "abcdef"


def event(name: str, *vms: str, starts: Optional[str] = "2026-01-01T00:15:00Z", **more: Any) -> dict[str, Any]:
    status = "Started" if starts == "" else "Scheduled"
    return {
        "event_id": name,
        "event_type": "Reboot",
        "event_status": status,
        "resources": list(vms),
        "not_before": starts or None,
        **more,
    }


def host(name: str, *events: dict[str, Any], groups: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    """The host x is the VM vm-x."""
    return {"host": name, "asked": True, "vm_name": f"vm-{name}", "groups": [*groups], "events": [*events], **more}


def alone(name: str, *groups: str, starts: Optional[str] = "2026-01-01T00:15:00Z") -> dict[str, Any]:
    """A host with an event of its own."""
    return host(name, event(f"E-{name}", f"vm-{name}", starts=starts), groups=groups)


def plan(*hosts: dict[str, Any], batch: Optional[list[str]] = None, at_once: int = 1, **more: Any) -> dict[str, Any]:
    names = [each["host"] for each in hosts]
    return maintenance_plan([*hosts], names, names if batch is None else batch, at_once, **more)


def test_a_host_without_events_is_left_out() -> None:
    assert plan(host("a")) == {"rounds": [], "units": {}, "approves": {}, "refused": {}}


@pytest.mark.parametrize(
    ("at_once", "rounds"),
    [(1, [["a"], ["b"], ["c"]]), (2, [["a", "b"], ["c"]]), (9, [["a", "b", "c"]])],
)
def test_rounds_are_no_larger_than_asked_for(at_once: int, rounds: list[list[str]]) -> None:
    assert plan(alone("a"), alone("b"), alone("c"), at_once=at_once)["rounds"] == rounds


def test_what_starts_first_goes_first() -> None:
    hosts = [
        alone("a", starts=None),
        alone("b", starts="2026-01-02T00:00:00Z"),
        alone("c", starts="2026-01-01T00:00:00Z"),
        alone("d", starts=""),
    ]
    assert plan(*hosts)["rounds"] == [["d"], ["c"], ["b"], ["a"]]


def test_members_of_a_group_go_one_after_the_other() -> None:
    found = plan(alone("a", "x"), alone("b", "y"), alone("c", "x", "z"), alone("d", "z"), at_once=9)
    assert found["rounds"] == [["a", "b", "d"], ["c"]]
    assert not found["refused"]


@pytest.mark.parametrize("seed", range(20))
def test_the_rules_hold_for_any_fleet(seed: int) -> None:
    chance = random.Random(seed)
    names = [f"h{number}" for number in range(12)]
    shared = [event(f"E{number}", *(f"vm-{name}" for name in chance.sample(names, 2))) for number in range(3)]
    hosts = [
        host(
            name,
            *(each for each in shared if f"vm-{name}" in each["resources"]),
            *([event(f"E-{name}", f"vm-{name}")] if chance.random() < 0.7 else []),
            groups=tuple(chance.sample(LETTERS, chance.randrange(3))),
        )
        for name in names
    ]
    at_once = chance.randrange(1, 5)
    found = plan(*hosts, at_once=at_once)
    planned = [name for part in found["rounds"] for name in part]
    assert sorted([*planned, *found["refused"]]) == sorted(each["host"] for each in hosts if each["events"])
    groups = {each["host"]: each["groups"] for each in hosts}
    for part in found["rounds"]:
        assert len(part) <= at_once or part == found["units"][part[0]]
        members = list(itertools.chain.from_iterable(groups[name] for name in part))
        assert len(members) == len(set(members))
        assert all(set(found["units"][name]) <= set(part) for name in part)
    approved = [each for name in planned for each in found["approves"][name]]
    assert sorted(approved) == sorted(
        {each["event_id"] for known in hosts for each in known["events"] if known["host"] in planned}
    )


def test_hosts_that_share_an_event_stay_together_and_one_approves_it() -> None:
    first, second = event("E1", "vm-a", "VM-B"), event("E2", "vm-b", "vm-c")
    found = plan(host("a", first), host("b", first, second), host("c", second), alone("d"), at_once=1)
    assert found["rounds"] == [["a", "b", "c"], ["d"]]
    assert found["units"]["b"] == ["a", "b", "c"]
    assert found["approves"] == {"a": ["E1"], "b": ["E2"], "c": [], "d": ["E-d"]}


def test_vms_of_the_same_name_are_told_apart_by_their_events() -> None:
    """Names of VMs are unique in a resource group only."""
    twin = {**alone("b"), "vm_name": "vm-a", "events": [event("E2", "vm-a")]}
    assert plan(alone("a"), twin, at_once=9)["units"] == {"a": ["a"], "b": ["b"]}


SHARED = event("E1", "vm-a", "vm-b")


@pytest.mark.parametrize(
    ("hosts", "reason"),
    [
        ([host("a", SHARED)], "names vm-b, which this play does not drain"),
        ([host("a", SHARED), host("b", SHARED)], ""),
        ([host("a", SHARED), host("b")], "put b into the same batch"),
        ([host("a", SHARED, groups=("x",)), host("b", SHARED, groups=("x",))], "a and b, which are all in the group x"),
        ([host("a", SHARED), {"host": "b", "asked": False}], "names vm-b, which this play does not drain"),
        (
            [alone("a", "x"), {"host": "b", "asked": False, "groups": ["x"]}],
            "b of the same group, x, could not",
        ),
        ([alone("a", "x"), {"host": "b", "asked": False, "groups": ["y"]}], ""),
        ([{**alone("a"), "vm_name": None}], "does not tell the VM name of a"),
        ([host("a", event("", "vm-a"))], "has no ID"),
        ([host("a", event("E1", "vm-a", "vm-z", starts=""))], ""),
    ],
)
def test_refusals(hosts: list[dict[str, Any]], reason: str) -> None:
    found = plan(*hosts, at_once=9)
    assert (found["refused"].get("a", "") == "") == (reason == "")
    assert reason in found["refused"].get("a", "")
    assert ("a" in found["units"]) == (reason == "")


def test_vms_outside_the_play_may_be_allowed() -> None:
    assert plan(host("a", SHARED), others="allow")["rounds"] == [["a"]]


@pytest.mark.parametrize("other", [{"host": "b", "asked": False}, host("b")])
def test_a_host_of_the_play_is_never_one_of_the_others(other: dict[str, Any]) -> None:
    """Nor may a host be one that was not asked and so might be the one that is named."""
    assert "b" in plan(host("a", SHARED), other, others="allow")["refused"]["a"]


def test_a_host_of_a_later_batch_is_not_known_yet() -> None:
    assert maintenance_plan([alone("a", "x")], ["a", "b"], ["a"])["rounds"] == [["a"]]
    found = maintenance_plan([host("a", SHARED)], ["a", "b"], ["a"], others="allow")
    assert "were not asked: b" in found["refused"]["a"]


@pytest.mark.parametrize("groups", [["x"], "y, x", ["y", "x"]], ids=str)
def test_a_host_that_failed_earlier_may_be_out_of_service(groups: Any) -> None:
    found = maintenance_plan([alone("a", "x")], ["a", "b"], ["a"], failed={"b": groups})
    assert "b of the same group, x, could not be asked" in found["refused"]["a"]
    assert not maintenance_plan([alone("a", "x")], ["a", "b"], ["a"], failed={"b": ["y"]})["refused"]


def test_only_the_batch_is_planned() -> None:
    assert plan(alone("a"), alone("b"), batch=["b"], at_once=9)["rounds"] == [["b"]]


@pytest.mark.parametrize(
    ("value", "at_once"), [("a", 1), ([{}], 1), (["a"], 1), ([{"host": "a"}], 0), ([{"host": "a"}], "1")]
)
def test_unusable_input(value: Any, at_once: Any) -> None:
    with pytest.raises(AnsibleFilterError, match=r"^imds\.azure\.maintenance_plan: "):
        maintenance_plan(value, [], [], at_once)
