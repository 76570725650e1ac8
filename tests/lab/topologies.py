# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The topology that most tests of the lab look at."""

from __future__ import annotations

from typing import Any

SHARED_SUBNET = "10.99.0.0/24"
TOPOLOGY: dict[str, Any] = {
    "vms": [
        {"name": "web", "nics": [{"subnet": SHARED_SUBNET, "secondary_addresses": ["10.99.0.9"]}, {}]},
        {"name": "db", "nics": [{"subnet": SHARED_SUBNET}], "profile": "windows"},
        {"name": "elsewhere", "chassis_asset_tag": False},
    ]
}
