# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How Hypothesis looks for examples; importing this applies it.

How long one example takes says more about the machine than about the code. In CI, a change is judged, not the dice.
"""

from __future__ import annotations

import os

from hypothesis import settings

PROFILE = "imds"
settings.register_profile(PROFILE, deadline=None, derandomize="CI" in os.environ)
settings.load_profile(PROFILE)
