# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the controller makes of a state, in one call each."""

from __future__ import annotations

from typing import Any

from ansible_collections.imds.azure.plugins.module_utils._routes.findings import Finding
from ansible_collections.imds.azure.plugins.module_utils._routes.model import State
from ansible_collections.imds.azure.plugins.module_utils._routes.options import DEFAULT, RouteOptions
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.diagnose import diagnose
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.evaluation import Evaluation
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.plan import Plan, plan
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.windows_report import read_windows_report


def findings_of(state: State, options: RouteOptions = DEFAULT) -> tuple[Finding, ...]:
    """The findings."""
    return diagnose(Evaluation(state, options))


def headline_of(state: State, options: RouteOptions = DEFAULT) -> str:
    """The code of the first finding."""
    return next((one.code for one in findings_of(state, options)), "")


def plan_of(state: State, options: RouteOptions = DEFAULT) -> Plan:
    """The plan."""
    return plan(Evaluation(state, options))


def planned_report(given: dict[str, Any], options: RouteOptions = DEFAULT) -> tuple[State, Plan]:
    """A Windows report as a state, and the plan for it."""
    state = read_windows_report(given)
    return state, plan_of(state, options)


def codes(given: dict[str, Any], options: RouteOptions = DEFAULT) -> list[str]:
    """The codes of what is found in a Windows report."""
    return [one.code for one in findings_of(read_windows_report(given), options)]
