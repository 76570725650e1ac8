# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The results as reStructuredText. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ansible_collections.imds.azure.tests.tools.generate.pages import table

from .results import Ending, Results, Row

_NOTHING = ""
# Load average from which on the machine is called shared.
_BUSY = 0.8


def regions(results: Results) -> Mapping[str, Callable[[], list[str]]]:
    """The generated regions of the page, and what makes each."""
    return {
        "measured": lambda: measured(results),
        "normal": lambda: normal(results),
        "trouble": lambda: trouble(results),
    }


def measured(results: Results) -> list[str]:
    """Where and when."""
    sentence = (
        f"Measured on {results.date} on {results.machine}; medians of {results.rounds} runs. "
        f"The load average was {results.load:.1f} when it began"
    )
    busy = ", so other work shared the machine and times are too long." if results.load >= _BUSY else "."
    return ["", sentence + busy, ""]


def normal(results: Results) -> list[str]:
    """What a run takes in which nothing is wrong."""
    base = {row.group: row.normal.cpu for row in results.rows if row.baseline and row.normal}
    return table(
        ("Tool", "Version", "Requests", "Time", "CPU time", "CPU time relative to ours", "Peak memory"),
        [(row.name, *_normal_cells(row, base.get(row.group))) for row in results.rows],
    )


def _normal_cells(row: Row, base: float | None) -> tuple[str, ...]:
    if not row.normal:
        return (row.version or _NOTHING, f"not measured: {row.missing}", *[_NOTHING] * 4)
    return (
        row.version,
        str(row.normal.requests),
        duration(row.normal.seconds),
        duration(row.normal.cpu),
        ratio(row.normal.cpu / base) if base else _NOTHING,
        f"{row.normal.peak_kib / 1024:.0f} MiB",
    )


def trouble(results: Results) -> list[str]:
    """What becomes of a run in which something is wrong."""
    rows = []
    for row in results.rows:
        reason = f"not measured: {row.missing}" if row.missing else row.stated
        if reason:
            rows.append((row.name, reason, *[_NOTHING] * 3))
        else:
            cells = (_cell(row.throttled, _throttled), _cell(row.proxied, _proxied))
            rows.append((row.name, *cells, _cell(row.elsewhere, _unanswered), _cell(row.silent, _unanswered)))
    return table(("Tool", "Throttled twice", "Proxy in the environment", "Not on Azure", "No answer"), rows)


def _cell(ending: Ending | None, tell: Callable[[Ending], str]) -> str:
    return tell(ending) if ending else _NOTHING


def _throttled(ending: Ending) -> str:
    return f"{_outcome(ending)}; {_count(ending.requests, 'request')}"


def _proxied(ending: Ending) -> str:
    if ending.proxied:
        through = f"{_count(ending.proxied, 'request')} to the proxy"
        return f"{_outcome(ending)}; {through}" + (", the others direct" if ending.requests else "")
    return f"{_outcome(ending)}; none to the proxy"


def _unanswered(ending: Ending) -> str:
    if not ending.packets:
        return f"{_outcome(ending)}; sends nothing"
    return f"{_outcome(ending)}; {_count(ending.connections, 'connection')} tried, {_count(ending.packets, 'packet')}"


def _outcome(ending: Ending) -> str:
    if ending.code is None:
        return f"still trying after {duration(ending.seconds)}"
    facts = "facts" if ending.facts else "no facts"
    code = f", exit code {ending.code}" if ending.code else ""
    return f"{facts} after {duration(ending.seconds)}{code}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def ratio(number: float) -> str:
    """To two digits or so."""
    return f"{number:.1f}" if number < 9.95 else f"{number:.0f}"


def duration(seconds: float) -> str:
    """To two digits or so, in the unit that reads best."""
    return f"{seconds * 1000:.0f} ms" if seconds < 0.995 else f"{seconds:.1f} s"
