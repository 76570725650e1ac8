# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Repairs on Windows: each plan carried out on a model of the cmdlets, undone from any point, killed between steps."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.imds.azure.plugins.module_utils._routes import lookup
from ansible_collections.imds.azure.plugins.module_utils._routes.options import RouteOptions, parse_options
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.plan import plain_steps
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.windows_report import read_windows_report
from ansible_collections.imds.azure.tests.scenarios.judged import codes, plan_of, planned_report
from ansible_collections.imds.azure.tests.scenarios.windows_reports import (
    CLUSTER_ADDRESS,
    CLUSTER_ROUTE,
    ETHERNET,
    ETHERNET_DHCP,
    IMDS,
    LOWER,
    NETFT,
    OWN,
    REPAIRS,
    SECOND,
    STATIC_DEFAULT,
    VIP,
    VPN,
    address,
    report,
    route,
)
from ansible_collections.imds.azure.tests.scenarios.windows_stores import Stores, host_rows
from hypothesis import example, given, settings
from hypothesis import strategies as st

each_repair = pytest.mark.parametrize("name", REPAIRS)


@each_repair
def test_repair(name: str) -> None:
    given, options, expected, rows = REPAIRS[name]
    assert codes(given, options) == expected
    state, found = planned_report(given, options)
    host = Stores(given)
    for step in plain_steps(state, found.steps):
        for op in step["do"]:
            host.run(op)
    assert host_rows(host) == rows
    after = read_windows_report(host.report)
    assert sorted(after.routes) == sorted(found.after.state.routes)
    assert sorted(after.persistent or ()) == sorted(found.after.state.persistent or ())
    winner = lookup.decide(after)
    assert winner.route
    assert (winner.route.prefix, winner.route.interface, winner.source) == (IMDS, "Ethernet", "10.0.1.10")
    assert found.predicted == {
        "prefix": IMDS,
        "interface": "Ethernet",
        "index": 5,
        "next_hop": winner.route.next_hop,
        "source": "10.0.1.10",
        "error": "",
    }
    again = plan_of(after, options)
    assert again.satisfied
    assert again.steps == ()


@each_repair
def test_what_comes_before_the_proof_is_undone_exactly_from_any_point(name: str) -> None:
    given, options, _codes, _rows = REPAIRS[name]
    state, found = planned_report(given, options)
    steps = plain_steps(state, found.steps)
    phases = [step["phase"] for step in steps]
    assert phases == sorted(phases, reverse=True)  # repair, then cleanup
    repair = [step for step in steps if step["phase"] == "repair"]
    assert all(step["undo"] for step in repair)
    ops = [(at, op) for at, step in enumerate(repair) for op in step["do"]]
    for done in range(1, len(ops) + 1):
        host = Stores(given)
        before = host.stores()
        for _step, op in ops[:done]:
            host.run(op)
        for step in reversed(repair[: ops[done - 1][0] + 1]):
            for op in step["undo"]:
                host.run(op)
        assert host.stores() == before


@each_repair
def test_killed_between_operations_the_next_run_converges(name: str) -> None:
    given, options, _codes, _rows = REPAIRS[name]
    state, found = planned_report(given, options)
    ops = [op for step in plain_steps(state, found.steps) for op in step["do"]]
    for done in range(1, len(ops)):
        host = Stores(given)
        for op in ops[:done]:
            host.run(op)
        state = read_windows_report(host.report)
        for step in plain_steps(state, plan_of(state, options).steps):
            for op in step["do"]:
                host.run(op)
        assert plan_of(read_windows_report(host.report), options).satisfied


@each_repair
def test_what_is_never_touched(name: str) -> None:
    given, options, _codes, _rows = REPAIRS[name]
    state, found = planned_report(given, options)
    for step in plain_steps(state, found.steps):
        for op in [*step["do"], *step["undo"]]:
            assert op["interface_index"] not in (9, 12)
            assert op.get("prefix", IMDS) == IMDS
            assert op.get("address") not in ("10.0.1.15", "169.254.1.156")
            assert op.get("store", "active") in ("active", "persistent", "both")


store_rows = st.lists(
    st.tuples(
        st.sampled_from((1, 5, 5, 7, 9, 12, 33)),
        st.sampled_from(("0.0.0.0", "10.0.1.1", "10.0.1.10", "10.0.2.1", "192.168.9.1")),
        st.integers(0, 30),
        st.sampled_from(("active", "persistent", "both")),
    ),
    max_size=4,
    unique_by=lambda row: row[:2],
)
option_sets = st.fixed_dictionaries(
    {
        "interface": st.just("Ethernet"),
        "primary_ip": st.just("10.0.1.10"),
        "next_hop": st.sampled_from(("auto", "on_link", "gateway", "10.0.1.10")),
        "persistent": st.booleans(),
        "remove_conflicting": st.sampled_from((None, True, False)),
        "fix_source": st.booleans(),
    }
).map(parse_options)


# Two stored rows that could both be the twin of one active row.
@example(
    [(1, "10.0.1.10", 0, "persistent"), (1, "0.0.0.0", 0, "both")], RouteOptions(interface="Ethernet"), False, False
)
# A stored row whose active twin is on-link and, on a NIC by DHCP, not stored under the same key.
@example(
    [(5, "0.0.0.0", 0, "active"), (5, "10.0.1.10", 0, "persistent")],
    RouteOptions(interface="Ethernet", primary_ip="10.0.1.10", next_hop="gateway", persistent=False),
    True,
    False,
)
@given(store_rows, option_sets, st.booleans(), st.booleans())
@settings(deadline=None, database=None, max_examples=300)
def test_any_stores(rows: list[tuple[int, str, int, str]], options: RouteOptions, dhcp: bool, lower: bool) -> None:
    """Whatever is there: nothing to do, a refusal, or a plan that keeps its word, can be undone and is final."""
    wide = [STATIC_DEFAULT, CLUSTER_ROUTE, route("0.0.0.0/1", 12)]
    made = [(route(IMDS, index, hop, metric), store) for index, hop, metric, store in rows]
    host = Stores(
        report(
            [*wide, *(row for row, store in made if store != "persistent" and row["InterfaceIndex"] != 33)],
            [row for row, store in made if store != "active"],
            nics=(ETHERNET_DHCP if dhcp else ETHERNET, SECOND, NETFT, VPN),
            addresses=(OWN, CLUSTER_ADDRESS, address("10.0.2.10", 24, 7), *((LOWER,) if lower else ())),
            moving=(VIP,),
        )
    )
    before, (state, found) = host.stores(), planned_report(host.report, options)
    assert found.satisfied + bool(found.steps) + bool(found.refusals) == 1
    steps = plain_steps(state, found.steps)
    assert all(op["interface_index"] != 9 for step in steps for op in step["do"])
    for op in [op for step in steps if step["phase"] == "repair" for op in step["do"]]:
        host.run(op)
    winner = lookup.decide(read_windows_report(host.report))
    if found.steps:
        assert winner.route
        assert (winner.route.prefix, winner.route.interface, winner.source) == (IMDS, "Ethernet", "10.0.1.10")
    proven = copy.deepcopy(host)
    for op in [op for step in reversed(steps) for op in step["undo"]]:
        host.run(op)
    assert host.stores() == before
    for op in [op for step in steps if step["phase"] == "cleanup" for op in step["do"]]:
        proven.run(op)
    state, again = planned_report(proven.report, options)
    assert again.steps == ()
    assert again.satisfied or not found.steps
    assert sorted(state.routes) == sorted(found.after.state.routes)
    assert sorted(state.persistent or ()) == sorted(found.after.state.persistent or ())
