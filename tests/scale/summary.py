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
_COLLECTION = "ansible_collections.imds.azure."
# Kind of process -> the parts of its work, by the functions that do them. No part calls another one.
PARTS: Mapping[str, Mapping[str, str]] = {
    "main": {
        "ansible.executor.process.worker.WorkerProcess.start": "fork a process for the task",
        "ansible.executor.process.worker.WorkerProcess.__init__": "make the queue to that process",
        "ansible.vars.manager.VariableManager.get_vars": "put the host's variables together",
        "ansible.plugins.loader.PluginLoader.get": "find the action plugin",
        "ansible.plugins.strategy.results_thread_main": "receive the result",
        "ansible.plugins.strategy.StrategyBase._process_pending_results": "store the result, tell the callbacks",
    },
    "fork": {
        f"{_COLLECTION}plugins.action.azure_imds_facts.ActionModule.run": "our facts task",
        f"{_COLLECTION}plugins.action.azure_imds_attest.ActionModule.run": "our attestation task",
        "ansible._internal._task.UnifiedTaskResult.create_and_record": "convert the result",
        "ansible.playbook.task.Task.post_validate": "template the task's options",
        "ansible.executor.task_executor.TaskExecutor._get_connection": "make the connection plugin",
        "ansible.executor.task_executor.TaskExecutor._get_action_handler_with_module_context": "make the action plugin",
        "ansible.executor.task_queue_manager.FinalQueue.send_task_result": "send the result",
    },
}


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


def profile(processes: Iterable[Mapping[str, Any]], hosts: int) -> dict[str, dict[str, float]]:
    """Kind of process -> function of PARTS -> milliseconds of CPU per host; the whole is under the name ``all``.

    The clocks of the processes tell the whole, and the samples how it is divided.

    :param processes: as sampled.py writes them
    """
    seconds: Counter[str] = Counter()
    found: dict[str, Counter[str]] = {kind: Counter() for kind in PARTS}
    for process in processes:
        found[process["process"]].update({"all": process["samples"], **process["functions"]})
        seconds[process["process"]] += process["seconds"]
    return {
        kind: {
            name: round(1000 * seconds[kind] / hosts * samples[name] / (samples["all"] or 1), 2)
            for name in ("all", *PARTS[kind])
        }
        for kind, samples in found.items()
    }
