# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter fleet_report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from ansible.errors import AnsibleFilterError
from ansible_collections.imds.azure.plugins.plugin_utils import _fleet
from ansible_collections.imds.azure.plugins.plugin_utils._filter_input import require_defined


def fleet_report(answers: Any) -> list[dict[str, Any]]:
    """{host: {facts, events, attestation, route}} -> an entry for each host, by name.

    :raises AnsibleFilterError: for anything but a dictionary of dictionaries with these keys
    """
    require_defined(answers)
    if not isinstance(answers, Mapping):
        raise AnsibleFilterError(
            f"imds.azure.fleet_report: expects a dictionary of hosts, not {type(answers).__name__}"
        )
    for host, found in answers.items():
        if not isinstance(found, Mapping) or not set(found) <= set(_fleet.ANSWERS):
            raise AnsibleFilterError(
                f"imds.azure.fleet_report: {host}: expects a dictionary with the keys {', '.join(_fleet.ANSWERS)}"
            )
    return [_fleet.entry(str(host), answers[host]) for host in sorted(answers)]


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"fleet_report": fleet_report}
