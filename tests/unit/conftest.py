# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""For all unit tests: nothing leaves the machine, and how Hypothesis looks for examples."""

from __future__ import annotations

from ansible_collections.imds.azure.tests.scenarios.examples import PROFILE
from ansible_collections.imds.azure.tests.scenarios.loopback_guard import _loopback_only

# A fixture that applies itself to every test, and a profile that did so when it was imported.
__all__ = ["PROFILE", "_loopback_only"]
