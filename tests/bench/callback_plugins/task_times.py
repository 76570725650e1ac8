# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes how long each task took on the controller's clock.

A JSON list of [task name, seconds from its start to its last result].
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: task_times
type: aggregate
short_description: Write the duration of each task to the file that TASK_TIMES names
description:
  - For the benchmark.
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]  # ansible-core is untyped
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "task_times"

    def __init__(self) -> None:
        super().__init__()
        self._times: list[list[Any]] = []
        self._started = 0.0

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:  # noqa: ARG002
        self._started = time.perf_counter()
        self._times.append([task.get_name(), 0.0])

    def v2_runner_on_ok(self, result: Any) -> None:  # noqa: ARG002
        self._times[-1][1] = time.perf_counter() - self._started

    def v2_playbook_on_stats(self, stats: Any) -> None:  # noqa: ARG002
        with open(os.environ["TASK_TIMES"], "w", encoding="utf-8") as file:
            json.dump(self._times, file)
