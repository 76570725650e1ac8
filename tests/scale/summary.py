# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what plays recorded to the figures that the documentation shows. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import mean
from typing import Any

# What the cost of a host may grow by from the smaller fleet to the larger one.
MOST_GROWTH = 0.10
OURS = ("facts", "attest")
# What is told of a task, in milliseconds per host.
COSTS = ("seconds", "cpu", "main", "emulators")
# Percent of the CPU time that a function needs to be in the profile.
LEAST_SHARE = 2.0
_CORE, _COLLECTION = "ansible.", "ansible_collections.imds.azure."


def figures(runs: Sequence[Mapping[str, Any]], pings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Means per host and task of all runs over a fleet of the same size; sizes in ascending order.

    :param runs: of our tasks, as plays.play returns them
    :param pings: the same of ping
    """
    sizes = sorted({run["hosts"] for run in runs})
    told = {
        str(size): _size(*([run for run in group if run["hosts"] == size] for group in (runs, pings))) for size in sizes
    }
    return {"sizes": told, "growth": _growth(told[str(sizes[0])], told[str(sizes[-1])])}


def _size(runs: Sequence[Mapping[str, Any]], pings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    all_tasks = [task for run in (*pings, *runs) for task in run["tasks"]]
    names = dict.fromkeys(task["name"] for task in all_tasks)
    tasks = {name: _cost([task for task in all_tasks if task["name"] == name]) for name in names}
    memory = {name: round(max(run["memory"][name] for run in runs) / 1024, 1) for name in runs[0]["memory"]}
    ratios = {name: round(tasks[name]["cpu"] / tasks["ping"]["cpu"], 3) for name in OURS}
    return {
        "runs": len(runs),
        "seconds": round(mean(run["seconds"] for run in runs), 1),
        "cpu": round(mean(run["cpu"] for run in runs), 1),
        "tasks": tasks,
        "cpu_vs_ping": ratios,
        "memory_mib": memory,
    }


def _cost(tasks: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    costs = [{**task, "cpu": task["main"] + task["forks"]} for task in tasks]
    return {name: round(mean(cost[name] / cost["hosts"] * 1000 for cost in costs), 2) for name in COSTS}


def _growth(small: Mapping[str, Any], large: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Task -> by what fraction its cost per host is higher in the larger fleet."""
    return {
        name: {
            cost: round(large["tasks"][name][cost] / small["tasks"][name][cost] - 1, 3) for cost in ("seconds", "cpu")
        }
        for name in small["tasks"]
    }


def verdict(figures: Mapping[str, Any]) -> list[str]:
    """Lines for the user."""
    lines = []
    for name in OURS:
        for cost, growth in figures["growth"][name].items():
            ending = "ok" if growth <= MOST_GROWTH else "MISSED"
            lines.append(f"{name}: {cost} per host {growth:+.1%}, at most {MOST_GROWTH:+.0%}: {ending}")
    return lines


def profile(processes: Iterable[Mapping[str, Any]], hosts: int) -> dict[str, list[dict[str, Any]]]:
    """Kind of process -> the functions of Ansible and of this collection that most of its CPU time went through.

    A function that only passes the time on to a single other one is left out. Each with its percentage of the CPU time
    of all processes of that kind, and milliseconds per host.

    :param processes: as sampled.py writes them
    """
    seconds: Counter[str] = Counter()
    functions: dict[str, Counter[str]] = {}
    for process in processes:
        kind = process["process"]
        seconds[kind] += process["seconds"]
        functions.setdefault(kind, Counter()).update(process["functions"])
    return {kind: _shares(functions[kind], seconds[kind], hosts) for kind in sorted(functions)}


def _shares(functions: Mapping[str, float], seconds: float, hosts: int) -> list[dict[str, Any]]:
    told = [
        {
            "function": name,
            "percent": round(100 * spent / seconds, 1),
            "ms_per_host": round(1000 * spent / hosts, 2),
        }
        for name, spent in functions.items()
        if name.startswith((_CORE, _COLLECTION)) and 100 * spent / seconds >= LEAST_SHARE
    ]
    return sorted(told, key=lambda one: (-one["percent"], one["function"]))
