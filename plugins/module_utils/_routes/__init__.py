# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The routing brain: pure functions over a host's tables. Read from ``table`` upward."""
