# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts the lab's command line from any directory."""

import os
import runpy
import sys
from pathlib import Path

if sys.version_info < (3, 9):  # noqa: UP036 - the code below is for these; this is what tells others
    version = "{}.{}".format(*sys.version_info)
    sys.exit(f"lab: this is Python {version}, and the lab needs 3.9 or newer; put such a python3 first on PATH")
# The collection may be installed where nothing can be written.
sys.dont_write_bytecode = True
# Where an ordinary user does not find ip.
os.environ["PATH"] = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"

# The machine may be a container or a pod. A VM is not, and its processes could read these in /proc/1/environ.
_MARKS = ("container", "KUBERNETES_SERVICE_HOST")
if any(mark in os.environ for mark in _MARKS):
    for mark in _MARKS:
        os.environ.pop(mark, None)
    os.execv(sys.executable, [sys.executable, *sys.argv])

sys.path[0] = str(Path(__file__).resolve().parents[1])
runpy.run_module("lab", run_name="__main__", alter_sys=True)
