# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The route fix: a query against ping, and the controller's CPU time for a router's report."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from statistics import median
from typing import Any

from ansible_collections.imds.azure.plugins.module_utils._routes.host.collect import collect
from ansible_collections.imds.azure.plugins.module_utils._routes.host.host import Host
from ansible_collections.imds.azure.plugins.module_utils._routes.options import RouteOptions
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.evaluation import Evaluation
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.report import read_report
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.result import describe_case, make_case
from ansible_collections.imds.azure.tests.scenarios import namespace
from ansible_collections.imds.azure.tests.scenarios.linux_states import DEFAULT, NICS

ROUTES = 200_000


def query_task(port: int) -> dict[str, Any]:
    """A query that asks an emulator on loopback."""
    options = {"state": "query", "endpoint": f"http://127.0.0.1:{port}", "detect": "force"}
    return {"imds.azure.azure_imds_route_fix": options}


def controller_cpu(rounds: int) -> float:
    """Milliseconds for everything that the controller does with the report of a router with 200,000 routes.

    The routes are a kernel's, in a network namespace; zero where this machine allows none.
    """
    if namespace.refusal():
        return 0.0
    with namespace.Namespace() as net:
        net.ip(*NICS, DEFAULT, "route add 169.254.0.0/16 dev eth1")
        for first in range(0, ROUTES, 50_000):
            numbers = range(first, first + 50_000)
            net.ip(*(f"route add 100.{n >> 16}.{n >> 8 & 255}.{n & 255} via 10.0.2.1 dev eth1" for n in numbers))

        def run(argv: Sequence[str]) -> tuple[int, str, str]:
            done: dict[str, Any] = {"rc": 127, "stdout": "", "stderr": ""}
            if argv[0] == "ip":
                done = net.run(argv)
            return done["rc"], done["stdout"], done["stderr"]

        report = json.loads(json.dumps(collect(Host(run), RouteOptions(), azure=True)))
    times = []
    for _round in range(rounds):
        begin = time.process_time()
        describe_case(make_case(report, Evaluation(read_report(report))))
        times.append(time.process_time() - begin)
    return median(times) * 1000
