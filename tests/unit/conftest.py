# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""For all unit tests: nothing leaves the machine, and how Hypothesis looks for examples."""

from __future__ import annotations

import os

from ansible_collections.imds.azure.tests.scenarios.loopback_guard import _loopback_only
from hypothesis import settings

# A fixture that applies itself to every test.
__all__ = ["_loopback_only"]

# How long one example takes says more about the machine than about the code. In CI, a change is judged, not the dice.
settings.register_profile("imds", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("imds")
