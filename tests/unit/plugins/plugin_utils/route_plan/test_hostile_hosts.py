# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host answers is not trusted: limits, known keys, and no report that breaks the controller."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._routes.model import Interface, ReportError
from ansible_collections.imds.azure.plugins.module_utils._routes.primary import Primary
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.answers import (
    HostFailureError,
    read_carried_out,
    read_looked,
    require_report,
)
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.evaluation import Evaluation
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.report import read_report
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.result import describe_case, make_case
from ansible_collections.imds.azure.tests.scenarios.windows_reports import CLUSTER, route
from hypothesis import given, settings
from hypothesis import strategies as st

MAC = "00:0d:3a:00:00:01"
LINK = {"ifindex": 2, "ifname": "eth0", "flags": ["UP"], "address": MAC, "addr_info": []}
DEFAULT = {"dst": "default", "gateway": "10.0.0.1", "dev": "eth0"}
LINUX: dict[str, Any] = {
    "system": "linux",
    "addresses": [{**LINK, "addr_info": [{"family": "inet", "local": "10.0.0.4", "prefixlen": 24}]}],
    "routes": [DEFAULT],
    "rules": [{"priority": 0, "src": "all", "table": "local"}, {"priority": 32766, "src": "all", "table": "main"}],
}
PRIMARY = Primary(Interface("eth0", mac=MAC), "10.0.0.4", "asked")
GOOD = {"outcome": "ok", "detail": "HTTP 200", "local_address": "10.0.0.4", "interfaces": [[MAC, ["10.0.0.4"]]]}
DONE: dict[str, Any] = {
    "rolled_back": False,
    "restored": False,
    "error": "",
    "undo_errors": [],
    "proof": {"verified": True, "detail": "HTTP 200", "tries": 1, "reply": GOOD},
    "tables": {},
    "report": LINUX,
}


@pytest.mark.parametrize("base", [LINUX, {**CLUSTER, "system": "windows"}], ids=["linux", "windows"])
def test_report_beyond_what_can_matter_is_refused(base: dict[str, Any]) -> None:
    read_report(base)
    linux = base["system"] == "linux"
    rows = [DEFAULT] * 2001 if linux else {"active": [route("10.0.0.0/8", 5)] * 2001, "persistent": []}
    with pytest.raises(ReportError, match="more than 2000 rows"):
        read_report({**base, "routes": rows})
    with pytest.raises(ReportError, match="larger than 512 KiB"):
        read_report({**base, "errors": ["x" * 600_000]})
    with pytest.raises(ReportError, match="more than 2000 rows"):
        read_report({**base, "rules": "0: from all lookup local\n" * 2500})


def test_more_routes_to_imds_than_any_host_has_are_refused() -> None:
    rows = [{"dst": "169.254.169.254", "gateway": "10.0.0.1", "dev": "eth0", "metric": number} for number in range(70)]
    with pytest.raises(ReportError, match="70 routes to IMDS"):
        read_report({**LINUX, "routes": rows})


PLAIN = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.just("169.254.169.254"))
JSON = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(st.sampled_from(("dst", "dev", "ifname", "outcome", "bound", "unbound", "active")), st.text()),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)
PARTS = ("addresses", "routes", "rules", "route_get", "persistent", "imds", "guest_agent", "errors", "firewall")
WINDOWS_PARTS = ("routes", "interfaces", "adapters", "addresses", "find_route", "imds", "compartments", "errors")


def judge(report: dict[str, Any]) -> None:
    try:
        state = read_report(report)
    except ReportError:
        return
    json.dumps(describe_case(make_case(report, Evaluation(state))))


@given(st.dictionaries(st.sampled_from(PARTS), JSON, min_size=1))
@settings(deadline=None, database=None, max_examples=400)
def test_any_linux_report_is_judged_or_refused(parts: dict[str, Any]) -> None:
    judge({**LINUX, **parts})


@given(st.dictionaries(st.sampled_from(WINDOWS_PARTS), JSON, min_size=1))
@settings(deadline=None, database=None, max_examples=400)
def test_any_windows_report_is_judged_or_refused(parts: dict[str, Any]) -> None:
    judge({**CLUSTER, "system": "windows", **parts})


def test_only_known_keys_of_a_failure_pass() -> None:
    answer = {"failed": True, "msg": "broken", "changed": True, "ansible_facts": {"x": 1}, "verified": True, "rc": 1}
    with pytest.raises(HostFailureError) as caught:
        require_report(answer)
    assert caught.value.result == {"changed": False, "failed": True, "msg": "broken", "rc": 1}


@pytest.mark.parametrize("answer", [{}, {"failed": False}, {"report": 5}, {"report": None}, {"unreachable": True}])
def test_answer_without_a_report_is_a_failure(answer: dict[str, Any]) -> None:
    with pytest.raises(HostFailureError) as caught:
        require_report(answer)
    assert caught.value.result["failed"] is True
    assert caught.value.result["changed"] is False


def test_verdict_is_the_controllers() -> None:
    assert read_carried_out(DONE, PRIMARY).proof.verified  # type: ignore[union-attr]
    lies = {**DONE["proof"], "reply": {**GOOD, "local_address": "10.0.0.9"}}
    proof = read_carried_out({**DONE, "proof": lies}, PRIMARY).proof
    assert proof
    assert not proof.verified
    assert "not the primary address" in proof.fault
    foreign = {**DONE["proof"], "reply": {**GOOD, "outcome": "foreign", "detail": "HTTP 503"}}
    assert not read_carried_out({**DONE, "proof": foreign}, PRIMARY).proof.verified  # type: ignore[union-attr]


def test_host_that_says_it_is_not_verified_is_believed() -> None:
    modest = {**DONE["proof"], "verified": False, "detail": "connect_timeout"}
    proof = read_carried_out({**DONE, "proof": modest}, PRIMARY).proof
    assert proof
    assert (proof.verified, proof.fault) == (False, "connect_timeout")


@given(st.dictionaries(st.sampled_from(sorted(DONE)), JSON))
@settings(deadline=None, database=None, max_examples=200)
def test_any_answer_after_the_steps_is_read_or_a_failure(parts: dict[str, Any]) -> None:
    try:
        done = read_carried_out({**DONE, **parts}, PRIMARY)
    except HostFailureError:
        return
    assert done.proof is None or isinstance(done.proof.verified, bool)


def test_flags_of_the_host_are_taken_only_as_flags() -> None:
    assert read_looked({"report": LINUX, "recovered": "yes"}).recovered is False
    assert read_carried_out({**DONE, "rolled_back": 1}, PRIMARY).rolled_back is False
