# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules share: argument specs, how they start and how they end. PRIVATE to this collection."""

from __future__ import annotations

import gc
from typing import Any

from ansible_collections.imds.azure.plugins.module_utils._imds import options
from ansible_collections.imds.azure.plugins.module_utils._imds.outcome import Outcome


def argument_spec() -> dict[str, Any]:
    """The options of the doc fragment _imds, as a new dictionary that may be extended."""
    defaults = options.Settings()
    return {
        "api_version": {"type": "str"},
        "detect": {"type": "str", "choices": ["auto", "force"], "default": defaults.detect},
        "chassis_asset_tag": {"type": "str"},
        "endpoint": {"type": "str", "default": options.ENDPOINT},
        "connect_timeout": {"type": "float", "default": defaults.connect_timeout},
        "read_timeout": {"type": "float", "default": defaults.read_timeout},
        "timeout": {"type": "float", "default": defaults.timeout},
        "updating_timeout": {"type": "float", "default": defaults.updating_timeout},
    }


def facts_spec() -> dict[str, Any]:
    """The options of the doc fragment _imds.facts: what goes into the facts."""
    return {
        name: {"type": "bool", "default": False}
        for name in ("include_user_data", "include_public_keys", "load_balancer")
    }


def facts_argument_spec() -> dict[str, Any]:
    """The options of azure_imds_facts."""
    return {**argument_spec(), **facts_spec(), "required": {"type": "bool", "default": False}}


def info_argument_spec() -> dict[str, Any]:
    """The options of azure_imds_info."""
    return {
        **argument_spec(),
        "path": {"type": "str", "default": "instance"},
        "required": {"type": "bool", "default": True},
    }


def end(module: Any, outcome: Outcome) -> None:
    """End a module with an outcome.

    :param module: the AnsibleModule
    """
    for warning in outcome.warnings:
        module.warn(warning)
    if outcome.failure is not None:
        module.fail_json(msg=outcome.failure, **outcome.result)
    module.exit_json(**outcome.result)


def keep_loaded() -> None:
    """Exempt what is loaded so far from garbage collection: all of it stays until the process ends.

    Python collects garbage as it ends, however little there is, and to look through all that Ansible has loaded takes
    longer than asking IMDS.
    """
    if hasattr(gc, "freeze"):  # not in every Python
        gc.freeze()
