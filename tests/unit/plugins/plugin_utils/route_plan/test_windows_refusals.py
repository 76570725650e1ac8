# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan for Windows refuses, and what it leaves alone."""

from __future__ import annotations

import pytest
from ansible_collections.imds.azure.plugins.module_utils._routes.options import RouteOptions
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.plan import plain_steps
from ansible_collections.imds.azure.tests.scenarios.judged import codes, planned_report
from ansible_collections.imds.azure.tests.scenarios.windows_reports import (
    CLUSTER,
    DHCP_VM,
    IMDS,
    ON_SECOND,
    REFUSALS,
    STATIC_DEFAULT,
    TWO_NICS,
    WANTED,
    report,
    route,
)
from ansible_collections.imds.azure.tests.scenarios.windows_stores import Stores, host_rows


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals_plan_nothing(name: str) -> None:
    given, options, code = REFUSALS[name]
    state, found = planned_report(given, options)
    assert [one.code for one in found.refusals] == [code]
    assert all(
        one.severity == "refusal" and one.message and (one.remedy or code == "not_azure") for one in found.refusals
    )
    assert found.steps == ()
    assert not found.satisfied
    assert found.after.state == state


def test_elevation_that_is_unknown_does_not_refuse() -> None:
    _state, found = planned_report({**CLUSTER, "elevated": None})
    assert found.steps
    assert not found.refusals


def test_force_repairs_off_azure() -> None:
    _state, found = planned_report({**CLUSTER, "azure": False}, RouteOptions(force=True))
    assert found.steps


@pytest.mark.parametrize("next_hop", ["auto", "on_link", "gateway"])
def test_a_route_by_dhcp_is_left_alone(next_hop: str) -> None:
    """It would block New-NetRoute by its key, and it needs no persisting."""
    assert codes(DHCP_VM) == ["ok"]
    _state, found = planned_report(DHCP_VM, RouteOptions(next_hop=next_hop))
    assert found.satisfied
    _state, absent = planned_report(DHCP_VM, RouteOptions(state="absent", persistent=False))
    assert absent.steps == ()


@pytest.mark.parametrize("form", ["0.0.0.0", "10.0.1.10"])
def test_route_exe_form_is_accepted(form: str) -> None:
    """The documentation's remedy names the NIC's own address as gateway; the stores may show it either way."""
    stored = route(IMDS, 5, form, 1)
    _state, found = planned_report(report([STATIC_DEFAULT, route(IMDS, 5, metric=1)], [stored]))
    assert found.satisfied


def test_absent_removes_the_persistent_route_of_the_primary_nic_only() -> None:
    given = report([STATIC_DEFAULT, WANTED, ON_SECOND], [WANTED, ON_SECOND], **TWO_NICS)
    state, found = planned_report(given, RouteOptions(state="absent"))
    host = Stores(given)
    before = host.stores()
    (step,) = plain_steps(state, found.steps)
    for op in step["do"]:
        host.run(op)
    assert host_rows(host) == [("active", 7, "10.0.2.1"), ("persistent", 7, "10.0.2.1")]
    for op in step["undo"]:
        host.run(op)
    assert host.stores() == before


def test_absent_leaves_an_active_only_route_unless_runtime_is_meant() -> None:
    given = report([STATIC_DEFAULT, WANTED])
    assert planned_report(given, RouteOptions(state="absent"))[1].satisfied
    assert len(planned_report(given, RouteOptions(state="absent", persistent=False))[1].steps) == 1
