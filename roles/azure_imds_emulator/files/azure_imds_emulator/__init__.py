# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An emulator of the Azure Instance Metadata Service. Python 3.9+, standard library only."""

from __future__ import annotations

__version__ = "0.2.0"
