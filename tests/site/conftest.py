# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes the emulator's package importable, and finds Chromium."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from ansible_collections.imds.azure.tests.site.browser import BROWSERS

FILES = Path(__file__).resolve().parents[2] / "roles" / "azure_imds_emulator" / "files"
if str(FILES) not in sys.path:
    sys.path.insert(0, str(FILES))


@pytest.fixture(scope="session")
def chromium() -> str:
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip("no page is looked at without Chromium")
    return program
