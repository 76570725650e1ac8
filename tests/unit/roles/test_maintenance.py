# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role azure_imds_maintenance in real plays. Each play has many hosts, because starting Ansible takes long."""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from typing import Any

from ansible_collections.imds.azure.tests.scenarios.maintenance.played import run

FILES = {"azure_imds_maintenance_drain_tasks": "drain.yml", "azure_imds_maintenance_resume_tasks": "resume.yml"}


def event(*hosts: str, event_type: str = "Reboot", **more: Any) -> dict[str, Any]:
    """One event of these hosts, whose ID tells them apart."""
    name = uuid.uuid5(uuid.NAMESPACE_DNS, f"{hosts}{event_type}{more}")
    return {"event_id": str(name), "event_type": event_type, "resources": [f"vm-{host}" for host in hosts], **more}


def play(**variables: Any) -> dict[str, Any]:
    role = {
        "role": "imds.azure.azure_imds_maintenance",
        "vars": {**FILES, "azure_imds_maintenance_poll": 1, **variables},
    }
    return {"hosts": "all", "gather_facts": False, "roles": [role]}


def test_a_fleet(tmp_path: Path) -> None:
    def of(group: str) -> dict[str, Any]:
        return {"azure_imds_maintenance_groups": [group]}

    hosts: dict[str, dict[str, Any]] = {
        "away": {"unreachable": 1, "vars": of("half dead")},
        "beside-away": {"vars": of("half dead")},
        "tag-1": {"tags": {"Cluster": "x"}},
        "tag-2": {"tags": {"cluster": "x"}},
        "freeze": {},
        "bad-drain": {"vars": {"broken_drain": ["bad-drain"]}},
        "bad-resume": {"vars": {**of("c"), "broken_resume": ["bad-resume"]}},
        "after-bad-resume": {"vars": of("c")},
        "refused": {"refuses": True},
        "stuck": {"vars": {**of("d"), "azure_imds_maintenance_gone_timeout": 1}},
        "shared-1": {},
        "shared-2": {},
        "torn-1": {},
        "torn-2": {"vars": {"broken_drain": ["torn-2"]}},
        "rebooted": {"lost": 1},
        "cancelled": {},
        "deleted": {"vars": {"azure_imds_maintenance_event_types": ["Terminate"]}},
        "lost-in-between": {"unreachable_at": 2, "vars": of("e")},
        "after-lost": {"vars": of("e")},
        "started": {},
    }
    special = {"freeze", "shared-1", "shared-2", "torn-1", "torn-2", "started", "stuck", "cancelled", "deleted"}
    stuck, cancelled, shared = event("stuck"), event("cancelled"), event("shared-1", "shared-2")
    events = [
        *(event(host) for host in hosts if host not in special),
        event("freeze", event_type="Freeze", duration=9),
        event("started", event_status="Started", not_before=None, seconds_left=None),
        event("torn-1", "torn-2"),
        event("deleted", event_type="Terminate"),
        *(stuck, cancelled, shared),
    ]
    done = run(
        tmp_path,
        [play(azure_imds_maintenance_at_once=100, azure_imds_maintenance_group_by_tags=["cluster"])],
        hosts,
        events,
        forks=3,
        stuck=[stuck["event_id"]],
        vanish=[cancelled["event_id"]],
    )
    untouched = {"away", "beside-away", "after-bad-resume", "lost-in-between", "after-lost"}
    assert set(done.failed()) == untouched | {"bad-drain", "bad-resume", "refused", "torn-1", "torn-2", "stuck"}, (
        done.output
    )
    drained, approved = done.of("drain"), done.of("approve")
    assert set(drained) == set(hosts) - untouched - {"freeze", "started"}, done.log
    assert len(drained) == len(set(drained))
    assert set(done.of("resume")) == {*drained} - {"deleted"}
    assert "deleted" in approved
    assert "freeze" in approved
    assert not {"bad-drain", "torn-1", "torn-2", "started"} & set(approved)
    assert approved.count("rebooted") == 2
    # Approved once, for both.
    assert [entry for entry in done.log if entry[0] == "approve" and shared["event_id"] in entry[2]] == [
        ["approve", "shared-1", [shared["event_id"]]]
    ]
    assert done.most_out(["tag-1", "tag-2"]) == 1
    assert done.most_out(["shared-1", "shared-2"]) == 2


