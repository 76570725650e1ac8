# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fuzzes one target for a while, and counts."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from .target import Target
from .unguided import corpus, endless

# Seconds for one input. What takes longer is a finding.
PATIENCE = 10
_MEMORY = 2048  # MiB
_STATISTICS = {
    "executions": re.compile(r"stat::number_of_executed_units: +([0-9]+)|^Done ([0-9]+) runs", re.MULTILINE),
    "coverage": re.compile(r" cov: ([0-9]+) "),
    "inputs": re.compile(r" corp: ([0-9]+)/"),
}


class Count(NamedTuple):
    """What fuzzing one target came to.

    coverage: branches of the product's code that were taken, None where that is not measured; inputs: of the corpus at
    the end; finding: how the target failed, empty where it did not; seconds: for which it was fuzzed.
    """

    executions: int
    inputs: int
    coverage: int | None
    finding: str
    seconds: int


def is_guided() -> bool:
    """Whether Atheris is installed; there are packages of it for Linux on x86-64 only."""
    return importlib.util.find_spec("atheris") is not None


def fuzz(target: Target, place: Path, seconds: int, guided: bool) -> Count:
    """
    :param place: a directory, in which the corpus of an earlier time may be; findings are left there
    """
    return _guided(target, place, seconds) if guided else _unguided(target, place, seconds)


def _guided(target: Target, place: Path, seconds: int) -> Count:
    kept, findings = place / "corpus" / target.name, place / "findings"
    for directory in (kept, findings):
        directory.mkdir(parents=True, exist_ok=True)
    for data in corpus(target):
        (kept / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    flags = {
        "max_total_time": seconds,
        "max_len": target.most,
        "timeout": PATIENCE,
        "rss_limit_mb": _MEMORY,
        "print_final_stats": 1,
        "artifact_prefix": f"{findings / target.name}-",
    }
    module = f"{__package__}.guided"
    command = [
        sys.executable,
        "-m",
        module,
        target.name,
        *(f"-{name}={value}" for name, value in flags.items()),
        str(kept),
    ]
    # libFuzzer ends the process without giving it time to clean up.
    with tempfile.TemporaryDirectory(dir=place) as temporary:
        environment = {**os.environ, "TMPDIR": temporary}
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    said = done.stdout.decode("utf-8", "replace")
    (place / f"{target.name}.log").write_text(said, encoding="utf-8")
    found = {name: _last(pattern, said) for name, pattern in _STATISTICS.items()}
    return Count(**found, finding=_raised(said) if done.returncode else "", seconds=seconds)


def _last(pattern: re.Pattern[str], said: str) -> int:
    """The last number that libFuzzer has named like this; 0 where it has not."""
    numbers = [match[1] or match[2] if match.lastindex == 2 else match[1] for match in pattern.finditer(said)]
    return int(numbers[-1]) if numbers else 0


def _raised(said: str) -> str:
    """The exception's line, else libFuzzer's own."""
    python = re.search(r"Uncaught Python exception: ===\n(.*)", said)
    own = re.search(r"ERROR: libFuzzer: (.*)", said)
    return (python or own)[1].strip() if python or own else said.strip()[-200:]  # type: ignore[index]


def _unguided(target: Target, place: Path, seconds: int) -> Count:
    executions, until = 0, time.monotonic() + seconds
    finding = ""
    for data in endless(target, seed=time.time_ns()):
        try:
            with _within(PATIENCE):
                target.run(data)
        except Exception as error:  # every one of them is a finding
            (place / "findings").mkdir(parents=True, exist_ok=True)
            name = f"{target.name}-{hashlib.sha256(data).hexdigest()[:16]}"
            (place / "findings" / name).write_bytes(data)
            traceback.print_exc()
            finding = f"{type(error).__name__}: {error}"
            break
        executions += 1
        if time.monotonic() >= until:
            break
    return Count(executions, len(corpus(target)), None, finding, seconds)


@contextmanager
def _within(seconds: int) -> Iterator[None]:
    """
    :raises TimeoutError: the code inside takes longer
    """

    def stop(_number: int, _frame: Any) -> None:
        raise TimeoutError(f"one input takes more than {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
