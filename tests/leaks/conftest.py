# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""For the tests here: the emulator's package, and the guard that keeps Python on loopback."""

from __future__ import annotations

import sys
from pathlib import Path

from ansible_collections.imds.azure.tests.scenarios.loopback_guard import _loopback_only

# A fixture that applies itself to every test.
__all__ = ["_loopback_only"]

FILES = Path(__file__).resolve().parents[2] / "roles" / "azure_imds_emulator" / "files"
if str(FILES) not in sys.path:
    sys.path.insert(0, str(FILES))
