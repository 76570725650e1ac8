# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the emulator in the background, and ends it again.

The running emulator holds a lock on its pid file. Who can take the lock knows that none runs, whatever number the file
holds: a number that has passed to another process is never mistaken for ours.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

PATIENCE = 10.0  # seconds for a start or an end
Announce = Callable[[str], None]


class BackgroundError(RuntimeError):
    """It did not start or did not end; the message is one line for the user."""


def start(run: Callable[[Announce], int], pid_file: Path, log_file: Path) -> str:
    """Call ``run(announce)`` in a process of its own; returns what it announced.

    ``run`` announces one line when it is ready. Its stdout and stderr go to the log file.

    :raises BackgroundError: if it does not get ready, or one is already running
    """
    with _locked(pid_file) as lock:
        os.close(os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o644))
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            _be_the_child(run, lock, writing, log_file)
        os.close(writing)
        with open(reading, encoding="utf-8") as stream:
            line = stream.read().strip()  # ends when the child closes its end, or ends
    if not line:
        raise BackgroundError(log_file.read_text(encoding="utf-8", errors="replace").strip() or "ended at once")
    return line


def _be_the_child(run: Callable[[Announce], int], lock: int, writing: int, log_file: Path) -> None:
    """The life of the child; never returns."""
    status = 1
    try:
        os.setsid()
        log = os.open(log_file, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW)
        null = os.open(os.devnull, os.O_RDONLY)
        for target, source in ((0, null), (1, log), (2, log)):
            os.dup2(source, target)
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)

        def announce(line: str) -> None:
            os.write(writing, f"{line}\n".encode())
            os.close(writing)

        status = run(announce)
    except Exception as error:  # one line for the parent, who reads the log
        print(error, file=sys.stderr, flush=True)
    finally:
        os._exit(status)


def stop(pid_file: Path) -> bool:
    """End the emulator of this pid file. Returns whether one ran.

    :raises BackgroundError: if it does not end
    """
    if not pid_file.exists():
        return False
    try:
        with _locked(pid_file):
            return False
    except BackgroundError:
        os.kill(int(pid_file.read_text(encoding="ascii")), signal.SIGTERM)
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with contextlib.suppress(BackgroundError), _locked(pid_file):
            return True
        time.sleep(0.05)
    raise BackgroundError(f"{pid_file}: the emulator did not end in {PATIENCE:g} seconds")


@contextlib.contextmanager
def _locked(pid_file: Path) -> Iterator[int]:
    """The pid file, locked by us and whoever inherits it.

    :raises BackgroundError: if another has the lock
    """
    descriptor = os.open(pid_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BackgroundError(f"{pid_file}: an emulator runs already") from error
        yield descriptor
    finally:
        os.close(descriptor)
