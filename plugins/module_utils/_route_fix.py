# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module azure_imds_route_fix and its action plugin share. PRIVATE to this collection."""

from __future__ import annotations

from typing import Any

from ansible_collections.imds.azure.plugins.module_utils import _module
from ansible_collections.imds.azure.plugins.module_utils._routes import options


def argument_spec() -> dict[str, Any]:
    """The options of azure_imds_route_fix; a fresh copy."""
    defaults = options.DEFAULT
    return {
        **_module.argument_spec(),
        "state": {"type": "str", "choices": list(options.STATES), "default": defaults.state},
        "interface": {"type": "str"},
        "mac_address": {"type": "str"},
        "primary_ip": {"type": "str"},
        "next_hop": {"type": "str", "default": defaults.next_hop},
        "persistent": {"type": "bool", "default": defaults.persistent},
        "persistence_backend": {
            "type": "str",
            "choices": ["auto", *options.PERSISTENCE_STACKS, options.NO_PERSISTENCE],
            "default": "auto",
        },
        "remove_conflicting": {"type": "bool"},
        "fix_source": {"type": "bool", "default": defaults.fix_source},
        "verify": {"type": "bool", "default": True},
        "verify_timeout": {"type": "float", "default": 5.0},
        "verify_retries": {"type": "int", "default": 2},
        "rollback": {"type": "bool", "default": True},
        "force": {"type": "bool", "default": defaults.force},
        "fail_on_findings": {"type": "bool", "default": False},
        "route_print": {"type": "str"},
        "request": {"type": "dict"},
    }
