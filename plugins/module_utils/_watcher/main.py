# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resident watcher as a program.

PROGRAM CONFIG            watch until SIGTERM or SIGINT
PROGRAM CONFIG --check    read the configuration, load everything, print the release
PROGRAM CONFIG --polls N  end after N polls, and after the commands that these started
PROGRAM post URL ...      post an event: see post.py
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

from ansible_collections.imds.azure.plugins.module_utils._imds import platform, release, transport
from ansible_collections.imds.azure.plugins.module_utils._imds.options import OptionError
from ansible_collections.imds.azure.plugins.module_utils._imds.reasons import ImdsError, printable

from .settings import WatcherSettings, parse
from .stop import Stop, Stopped
from .watcher import ERROR, INFO, WARNING, Command, Watcher

# Exit statuses. Off Azure there is nothing to do, which is no failure.
DONE, FAILED, MISUSED = 0, 1, 2


def log(level: int, sentence: str) -> None:
    """A line for the journal, or for whoever started the program."""
    prefix = f"<{level}>" if "JOURNAL_STREAM" in os.environ else ""
    sys.stderr.write(f"{prefix}{printable(sentence)}\n")
    sys.stderr.flush()


def main(arguments: list[str], run: Callable[..., Command]) -> int:
    """Run the program; its exit status.

    :param run: starts a command; see Watcher
    """
    if arguments[:1] == ["post"]:
        from . import post  # loads much that the watcher itself never needs

        return post.main(arguments[1:])
    config, *more = arguments or ("",)
    check = more == ["--check"]
    polls = int(more[1]) if len(more) == 2 and more[0] == "--polls" and more[1].isdecimal() else None
    if not config or (more and not check and polls is None):
        log(ERROR, "usage: PROGRAM CONFIG [--check | --polls N]")
        return MISUSED
    try:
        with open(config, encoding="utf-8") as file:
            settings = parse(file.read())
    except (OptionError, UnicodeDecodeError) as error:
        log(ERROR, f"{config}: {error}")
        return MISUSED
    except OSError as error:
        log(ERROR, f"{config}: {error.strerror}")
        return MISUSED
    if check:
        sys.stdout.write(f"{release.VERSION}\n")
        return DONE
    try:
        platform.require_azure(settings.imds)
    except ImdsError as error:
        log(WARNING, f"nothing to watch: {error.message} {error.reason.remedy}")
        return DONE if error.reason.code == "not_azure" else FAILED
    try:
        return watch(settings, run, polls)
    except OSError as error:
        log(ERROR, f"{settings.state_file}: {error.strerror}")
        return FAILED


def watch(settings: WatcherSettings, run: Callable[..., Command], polls: int | None) -> int:
    """Watch until a signal comes, or for so many polls."""
    stop = Stop()
    get, sleep = stop.interruptible(transport.get), stop.interruptible(time.sleep)
    watcher = Watcher(settings, log, run, get=get, sleep=sleep)
    try:
        while polls is None or polls > 0:
            next_poll = watcher.poll()
            polls = None if polls is None else polls - 1
            watcher.wait(next_poll - time.monotonic())
    except Stopped:
        log(INFO, "asked to end")
    watcher.finish(time.sleep)
    return DONE
