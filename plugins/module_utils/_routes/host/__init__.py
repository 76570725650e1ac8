# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Linux host's part of the route fix: collect, carry out, prove, roll back. Nothing in here decides."""

from __future__ import annotations

from ansible_collections.imds.azure.plugins.module_utils._imds import load_once

load_once(__name__)
