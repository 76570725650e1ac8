# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state file: what is known of the events, and which commands are due. A reader finds the old or the new state."""

from __future__ import annotations

import json
import os
from typing import Any

FORMAT = 1
# No state is larger. What is may fill the memory, and is not ours.
_LARGEST = 16 * 1024 * 1024
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz_")


class StateError(Exception):
    """The file can't be used. The message says why."""


def read(path: str) -> dict[str, Any] | None:
    """The state, None if there is none yet.

    :raises StateError: the file holds something else
    :raises OSError: it can't be read
    """
    try:
        with open(path, "rb") as file:
            content = file.read(_LARGEST + 1)
    except FileNotFoundError:
        return None
    try:
        state = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError):
        raise StateError("it is not JSON") from None
    if not _is_state(state):
        raise StateError(f"it is not a state of format {FORMAT}")
    return dict(state)


def _is_state(state: Any) -> bool:
    """Whether it has the shape that its readers rely on."""
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        return False
    watch, due = state.get("watch"), state.get("due")
    if not isinstance(watch, dict) or not isinstance(due, list):
        return False
    incarnation, missed = watch.get("incarnation"), watch.get("missed", [])
    if not isinstance(incarnation, (int, type(None))) or isinstance(incarnation, bool):
        return False
    if not isinstance(missed, list) or not all(isinstance(key, str) for key in missed):
        return False
    known = watch.get("known", {})
    if not isinstance(known, dict) or not all(isinstance(seen, dict) for seen in known.values()):
        return False
    events = [seen.get("event") for seen in known.values()]
    events += [item.get("event") if isinstance(item, dict) and "phase" in item else None for item in due]
    return all(isinstance(event, dict) and "event_id" in event and all(map(_is_key, event)) for event in events)


def _is_key(name: str) -> bool:
    """Whether a command's environment can have a variable of that name."""
    return bool(name) and set(name) <= _LETTERS


def write(path: str, state: dict[str, Any]) -> None:
    """Replace the state in one step. It is on disk when this returns.

    :raises OSError: it can't be written; the old state is still there then
    """
    temporary = f"{path}.new"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        json.dump({"format": FORMAT, **state}, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    folder = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def set_aside(path: str) -> str:
    """Move a file that can't be used out of the way; its new path.

    :raises OSError: it can't be moved
    """
    aside = f"{path}.unusable"
    os.replace(path, aside)
    return aside
