# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the resident watcher of scheduled events costs a VM: memory, and CPU per hour at one request per second."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

from ansible_collections.imds.azure.tests.scenarios import watcher_program

FEW, MANY = 10, 2000
POLLS_PER_HOUR = 3600


def cost(port: int) -> dict[str, float]:
    """Measured against the emulator, without pauses. Start-up does not count, because it happens once."""
    with tempfile.TemporaryDirectory() as scratch:
        config = Path(scratch, "config.json")
        given = {
            "command": ["/bin/true"],
            "state_file": str(Path(scratch, "state.json")),
            "endpoint": f"http://127.0.0.1:{port}",
            "detect": "force",
            "interval": 0,
        }
        config.write_text(json.dumps(given), encoding="utf-8")
        few, _memory = run(config, FEW)
        many, memory = run(config, MANY)
    return {
        "watcher_memory_mib": memory / 1024,
        "watcher_cpu_s_per_hour": (many - few) / (MANY - FEW) * POLLS_PER_HOUR,
    }


def run(config: Path, polls: int) -> tuple[float, int]:
    """(seconds of CPU, KiB of private memory shortly before the end) of a watcher that polls so often."""
    command = [*watcher_program.COMMAND, str(config), "--polls", str(polls)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    memory = 0
    while True:
        memory = private_memory(process.pid) or memory
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        if ended:
            break
        time.sleep(0.02)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"the watcher ended with status {process.returncode}")
    return usage.ru_utime + usage.ru_stime, memory


def private_memory(pid: int) -> int:
    """KiB that no other process shares; 0 if it has just ended."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0
    return sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Private_"))
