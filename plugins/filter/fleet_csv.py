# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter fleet_csv."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from ansible.errors import AnsibleFilterError
from ansible_collections.imds.azure.plugins.plugin_utils import _fleet
from ansible_collections.imds.azure.plugins.plugin_utils._filter_input import require_defined


def fleet_csv(entries: Any) -> str:
    """The entries of fleet_report -> CSV.

    :raises AnsibleFilterError: for anything but a list of dictionaries
    """
    require_defined(entries)
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise AnsibleFilterError("imds.azure.fleet_csv: expects the list that imds.azure.fleet_report returns")
    return _fleet.as_csv(entries)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"fleet_csv": fleet_csv}
