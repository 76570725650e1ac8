# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is made of the costs and the samples that plays recorded."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.imds.azure.tests.scale import summary


def task(name: str, hosts: int, seconds: float, main: float, forks: float) -> dict[str, Any]:
    return {"name": name, "hosts": hosts, "seconds": seconds, "main": main, "forks": forks, "emulators": 0.0}


def run(hosts: int, facts: float, peak: int = 102_400) -> dict[str, Any]:
    tasks = [task(name, hosts, hosts * facts, hosts * 0.01, hosts * facts - hosts * 0.01) for name in summary.OURS]
    memory = {"peak": peak, "fork": 1024, "together": peak + 1024}
    return {"hosts": hosts, "seconds": 10.0, "cpu": 20.0, "tasks": tasks, "memory": memory}


def ping(hosts: int) -> dict[str, Any]:
    return {"hosts": hosts, "tasks": [task("ping", hosts, hosts * 0.1, hosts * 0.01, hosts * 0.09)]}


def test_costs_are_means_per_host_of_all_runs_of_a_size() -> None:
    figures = summary.figures([run(10, 0.020), run(40, 0.033, 204_800), run(10, 0.040)], [ping(10), ping(40)])
    assert list(figures["sizes"]) == ["10", "40"]
    small, large = figures["sizes"].values()
    assert (small["runs"], large["runs"]) == (2, 1)
    assert small["tasks"]["facts"] == {"seconds": 30.0, "cpu": 30.0, "main": 10.0, "emulators": 0.0}
    assert small["cpu_vs_ping"] == {"facts": 0.3, "attest": 0.3}
    assert large["memory_mib"] == {"peak": 200.0, "fork": 1.0, "together": 201.0}
    assert figures["growth"]["facts"] == {"seconds": 0.1, "cpu": 0.1}
    assert figures["growth"]["ping"] == {"seconds": 0.0, "cpu": 0.0}


def test_memory_is_the_largest_of_all_runs() -> None:
    figures = summary.figures([run(10, 0.02, 1024), run(10, 0.02, 4096)], [ping(10)])
    assert figures["sizes"]["10"]["memory_mib"]["peak"] == 4.0


@pytest.mark.parametrize(("growth", "ending"), [(0.1, "ok"), (0.101, "MISSED"), (-0.2, "ok")])
def test_the_verdict_is_about_our_tasks(growth: float, ending: str) -> None:
    costs = {name: {"seconds": growth, "cpu": growth} for name in summary.OURS}
    lines = summary.verdict({"growth": {**costs, "ping": {"seconds": 9.0, "cpu": 9.0}}})
    assert len(lines) == 2 * len(summary.OURS)
    assert all(line.endswith(ending) for line in lines)


def test_a_profile_tells_what_each_part_takes_of_a_host() -> None:
    start, get_vars = next(iter(summary.PARTS["main"])), "ansible.vars.manager.VariableManager.get_vars"
    (facts, *_others) = summary.PARTS["fork"]
    processes = [
        {"process": "main", "seconds": 2.0, "samples": 100, "functions": {start: 50.0, get_vars: 25, "json.loads": 75}},
        {"process": "fork", "seconds": 0.6, "samples": 10, "functions": {facts: 5}},
        {"process": "fork", "seconds": 0.4, "samples": 6, "functions": {facts: 1}},
    ]
    profile = summary.profile(processes, 100)
    assert {name: spent for name, spent in profile["main"].items() if spent} == {
        "all": 20.0,
        start: 10.0,
        get_vars: 5.0,
    }
    assert {name: spent for name, spent in profile["fork"].items() if spent} == {"all": 10.0, facts: 3.75}
