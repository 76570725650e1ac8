# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's version, as in galaxy.yml."""

from __future__ import annotations

VERSION = "0.2.0"
