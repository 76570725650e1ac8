# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The watcher's configuration file, checked. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.imds.azure.plugins.module_utils._events import phases, terms
from ansible_collections.imds.azure.plugins.module_utils._events.selection import Selection, selection
from ansible_collections.imds.azure.plugins.module_utils._imds import options
from ansible_collections.imds.azure.plugins.module_utils._imds.options import OptionError

PHASES = (phases.NEW, phases.UPDATED, phases.STARTED, phases.GONE)
# Seconds. The command may drain a host, so it may take as long as the longest notice of a drain, and more.
LONGEST_COMMAND = 24 * 3600

Check = tuple[Callable[[str, Any], Any], Any]


class WatchSettings:
    """How to watch, which the event source shares; times in seconds.

    phases: those that count; selection: the events that count; interval: between polls; longest_wait: between polls
    while there are errors; imds: how to ask; known: all keys that there are; defaults: by key.

    :raises OptionError: for the first key that is unknown, missing or has an unusable value
    """

    def __init__(self, given: Mapping[str, Any], more: Mapping[str, Check] | None = None) -> None:
        """:param more: checks of further keys"""
        checks = {**_CHECKS, **(more or {})}
        self.known = (*checks, *_SELECTION, *_IMDS)
        self.defaults = {name: default for name, (_check, default) in checks.items()}
        for name in given:
            if name not in self.known:
                raise OptionError(str(name), f"is not known; there are {', '.join(self.known)}")
        self._checked = {name: check(name, given.get(name, default)) for name, (check, default) in checks.items()}
        self.phases: list[str] = self._checked["phases"]
        self.interval: float = self._checked["interval"]
        self.longest_wait: float = self._checked["longest_wait"]
        self.api_version: str = self._checked["api_version"]
        chosen = {name: check(name, given[name]) for name, check in _SELECTION.items() if name in given}
        self.selection: Selection = selection(chosen)
        asked = {name: given[name] for name in _IMDS if name in given}
        self.imds = options.settings({**asked, "detect": self._checked["detect"]})


class WatcherSettings(WatchSettings):
    """What the resident watcher shall do.

    command: program and arguments; state_file: where to keep what has been done; command_timeout: for one run of the
    command; stop_timeout: for commands that run when the watcher is stopped.
    """

    def __init__(self, given: Mapping[str, Any]) -> None:
        super().__init__(given, _WATCHER_CHECKS)
        self.command: list[str] = self._checked["command"]
        self.state_file: str = self._checked["state_file"]
        self.command_timeout: float = self._checked["command_timeout"]
        self.stop_timeout: float = self._checked["stop_timeout"]


def parse(text: str) -> WatcherSettings:
    """Settings from the text of a configuration file, a JSON object.

    :raises OptionError: if it can't be used
    """
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise OptionError("configuration", f"is not JSON: {error}") from None
    if not isinstance(given, dict):
        raise OptionError("configuration", "is not a JSON object")
    return WatcherSettings(given)


def _command(name: str, value: Any) -> list[str]:
    if (
        not isinstance(value, list)
        or not value
        or not all(isinstance(word, str) and "\0" not in word for word in value)
    ):
        raise OptionError(name, f"{value!r} is not a list of a program and its arguments")
    if not value[0].startswith("/"):
        raise OptionError(name, f"{value[0]!r} is not an absolute path; give the whole path of the program")
    if any("\0" in word for word in value):
        raise OptionError(name, "an argument contains a null character")
    return value


def _phases(name: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not value or not all(phase in PHASES for phase in value):
        raise OptionError(name, f"{value!r} is not a list of some of {', '.join(PHASES)}")
    return value


def _path(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value.startswith("/") or "\0" in value:
        raise OptionError(name, f"{value!r} is not an absolute path")
    return value


def _words(name: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise OptionError(name, f"{value!r} is not a list of words")
    return value


def _boolean(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise OptionError(name, f"{value!r} is not true or false")
    return value


def _one_of(*known: str) -> Callable[[str, Any], str]:
    def check(name: str, value: Any) -> str:
        if value not in known:
            raise OptionError(name, f"{value!r} is not one of {', '.join(known)}")
        return str(value)

    return check


def _seconds(least: float, most: float) -> Callable[[str, Any], float]:
    def check(name: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
            raise OptionError(name, f"{value!r} is not a usable time; give {least:g} to {most:g} seconds")
        return float(value)

    return check


# Key -> its check and its default.
_CHECKS: dict[str, Check] = {
    "phases": (_phases, list(PHASES)),
    # 0, which is as often as possible, is for tests.
    "interval": (_seconds(0, 60), 1),
    "longest_wait": (_seconds(1, 3600), 10),
    "api_version": (_one_of(*terms.VERSIONS, terms.NEWEST), terms.DEFAULT),
    "detect": (_one_of("auto", "force"), "auto"),
}
_WATCHER_CHECKS: dict[str, Check] = {
    "command": (_command, None),
    "state_file": (_path, None),
    # Draining again because an event was postponed by a minute helps nobody.
    "phases": (_phases, [phases.NEW, phases.STARTED, phases.GONE]),
    "command_timeout": (_seconds(1, LONGEST_COMMAND), 3600),
    "stop_timeout": (_seconds(0, LONGEST_COMMAND), 60),
}
_SELECTION: dict[str, Callable[[str, Any], Any]] = {"event_types": _words, "sources": _words, "mine": _boolean}
_IMDS = ("endpoint", "connect_timeout", "read_timeout")
