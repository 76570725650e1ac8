# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs ansible-playbook and samples in which functions its main process and its forks spend their CPU time.

python sampled.py OUTPUT ARGUMENT...

Writes one JSON object per line and process: process ("main" or "fork"), action (of the task that a fork ran), seconds
of CPU, samples, and functions: MODULE.NAME -> samples in which it was on the stack of a thread.

A timer of the kernel goes off after each 10 ms of CPU time of the process, for the first time after a random part of
that: many forks together then show each moment of their lives equally often. Threads share a sample by what their own
clocks say, so none answers for another.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import signal
import sys
import threading
import time
from collections import defaultdict
from types import FrameType
from typing import Any

INTERVAL = 0.01


class Sampler:
    """Samples the process that it is started in."""

    def __init__(self, output: str) -> None:
        self._output = output
        self.start()

    def start(self) -> None:
        """Begin anew. A fork inherits the handler, but not the timer."""
        self._functions: defaultdict[str, float] = defaultdict(float)
        self._samples = 0
        self._clocks: dict[int, float] = {}
        signal.signal(signal.SIGPROF, self._sample)
        signal.setitimer(signal.ITIMER_PROF, random.uniform(INTERVAL / 100, INTERVAL), INTERVAL)

    def write(self, process: str, action: str = "") -> None:
        """Stop, and append what was found."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        found = {"process": process, "action": action, "seconds": time.process_time()}
        line = json.dumps({**found, "samples": self._samples, "functions": self._functions}) + "\n"
        with open(self._output, "a", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(line)

    def _sample(self, _signal: int, interrupted: FrameType | None) -> None:
        threads = [thread.ident for thread in threading.enumerate() if thread.ident]
        clocks = {ident: time.clock_gettime(time.pthread_getcpuclockid(ident)) for ident in threads}
        spent = {ident: clock - self._clocks.get(ident, 0.0) for ident, clock in clocks.items()}
        self._clocks = clocks
        self._samples += 1
        frames = {**sys._current_frames(), threading.get_ident(): interrupted}
        for ident in threads:
            for function in _on_stack(frames.get(ident)):
                self._functions[function] += spent[ident] / (sum(spent.values()) or 1)


def _on_stack(frame: FrameType | None) -> set[str]:
    functions = set()
    while frame is not None:
        functions.add(f"{frame.f_globals.get('__name__')}.{frame.f_code.co_qualname}")
        frame = frame.f_back
    return functions


def main() -> None:
    output, *arguments = sys.argv[1:]
    sampler = Sampler(output)

    from ansible.cli.playbook import main as ansible_playbook
    from ansible.executor.process.worker import WorkerProcess

    run = WorkerProcess.run

    def sampled(self: Any) -> None:
        try:
            run(self)
        finally:
            sampler.write("fork", self._task.action)

    WorkerProcess.run = sampled
    os.register_at_fork(after_in_child=sampler.start)
    sys.argv = ["ansible-playbook", *arguments]
    try:
        ansible_playbook()
    finally:
        sampler.write("main")


if __name__ == "__main__":
    main()
