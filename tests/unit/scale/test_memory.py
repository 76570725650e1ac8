# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the memory of processes is read."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.imds.azure.tests.scale import memory


def test_sizes_are_read_in_kib(tmp_path: Path) -> None:
    file = tmp_path / "status"
    file.write_text("Name:\tansible\nVmHWM:\t    2048 kB\nThreads:\t3\nUid:\t0\t0\t0\t0\n")
    assert memory.table(file) == {"VmHWM": 2048}


def test_a_process_that_has_ended_has_none(tmp_path: Path) -> None:
    assert memory.table(tmp_path / "nothing") == {}


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="needs Linux' smaps_rollup")
def test_a_process_is_watched_until_it_ends() -> None:
    command = [sys.executable, "-c", "import os, sys; os.write(1, b'.'); sys.stdin.read()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        os.read(process.stdout.fileno(), 1)
        watch = memory.Watch(process.pid)
        for _wait in range(1000):
            if watch.together:
                break
            time.sleep(0.01)
        process.communicate(b"")
        watch.join()
    assert watch.peak > 1024
    assert 0 < watch.together <= watch.peak
