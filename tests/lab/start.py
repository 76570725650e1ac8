# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts the lab's command line from any directory."""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path

# The machine may be a container or a pod; a VM is none, and every process of it could read these in /proc/1/environ.
_MARKS = ("container", "KUBERNETES_SERVICE_HOST")
if any(mark in os.environ for mark in _MARKS):
    for mark in _MARKS:
        os.environ.pop(mark, None)
    os.execv(sys.executable, [sys.executable, *sys.argv])

sys.path[0] = str(Path(__file__).resolve().parents[1])
runpy.run_module("lab", run_name="__main__", alter_sys=True)
