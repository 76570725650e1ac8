# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The route fix on real VMs: what it says is how it is, and what it promises is what comes out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pytest
from ansible_collections.imds.azure.plugins.module_utils._routes import linux_report
from ansible_collections.imds.azure.plugins.module_utils._routes.linux_report import read_linux_report
from ansible_collections.imds.azure.plugins.module_utils._routes.options import parse_options
from ansible_collections.imds.azure.tests.scenarios.judged import headline_of, plan_of

from .api import Lab
from .asking import ANSWER, ending
from .route_play import Results, everywhere, play, tables
from .route_states import REPAIRED, SATISFIED, STATES, numbered, vm

IMDS = "169.254.169.254"
REPAIRABLE = [name for name, state in STATES.items() if state.outcome == REPAIRED]
REFUSED = [name for name, state in STATES.items() if state.outcome not in (REPAIRED, SATISFIED)]


def kernel(lab: Lab, name: str, *options: str) -> dict[str, Any]:
    """The kernel's verdict about IMDS."""
    found = json.loads(lab.run(name, ["ip", "-j", "route", "get", IMDS, *options], check=True).stdout)[0]
    return {"interface": found["dev"], "next_hop": found.get("gateway", ""), "source": found.get("prefsrc", "")}


def report(lab: Lab, name: str) -> dict[str, Any]:
    found: dict[str, Any] = {part: lab.run(name, command).stdout for part, command in linux_report.COMMANDS.items()}
    done = lab.run(name, linux_report.COMMANDS["route_get"])
    return {**found, "route_get": {"rc": done.returncode, "stdout": done.stdout, "stderr": done.stderr}}


class Looked(NamedTuple):
    """The tables of every VM before and after it was looked at, and what was found."""

    before: dict[str, str]
    found: Results
    after: dict[str, str]


def codes(result: Mapping[str, Any]) -> list[str]:
    return [one["code"] for one in result["findings"]]


@pytest.fixture(scope="module")
def fleet(lab: Lab) -> Iterator[Lab]:
    assert lab.place.alive()  # this machine allows labs
    with Lab({"vms": [vm(name, number) for number, name in enumerate(STATES)]}) as running:
        yield running


@pytest.fixture(scope="module")
def endings(fleet: Lab) -> dict[str, str]:
    return everywhere(fleet, ending)


@pytest.fixture(scope="module")
def looked(fleet: Lab, endings: dict[str, str]) -> Looked:
    """The tables, what query and check mode say, the tables afterwards."""
    assert endings
    before = everywhere(fleet, tables)
    refused = f"inventory_hostname in {REFUSED}"
    found = play(fleet, {"check": {"check_mode": True, "diff": True}, "query": {"state": "query", "when": refused}})
    return Looked(before, found, everywhere(fleet, tables))


@pytest.fixture(scope="module")
def done(fleet: Lab, looked: Looked) -> Results:
    assert looked
    return play(fleet, {"first": {"diff": True}, "second": {"when": f"inventory_hostname not in {REFUSED}"}})


each_state = pytest.mark.parametrize("name", STATES)


@each_state
def test_it_is_as_broken_as_the_table_says(endings: dict[str, str], name: str) -> None:
    assert STATES[name].before in ("", endings[name])


@each_state
def test_tables_alone_are_judged_alike(fleet: Lab, name: str) -> None:
    expected = STATES[name]
    options = parse_options(numbered(expected.options, list(STATES).index(name)))
    state = read_linux_report(report(fleet, name))
    code, outcome = expected.by_tables
    assert headline_of(state, options) == (code or expected.code)
    made = plan_of(state, options)
    found = REPAIRED if made.steps else SATISFIED if made.satisfied else made.refusals[0].code
    assert found == (outcome or expected.outcome)


@each_state
def test_the_task_says_the_same(looked: Looked, name: str) -> None:
    assert codes(looked.found["check"][name])[0] == STATES[name].code


@pytest.mark.parametrize("name", REFUSED)
def test_query_does_not_fail(looked: Looked, name: str) -> None:
    result = looked.found["query"][name]
    assert not result.get("failed"), result
    assert not result["changed"]
    assert STATES[name].outcome in codes(result)


@each_state
def test_looking_changes_nothing(looked: Looked, name: str) -> None:
    assert looked.before[name] == looked.after[name]


@pytest.mark.parametrize("name", REFUSED)
def test_refused_as_specified(fleet: Lab, looked: Looked, done: Results, name: str) -> None:
    for result in (looked.found["check"][name], done["first"][name]):
        assert result["failed"]
        assert not result["changed"]
        assert result["msg"].startswith("Nothing was changed.")
        assert STATES[name].outcome in codes(result)
    assert tables(fleet, name) == looked.before[name]


@pytest.mark.parametrize("name", REPAIRABLE)
def test_repaired_as_predicted(fleet: Lab, looked: Looked, done: Results, name: str) -> None:
    check, result = looked.found["check"][name], done["first"][name]
    assert not result.get("failed"), result
    assert check["changed"]
    assert result["changed"]
    assert result["verified"]
    assert not result["rolled_back"]
    assert check["plan"] == result["plan"]
    predicted = check["predicted_winner"]
    assert kernel(fleet, name) == {key: predicted[key] for key in ("interface", "next_hop", "source")}
    assert kernel(fleet, name, "from", predicted["source"])["interface"] == "eth0"
    assert predicted == result["winner"]
    assert check["diff"]
    assert check["diff"] == result["diff"]
    assert ending(fleet, name) == ANSWER


@pytest.mark.parametrize("name", [name for name, state in STATES.items() if state.outcome in (REPAIRED, SATISFIED)])
def test_a_second_run_changes_nothing(done: Results, name: str) -> None:
    result = done["second"][name]
    assert not result.get("failed"), result
    assert not result["changed"]
    assert not result["plan"]
    assert result["verified"]


def test_nothing_but_host_routes_was_touched(fleet: Lab, looked: Looked, done: Results) -> None:
    def others(text: str) -> list[str]:
        return [line for line in text.splitlines() if IMDS not in line]

    assert done
    for name, after in everywhere(fleet, tables).items():
        assert others(after) == others(looked.before[name]), name
