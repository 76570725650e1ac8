# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes the emulator importable, and keeps these tests on loopback."""

from __future__ import annotations

import sys
from pathlib import Path

from ansible_collections.imds.azure.tests.scenarios.loopback_guard import _loopback_only

sys.path.insert(0, str(Path(__file__).parents[2] / "roles" / "azure_imds_emulator" / "files"))

# A fixture that applies itself to every test.
__all__ = ["_loopback_only"]
