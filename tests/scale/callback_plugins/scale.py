# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes what each task of a play cost, and what its hosts answered, as JSON.

tasks: a list of {name, hosts, seconds, main, forks, emulators, resident}. seconds: from the task's start to its last
result; main, forks, emulators: seconds of CPU of Ansible's main process, of its forks with all that they started, and
of the emulators; resident: KiB of the main process after the task.
answers: host -> what fleet.differences takes.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import time
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: scale
type: aggregate
short_description: Write the cost of each task and the answers of the hosts to the file that SCALE_RECORD names
description:
  - For the measurements at scale.
"""

# Seconds that forks may take to end after the last result: only then does the kernel account for them.
PATIENCE = 5.0
TICKS = os.sysconf("SC_CLK_TCK")


class CallbackModule(CallbackBase):  # type: ignore[misc]  # ansible-core is untyped
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "scale"

    def __init__(self) -> None:
        super().__init__()
        self._emulators = os.environ.get("SCALE_EMULATORS", "").split()
        self._tasks: list[dict[str, Any]] = []
        self._answers: dict[str, dict[str, Any]] = {}
        self._before: dict[str, float] = {}

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:  # noqa: ARG002
        self._end_task()
        self._before = self._spent()
        self._tasks.append({"name": task.get_name(), "hosts": 0, "seconds": 0.0})

    def v2_runner_on_ok(self, result: Any) -> None:
        task = self._tasks[-1]
        task["hosts"] += 1
        task["seconds"] = time.perf_counter() - self._before["clock"]
        told = result.result
        answer = self._answers.setdefault(result.host.get_name(), {})
        facts = (told.get("ansible_facts") or {}).get("azure_imds")
        if facts:
            answer.update({name: facts[name] for name in ("name", "vm_id", "zone", "tags")})
        if "nonce_verified" in told:
            answer.update(attested_vm_id=told["document"]["vm_id"], verified=told["verified"], nonce=told["nonce"])

    def v2_playbook_on_stats(self, stats: Any) -> None:  # noqa: ARG002
        self._end_task()
        record = {"tasks": self._tasks, "answers": self._answers}
        Path(os.environ["SCALE_RECORD"]).write_text(json.dumps(record), encoding="utf-8")

    def _end_task(self) -> None:
        """Account for the task that is over."""
        if not self._tasks:
            return
        until = time.monotonic() + PATIENCE
        while multiprocessing.active_children() and time.monotonic() < until:
            time.sleep(0.01)
        after = self._spent()
        spent = {name: after[name] - self._before[name] for name in ("main", "forks", "emulators")}
        self._tasks[-1].update(spent, resident=_resident())

    def _spent(self) -> dict[str, float]:
        own, forks = (_cpu(resource.getrusage(who)) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        emulators = sum(_cpu_of(pid) for pid in self._emulators)
        return {"clock": time.perf_counter(), "main": own, "forks": forks, "emulators": emulators}


def _cpu(usage: resource.struct_rusage) -> float:
    return usage.ru_utime + usage.ru_stime


def _cpu_of(pid: str) -> float:
    """Seconds of CPU of another process."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _resident() -> int:
    """KiB of memory that this process has at the moment."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024
