# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What module and action plugin azure_imds_attest share: the argument spec. PRIVATE to this collection."""

from __future__ import annotations

from typing import Any

from ansible_collections.imds.azure.plugins.module_utils import _module


def argument_spec() -> dict[str, Any]:
    """The options of azure_imds_attest."""
    texts = {"type": "list", "elements": "str"}
    files = {"type": "list", "elements": "path"}
    clouds = ["public", "us_government", "china", "germany"]
    return {
        **_module.argument_spec(),
        "nonce": {"type": "str"},
        "clouds": {**texts, "choices": clouds, "default": ["public"]},
        "expected_vm_id": texts,
        "expected_subscription_id": texts,
        "expected_sku": texts,
        "expected_license_type": texts,
        "expected_plan": {"type": "raw"},
        "max_age": {"type": "int"},
        "clock_skew": {"type": "int", "default": 120},
        "anchors": files,
        "builtin_anchors": {"type": "bool", "default": True},
        "intermediates": files,
        "fetch_intermediates": {"type": "str", "choices": ["auto", "never"], "default": "auto"},
        "cache_dir": {"type": "path"},
        "document": {"type": "raw"},
        "dest": {"type": "path"},
        "verify_at": {"type": "str"},
    }
