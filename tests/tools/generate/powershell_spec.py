# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument specs of the Python modules as PowerShell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_WIDTH = 100


def literal(value: object) -> str:
    """A value of an argument spec as PowerShell writes it."""
    if isinstance(value, bool):
        return f"${str(value).lower()}"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, (list, tuple)):
        return f"@({', '.join(literal(entry) for entry in value)})"
    if isinstance(value, (int, float)):
        return repr(value)
    raise TypeError(f"{value!r} has no form in PowerShell")


def entries(options: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """One entry for each option, on one line where it fits."""
    lines: list[str] = []
    for name, option in options.items():
        line = f"{name} = @{{ {'; '.join(f'{key} = {literal(value)}' for key, value in option.items())} }}"
        if len(line) <= _WIDTH:
            lines.append(line)
            continue
        lines.append(f"{name} = @{{")
        for key, value in option.items():
            lines += [f"    {line}" for line in _entry(key, value)]
        lines.append("}")
    return lines


def _entry(key: str, value: object) -> list[str]:
    line = f"{key} = {literal(value)}"
    if len(line) <= _WIDTH or not isinstance(value, (list, tuple)):
        return [line]
    values = [literal(entry) for entry in value]
    return [f"{key} = @(", *(f"    {entry}," for entry in values[:-1]), f"    {values[-1]}", ")"]
