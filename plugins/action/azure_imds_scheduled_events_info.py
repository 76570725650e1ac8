# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's part of azure_imds_scheduled_events_info: read in one remote command where the host allows it."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.imds.azure.plugins.module_utils._scheduled_events import info_argument_spec
from ansible_collections.imds.azure.plugins.plugin_utils import _quick_module
from ansible_collections.imds.azure.plugins.plugin_utils._payload import pack

OPERATION = "_events.run_info"
pack(OPERATION)  # here, because this file is imported once, but each task has a process of its own


class ActionModule(ActionBase):  # type: ignore[misc]
    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        return _quick_module.run(self, OPERATION, info_argument_spec(), task_vars or {})
