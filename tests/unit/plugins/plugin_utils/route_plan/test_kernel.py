# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The brain against the kernel: states built in a namespace, `ip route get` as the judge. Nothing is ever sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._routes import ipv4, linux_report, lookup, model
from ansible_collections.imds.azure.plugins.module_utils._routes.linux_report import read_linux_report
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.plan import Plan, plain_steps
from ansible_collections.imds.azure.tests.scenarios.judged import findings_of, headline_of, plan_of
from ansible_collections.imds.azure.tests.scenarios.linux_states import NICS, REPAIRED, SATISFIED, SCENARIOS, Scenario
from ansible_collections.imds.azure.tests.scenarios.namespace import Namespace, assert_agrees, kernel, refusal

NO_NAMESPACE = refusal()
pytestmark = pytest.mark.skipif(NO_NAMESPACE is not None, reason=str(NO_NAMESPACE))

each_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
repairable = pytest.mark.parametrize(
    "scenario", [s for s in SCENARIOS if s.outcome == REPAIRED], ids=lambda scenario: scenario.name
)


@pytest.fixture
def host() -> Iterator[Namespace]:
    with Namespace() as namespace:
        namespace.ip(*NICS)
        yield namespace


def read(host: Namespace, **more: object) -> tuple[dict[str, Any], model.State]:
    report = host.collect("10.0.1.10", **more)
    return report, read_linux_report(report)


@each_scenario
def test_verdict_is_the_kernels(host: Namespace, scenario: Scenario) -> None:
    host.ip(*scenario.commands)
    report, state = read(host)
    unbound = lookup.decide(state)
    if scenario.name == "policy_unknown_selector":
        assert unbound.kind == "unknown"
        assert kernel(report).kind == "unicast"
        return
    assert_agrees(unbound, kernel(report))
    assert_agrees(lookup.decide(state, source="10.0.1.10"), kernel(report, bound=True))


@each_scenario
def test_diagnosis_and_plan(host: Namespace, scenario: Scenario) -> None:
    host.ip(*scenario.commands)
    _report, state = read(host)
    found = findings_of(state, scenario.options)
    assert found[0].code == scenario.code
    assert "kernel_disagrees" not in [one.code for one in found]
    planned = plan_of(state, scenario.options)
    refused = [one.code for one in planned.refusals]
    assert planned.satisfied == (scenario.outcome == SATISFIED)
    assert bool(planned.steps) == (scenario.outcome == REPAIRED)
    assert refused == ([] if scenario.outcome in (SATISFIED, REPAIRED) else [scenario.outcome])


def carry_out(host: Namespace, state: model.State, planned: Plan) -> None:
    for step in plain_steps(state, planned.steps):
        host.apply(step["do"])


def assert_as_predicted(host: Namespace, scenario: Scenario, planned: Plan) -> None:
    """The kernel's verdict and rows are those that the plan foretold; a second run has nothing to do."""
    report, state = read(host)
    theirs = kernel(report)
    assert theirs.route
    assert (theirs.route.interface, theirs.route.next_hop, theirs.source) == (
        planned.predicted["interface"],
        planned.predicted["next_hop"],
        planned.predicted["source"],
    )
    assert planned.predicted["prefix"] == ipv4.IMDS_PREFIX
    assert sorted(model.host_routes(state)) == sorted(model.host_routes(planned.after.state))
    assert [one for one in findings_of(planned.after.state, scenario.options) if one.severity == "error"] == []
    again = plan_of(state, scenario.options)
    assert again.satisfied, again
    assert again.steps == ()


@repairable
def test_repair_is_as_predicted_and_undone_exactly(host: Namespace, scenario: Scenario) -> None:
    host.ip(*scenario.commands)
    before = host.snapshot()
    _report, state = read(host)
    planned = plan_of(state, scenario.options)
    carry_out(host, state, planned)
    assert host.snapshot() != before
    assert_as_predicted(host, scenario, planned)
    for step in reversed(plain_steps(state, planned.steps)):
        host.apply(step["undo"])
    assert host.snapshot() == before


@repairable
def test_killed_between_steps_the_next_run_finishes(host: Namespace, scenario: Scenario) -> None:
    host.ip(*scenario.commands)
    _report, state = read(host)
    todo = plain_steps(state, plan_of(state, scenario.options).steps)
    for done in range(1, len(todo)):
        before = host.snapshot()
        for step in todo[:done]:
            host.apply(step["do"])
        _report, state = read(host)
        planned = plan_of(state, scenario.options)
        in_between = host.snapshot()
        carry_out(host, state, planned)
        assert_as_predicted(host, scenario, planned)
        for step in reversed(plain_steps(state, planned.steps)):
            host.apply(step["undo"])
        assert host.snapshot() == in_between
        for step in reversed(todo[:done]):
            host.apply(step["undo"])
        assert host.snapshot() == before


@each_scenario
def test_text_reads_like_json(host: Namespace, scenario: Scenario) -> None:
    """busybox and old iproute2 print text only; the same rules must come out."""
    host.ip(*scenario.commands)
    report, state = read(host)
    plain = dict(report)
    for part, argv in linux_report.COMMANDS.items():
        plain_argv = [word for word in argv if word not in ("-j", "-d")]
        answer = host.run(plain_argv)
        plain[part] = answer if part == "route_get" else answer["stdout"]
    plain["route_get_bound"] = host.run(["ip", "route", "get", ipv4.IMDS, "from", "10.0.1.10"])
    from_text = read_linux_report(plain)
    assert from_text.rules == state.rules or scenario.name == "policy_unknown_selector"
    assert from_text.routes == state.routes
    assert [a for a in from_text.addresses if a.interface != "lo"] == [
        a for a in state.addresses if a.interface != "lo"
    ]
    assert from_text.kernel_verdict == state.kernel_verdict
    assert from_text.kernel_verdict_bound == state.kernel_verdict_bound
    assert headline_of(from_text, scenario.options) == headline_of(state, scenario.options)


def test_absent_takes_back_what_present_set(host: Namespace) -> None:
    host.ip("route add default via 10.0.1.1 dev eth0")
    before = host.snapshot()
    _report, state = read(host)
    carry_out(host, state, plan_of(state))
    _report, state = read(host)
    absent = plan_of(state, Scenario("", "", "", ()).options._replace(state="absent"))
    carry_out(host, state, absent)
    assert host.snapshot() == before
    _report, state = read(host)
    assert plan_of(state, Scenario("", "", "", ()).options._replace(state="absent")).satisfied


def test_proc_net_route_says_the_same(host: Namespace) -> None:
    host.ip("route add default via 10.0.1.1 dev eth0 metric 5", "route add 169.254.0.0/16 dev eth1 metric 1003")
    report, state = read(host)
    proc = read_linux_report({**report, "routes": "", "proc_net_route": host.run(["cat", "/proc/net/route"])["stdout"]})
    ours, theirs = lookup.decide(proc), lookup.decide(state)
    assert ours.route
    assert theirs.route
    assert ours.route[:4] == theirs.route[:4]
