# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resident watcher as its role installs it: isolated, without site-packages."""

from __future__ import annotations

import sys
from pathlib import Path

ROLE = Path(__file__).resolve().parents[2] / "roles" / "azure_imds_event_watcher"
LINUX = ROLE / "files" / "linux"
_TREE = Path(__file__).resolve().parents[5]
_START = f"import runpy, sys; sys.path.insert(0, {str(_TREE)!r}); runpy.run_path({str(LINUX)!r}, run_name='__main__')"

# To be followed by the program's arguments.
COMMAND = (sys.executable, "-ISc", _START)
