# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The routing brain: pure functions over a host's tables. Read from ``table`` upward."""

from __future__ import annotations

from ansible_collections.imds.azure.plugins.module_utils._imds import load_once

load_once(__name__)
