# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tables say what was measured, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from ansible_collections.imds.azure.tests.peers import table
from ansible_collections.imds.azure.tests.peers.results import Ending, Normal, Results, Row, from_json, to_json

QUIET = Ending(facts=False, code=0, seconds=0.21)
OURS = Row("ours", "command", True, "1.0", normal=Normal(1, 0.06, 0.05, 20480), throttled=replace(QUIET, requests=1))
OTHER = Row(
    "other",
    "command",
    version="2.0",
    normal=Normal(2, 1.24, 0.6, 81920),
    throttled=Ending(True, 0, 3.04, requests=3),
    proxied=Ending(False, 2, 1.5, proxied=1),
    elsewhere=QUIET,
    silent=Ending(False, None, 180.0, packets=12, connections=2),
)
GONE = Row("gone", "command", missing="``gone`` is not installed")
STATED = Row("stated", "module", version="3.0", stated="asks nobody", normal=Normal(0, 0.5, 0.4, 1024))
RESULTS = Results("2026-01-31", "2 cores", 0.24, 7, (OURS, OTHER, GONE, STATED))


def cells(lines: list[str]) -> list[list[str]]:
    """Rows of a list-table, the headings left out."""
    rows: list[list[str]] = []
    for line in lines:
        if line.startswith("   * -"):
            rows.append([])
        if line.startswith(("   * -", "     -")):
            rows[-1].append(line[7:].strip())
    return rows[1:]


def test_normal_runs() -> None:
    assert cells(table.normal(RESULTS)) == [
        ["ours", "1.0", "1", "60 ms", "50 ms", "1.0", "20 MiB"],
        ["other", "2.0", "2", "1.2 s", "600 ms", "12", "80 MiB"],
        ["gone", "", "not measured: ``gone`` is not installed", "", "", "", ""],
        ["stated", "3.0", "0", "500 ms", "400 ms", "", "1 MiB"],
    ]


def test_runs_with_trouble() -> None:
    assert cells(table.trouble(RESULTS)) == [
        ["ours", "no facts after 210 ms; 1 request", "", "", ""],
        [
            "other",
            "facts after 3.0 s; 3 requests",
            "no facts after 1.5 s, exit code 2; 1 request to the proxy",
            "no facts after 210 ms; sends nothing",
            "still trying after 180.0 s; 2 connections tried, 12 packets",
        ],
        ["gone", "not measured: ``gone`` is not installed", "", "", ""],
        ["stated", "asks nobody", "", "", ""],
    ]


def test_a_tool_that_asks_both_the_proxy_and_the_service() -> None:
    both = Row("both", "command", normal=OURS.normal, proxied=Ending(True, 0, 2.0, requests=1, proxied=2))
    (row,) = cells(table.trouble(replace(RESULTS, rows=(both,))))
    assert row[2] == "facts after 2.0 s; 2 requests to the proxy, the others direct"


@pytest.mark.parametrize(("load", "busy"), [(0.24, False), (1.7, True)])
def test_a_busy_machine_is_called_so(load: float, busy: bool) -> None:
    text = " ".join(table.measured(replace(RESULTS, load=load)))
    assert f"{load:.1f}" in text
    assert ("other work" in text) == busy


def test_results_survive_their_file() -> None:
    assert from_json(json.loads(json.dumps(to_json(RESULTS)))) == RESULTS