def test_batches_and_strategies(tmp_path: Path) -> None:
    """Members of a group in different batches, and a strategy in which hosts do not wait for each other."""
    group = {"azure_imds_maintenance_groups": ["g"]}
    hosts = {
        "first": {"vars": {**group, "broken_resume": ["first"]}},
        "idle": {},
        "second": {"vars": group},
        "third": {},
        "free-1": {},
        "free-2": {},
        "free-3": {},
    }
    batches = {
        **play(azure_imds_maintenance_at_once=3, azure_imds_maintenance_wait=100),
        "hosts": "all:!free*",
        "serial": 2,
    }
    free = {**play(), "hosts": "free*", "strategy": "free"}
    done = run(tmp_path, [free, batches], hosts, [event(host) for host in hosts if host != "idle"])
    assert done.of("drain") == ["free-1", "first", "third"], done.output
    assert done.failed() == ["first", "free-2", "free-3", "second"]
    # The wait of all ends with the first event of anybody.
    assert sorted(done.of("wait")) == ["first", "idle", "second", "third"]
    assert "needs a play with strategy linear" in done.output
    assert "second was left alone, because the maintenance of first did not end well" in done.output


def test_check_mode_sends_nothing(tmp_path: Path) -> None:
    hosts = {"a": {"vars": {"azure_imds_maintenance_groups": ["g"]}}, "b": {}}
    hosts["b"] = hosts["a"]
    arguments = ["imds.azure.maintenance", "--check"]
    for name, value in {**FILES, "azure_imds_maintenance_wait": "600"}.items():
        arguments += ["-e", f"{name}={value}"]
    done = run(tmp_path, [], hosts, [event("a"), event("b")], *arguments)
    assert done.failed() == [], done.output
    assert done.log == [["drain", "a"], ["resume", "a"], ["drain", "b"], ["resume", "b"]]


def test_report(tmp_path: Path) -> None:
    """Soonest first; what could not be asked comes last, and fails."""
    hosts: dict[str, dict[str, Any]] = {
        "late": {},
        "soon": {},
        "started": {},
        "idle": {},
        "away": {"unreachable": 1},
        "elsewhere": {"reason": "not_azure"},
        "deaf": {"reason": "no_route"},
    }
    events = [
        event("late", not_before="2026-01-01T02:00:00Z"),
        event("soon", "late", not_before="2026-01-01T01:00:00Z"),
        event("started", event_type="Freeze", event_status="Started", not_before=None, seconds_left=None, duration=5),
    ]
    done = run(tmp_path, [], hosts, events, "imds.azure.maintenance", "-e", "report=true")
    table = done.output.partition("TASK [Show what is pending]")[2].partition("TASK")[0]
    rows = re.findall(r"^ +- '?(\S+) +(\S+)", table, re.MULTILINE)
    assert rows == [
        ("HOST", "EVENT"),
        ("started", "Freeze"),
        ("late", "Reboot"),
        ("soon", "Reboot"),
        ("late", "Reboot"),
        *((name, "not") for name in ("away", "elsewhere", "deaf")),
    ], done.output
    assert done.failed() == ["away", "deaf"]
    assert done.log == []


def test_bad_input_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    wrong: dict[str, tuple[dict[str, Any], str]] = {
        "drain": ({"azure_imds_maintenance_drain_tasks": "missing.yml"}, "drain_tasks: 'missing.yml' is not a file"),
        "resume": ({"azure_imds_maintenance_resume_tasks": "/nowhere.yml"}, "resume_tasks: '/nowhere.yml' is not a"),
        "poll": ({"azure_imds_maintenance_poll": 0}, "azure_imds_maintenance_poll: 0 is not usable; give 1 to 60."),
        "at-once": ({"azure_imds_maintenance_at_once": 0}, "azure_imds_maintenance_at_once: 0 is not usable"),
        "type": ({"azure_imds_maintenance_event_types": ["Restart"]}, "must be one or more of: Freeze, Reboot"),
        "others": ({"azure_imds_maintenance_others": "maybe"}, "must be one of: refuse, allow"),
    }
    common = {**FILES, "azure_imds_maintenance_poll": 1}
    hosts = {name: {"unreachable": 1, "vars": {**common, **variables}} for name, (variables, _text) in wrong.items()}
    hosts["none"] = {"unreachable": 1}
    done = run(tmp_path, [{**play(), "roles": ["imds.azure.azure_imds_maintenance"]}], hosts, [])
    assert done.failed() == sorted(hosts)
    # None of them was asked.
    assert all(counts["unreachable"] == 0 for counts in done.recap.values())
    shown = " ".join(done.output.split())
    assert "missing required arguments: azure_imds_maintenance_drain_tasks" in shown
    for _variables, text in wrong.values():
        assert text in shown.replace("''", "'"), text
