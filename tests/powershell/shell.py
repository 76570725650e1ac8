# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where PowerShell is, and whether it may be missing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

# Set where PowerShell has to be there, as in CI: tests that can't find it fail then, instead of being skipped.
REQUIRED = "IMDS_REQUIRE_PWSH"

# Found like Ansible finds it on a Windows host: by name.
PWSH = shutil.which("pwsh")

# Environment: .NET doesn't collect what would help to compile better code for longer runs. It saves a tenth of the CPU.
LEAN = {"DOTNET_TieredPGO": "0"}

TREE = Path(__file__).resolve().parents[5]
PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
# Stand-ins for CIM and for the cmdlets of disks.
DISK_CMDLETS = Path(__file__).with_name("disk_cmdlets")


def pwsh() -> str:
    """The path of PowerShell. Skips the test where there is none, or fails it where there has to be one."""
    if PWSH is None:
        reason = "pwsh not found: the .ps1 modules are not executed"
        (pytest.fail if os.environ.get(REQUIRED) else pytest.skip)(reason)
    return str(PWSH)
