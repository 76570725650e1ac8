# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine played by the test: a table of host routes behind a stand-in for the ip command, and real files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Callable, Optional

from ansible_collections.imds.azure.plugins.module_utils._routes.host.host import Host, HostError

from .apply_contract import KilledError

Answer = tuple[int, str, str]


class Machine:
    """``rows`` are routes as ip prints them. ``kill_at``: the piece of I/O that does not happen any more. ``broken``:
    verbs that fail, and what they say. ``full``: nothing can be written any more."""

    def __init__(self, place: Path, rows: Sequence[str] = ()) -> None:
        self.rows = list(rows)
        self.kept: Optional[dict[str, Any]] = None
        self.broken: dict[str, str] = {}
        self.kill_at: Optional[int] = None
        self.full = False
        self.count = 0
        self.log: list[str] = []
        self.host = _Counting(self, place)

    def tick(self) -> None:
        """One piece of I/O."""
        if self.count == self.kill_at:
            raise KilledError
        self.count += 1

    def run(self, argv: Sequence[str]) -> Answer:
        """The ip command, as far as operations need it."""
        self.tick()
        _ip, _route, verb, *words = argv
        row = " ".join(words)
        self.log.append(f"{verb} {row}")
        if verb in self.broken:
            return 2, "", self.broken[verb]
        return _VERBS[verb](self.rows, row)

    def operate(self, operation: Any) -> None:
        """Stands in for `operations.operate`, with a persistent form in memory."""
        from ansible_collections.imds.azure.plugins.module_utils._routes.host import operations

        if operation["action"] in ("persist", "unpersist"):
            self.tick()
            self.log.append(str(operation["action"]))
            self.kept = operation.get("route") if operation["action"] == "persist" else None
            return
        operations.operate(self.host, "none", operation)


class _Counting(Host):
    """A host whose writes count, so that a test can kill it at each."""

    def __new__(cls, machine: Machine, place: Path) -> _Counting:
        self = super().__new__(cls, machine.run, str(place))
        self.machine = machine
        return self

    machine: Machine

    def write(self, path: str, text: str, mode: int) -> None:
        self.machine.tick()
        if self.machine.full:
            raise HostError(f"{path}: No space left on device")
        super().write(path, text, mode)

    def remove(self, path: str) -> None:
        self.machine.tick()
        super().remove(path)


def _prefix(row: str) -> str:
    return next(word for word in row.split() if word[0].isdigit())


def _replace(rows: list[str], row: str) -> Answer:
    for at, old in enumerate(rows):
        if _prefix(old) == _prefix(row):
            rows[at] = row
            return 0, "", ""
    rows.append(row)
    return 0, "", ""


def _append(rows: list[str], row: str) -> Answer:
    if row in rows:
        return 2, "", "RTNETLINK answers: File exists\n"
    rows.append(row)
    return 0, "", ""


def _prepend(rows: list[str], row: str) -> Answer:
    if row in rows:
        return 2, "", "RTNETLINK answers: File exists\n"
    rows.insert(0, row)
    return 0, "", ""


def _delete(rows: list[str], row: str) -> Answer:
    if row not in rows:
        return 2, "", "RTNETLINK answers: No such process\n"
    rows.remove(row)
    return 0, "", ""


_VERBS: dict[str, Callable[[list[str], str], Answer]] = {
    "replace": _replace,
    "append": _append,
    "prepend": _prepend,
    "delete": _delete,
}
