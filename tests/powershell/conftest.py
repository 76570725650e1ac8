# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A controller for plays, PowerShell in one process, the emulator's package, and the guard that keeps to loopback."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.imds.azure.tests.powershell.plays import Controller
from ansible_collections.imds.azure.tests.powershell.session import Session
from ansible_collections.imds.azure.tests.powershell.shell import pwsh
from ansible_collections.imds.azure.tests.scenarios.loopback_guard import _loopback_only

# A fixture that runs by itself.
__all__ = ["_loopback_only"]

FILES = Path(__file__).resolve().parents[2] / "roles" / "azure_imds_emulator" / "files"
if str(FILES) not in sys.path:
    sys.path.insert(0, str(FILES))


@pytest.fixture
def controller(tmp_path: Path) -> Controller:
    return Controller(tmp_path)


@pytest.fixture(scope="session")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """PowerShell without any cmdlet of Windows."""
    with Session(pwsh(), tmp_path_factory.mktemp("session")) as process:
        # Started and compiled, so that what a test times begins when it says so.
        process.run("azure_imds_facts_windows", {"chassis_asset_tag": "none"})
        yield process
