# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access tokens: what they claim, how they are signed, and what it takes to verify them."""
