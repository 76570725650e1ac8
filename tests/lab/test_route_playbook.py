# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook for a fleet: it asks all, repairs a few first, stops at a failure, and always reports."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from .api import Lab
from .route_play import playbook
from .route_states import vm

NAMES = ("healthy", "prohibit", "rule-prohibits", "unreachable")
SILENT = {"path": "/metadata/instance", "vm": "healthy", "kind": "drop"}
PLAYBOOK = "imds.azure.route_fix"
ONE_BY_ONE = '{"batches": [1]}'


@pytest.fixture(scope="module")
def fleet(lab: Lab) -> Iterator[Lab]:
    assert lab.place.alive()  # this machine allows labs
    with Lab({"vms": [vm(name, number) for number, name in enumerate(NAMES)]}) as running:
        yield running


def report(printed: str) -> dict[str, str]:
    """Host -> the last column of the table."""
    rows = re.findall(r'"([a-z-]+) +\S+ +\S+ +[0-9.]+ +([a-z_:, ]+)"', printed)
    return {name: result.strip() for name, result in rows}


UNTOUCHED = {"healthy": "nothing to do", "rule-prohibits": "refused: policy_rule_override"}


def test_it_asks_before_it_repairs(fleet: Lab) -> None:
    done = playbook(fleet, PLAYBOOK, "-e", "repair=false")
    assert done.returncode == 0, done.stdout
    assert report(done.stdout) == {**UNTOUCHED, "prohibit": "to be repaired", "unreachable": "to be repaired"}
    done = playbook(fleet, PLAYBOOK, "--check", "--diff")
    assert done.returncode == 0, done.stdout
    assert report(done.stdout) == {**UNTOUCHED, "prohibit": "would be repaired", "unreachable": "would be repaired"}
    assert "+winner" in done.stdout


def test_silent_imds_is_not_ok_although_the_routes_are_right(fleet: Lab) -> None:
    fleet.emulator.faults(SILENT)
    try:
        done = playbook(fleet, PLAYBOOK, "-e", "repair=false")
    finally:
        fleet.emulator.clear_faults()
    assert done.returncode == 2, done.stdout
    assert report(done.stdout)["healthy"] == "not ok: silent_although_routed"


def test_a_failure_is_reported_and_is_the_last(fleet: Lab) -> None:
    fleet.emulator.faults({"path": "/metadata/instance", "vm": "prohibit", "kind": "drop"})
    try:
        done = playbook(fleet, PLAYBOOK, "-e", ONE_BY_ONE)
    finally:
        fleet.emulator.clear_faults()
    assert done.returncode == 2, done.stdout
    assert report(done.stdout) == {**UNTOUCHED, "prohibit": "failed, rolled back", "unreachable": "to be repaired"}


def test_then_it_repairs(fleet: Lab) -> None:
    done = playbook(fleet, PLAYBOOK, "-e", ONE_BY_ONE)
    assert done.returncode == 0, done.stdout
    assert report(done.stdout) == {**UNTOUCHED, "prohibit": "repaired", "unreachable": "repaired"}
    done = playbook(fleet, PLAYBOOK)
    assert report(done.stdout) == {**UNTOUCHED, "prohibit": "nothing to do", "unreachable": "nothing to do"}
