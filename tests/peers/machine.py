# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the machine is, in words that may be published."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def describe() -> str:
    """Such as: 2 cores of an Example CPU, Linux 6.1, Debian GNU/Linux 12 (bookworm)."""
    cores = len(os.sched_getaffinity(0))
    release = platform.release().partition("-")[0]
    words = [f"{cores} core{'' if cores == 1 else 's'} ({processor(_text('/proc/cpuinfo'))})", f"Linux {release}"]
    return ", ".join([*words, system(_text("/etc/os-release"))])


def processor(cpuinfo: str) -> str:
    """The model's name. Pure."""
    names = [line.partition(":")[2].strip() for line in cpuinfo.splitlines() if line.startswith("model name")]
    return names[0] if names else platform.machine()


def system(os_release: str) -> str:
    """The distribution's name. Pure."""
    names = [line.partition("=")[2].strip('"') for line in os_release.splitlines() if line.startswith("PRETTY_NAME=")]
    return names[0] if names else "an unknown distribution"


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
