# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs one command and measures it. Needs only Python, because it runs in a VM of the lab.

Reads a job from standard input: {"command": [...], "environment": {...}, "seconds": N, "memory": BOOL}.
Writes {"seconds", "cpu", "code", "peak_kib", "output"}. cpu is seconds too, of all processes that were waited for.
code is null where the time was over and the command was ended; peak_kib is null where memory was not asked for, because
looking at it takes time of its own.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

_PAUSE = 0.004  # seconds between two looks at the memory


def family(parents: Mapping[int, int], root: int) -> set[int]:
    """A process and all its descendants. Pure.

    :param parents: the parent of each process
    """
    found, new = {root}, {root}
    while new:
        new = {child for child, parent in parents.items() if parent in new} - found
        found |= new
    return found


def resident(status: Iterable[str]) -> int:
    """The resident set in KiB, from the lines of /proc/PID/status; 0 where there is none. Pure."""
    return next((int(line.split()[1]) for line in status if line.startswith("VmRSS:")), 0)


def _tree_kib(root: int) -> int:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(") ")[2].split()[1])
            except OSError:
                continue  # it has ended
    total = 0
    for pid in family(parents, root):
        try:
            total += resident(Path(f"/proc/{pid}/status").read_text().splitlines())
        except OSError:
            continue
    return total


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def measure(job: Mapping[str, Any]) -> dict[str, Any]:
    """Run the job; the result as above."""
    with tempfile.TemporaryFile() as output:
        used = _cpu()
        began = time.monotonic()
        with subprocess.Popen(
            job["command"],
            env=job["environment"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process:
            handle = os.pidfd_open(process.pid)
            peak = 0
            ended = False
            while not ended and (left := began + job["seconds"] - time.monotonic()) > 0:
                ended = bool(select.select([handle], [], [], _PAUSE if job["memory"] else left)[0])
                if job["memory"] and not ended:
                    peak = max(peak, _tree_kib(process.pid))
            seconds = time.monotonic() - began
            if not ended:
                os.killpg(process.pid, signal.SIGKILL)
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
    return {
        "seconds": seconds,
        "cpu": _cpu() - used,
        "code": process.returncode if ended else None,
        "peak_kib": peak if job["memory"] else None,
        "output": text,
    }


if __name__ == "__main__":
    json.dump(measure(json.load(sys.stdin)), sys.stdout)
