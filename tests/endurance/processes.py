# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""An emulator as a process of its own, and what a process occupies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
TREE = ROOT.parents[2]
EMULATOR = ROOT / "roles" / "azure_imds_emulator" / "files"


class Emulator(NamedTuple):
    """host, port: where IMDS answers; control: where the control endpoint does, HOST:PORT."""

    pid: int
    host: str
    port: int
    control: str

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


@contextmanager
def emulator(*options: str) -> Iterator[Emulator]:
    """Run the emulator on loopback, at any free port."""
    command = [sys.executable, "-m", "azure_imds_emulator", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"]
    process = subprocess.Popen([*command, *options], cwd=EMULATOR, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        host, _colon, port = ready["listen"][0].rpartition(":")
        yield Emulator(process.pid, host, int(port), ready["control"])
    finally:
        process.terminate()
        process.communicate(timeout=10)


def python(program: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a Python program that can import the collection."""
    environment = {**os.environ, "PYTHONPATH": str(TREE)}
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


class Occupied(NamedTuple):
    """KiB of memory that no other process shares, open files, threads."""

    memory: int
    files: int
    threads: int


def occupied(pid: int | str) -> Occupied:
    """What a process occupies now; ``self`` for this one."""
    process = Path("/proc") / str(pid)
    rollup = (process / "smaps_rollup").read_text(encoding="ascii").splitlines()
    private = sum(int(line.split()[1]) for line in rollup if line.startswith("Private_"))
    return Occupied(private, len(list((process / "fd").iterdir())), len(list((process / "task").iterdir())))
