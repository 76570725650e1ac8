# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is measured about a tool. Pure; kept as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Optional


@dataclass(frozen=True)
class Normal:
    """A run in which nothing is wrong. seconds that passed, seconds of CPU time, and peak_kib of memory are medians."""

    requests: int
    seconds: float
    cpu: float
    peak_kib: int


@dataclass(frozen=True)
class Ending:
    """How one run ended in which something was wrong.

    facts: whether the tool printed what only the metadata service knows.
    code: its exit code; None if it was ended because it took too long.
    requests, proxied: requests that reached the service, and the proxy.
    packets, connections: packets that left for the service's address, and the TCP connections that they tried.
    """

    facts: bool
    code: Optional[int]
    seconds: float
    requests: int = 0
    proxied: int = 0
    packets: int = 0
    connections: int = 0


@dataclass(frozen=True)
class Row:
    """A tool.

    baseline: whether the others of its group are compared with it.
    missing: why there is nothing else; then the rest is empty.
    stated: why it meets nothing that goes wrong.
    """

    name: str
    group: str
    baseline: bool = False
    version: str = ""
    missing: str = ""
    stated: str = ""
    normal: Optional[Normal] = None
    throttled: Optional[Ending] = None
    proxied: Optional[Ending] = None
    elsewhere: Optional[Ending] = None
    silent: Optional[Ending] = None


@dataclass(frozen=True)
class Results:
    """A whole run. rounds: how many runs the medians are of. load: average of the machine when it began."""

    date: str
    machine: str
    load: float
    rounds: int
    rows: tuple[Row, ...]


_ENDINGS = ("throttled", "proxied", "elsewhere", "silent")


def to_json(results: Results) -> dict[str, Any]:
    return asdict(results)


def from_json(document: dict[str, Any]) -> Results:
    """
    :raises TypeError: if it is not what `to_json` makes
    """
    return Results(**{**document, "rows": tuple(_row(row) for row in document["rows"])})


def _row(document: dict[str, Any]) -> Row:
    parts = {name: Ending(**document[name]) for name in _ENDINGS if document[name]}
    if document["normal"]:
        return Row(**{**document, **parts, "normal": Normal(**document["normal"])})
    return Row(**{**document, **parts})
