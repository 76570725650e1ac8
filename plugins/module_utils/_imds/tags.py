# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tags as IMDS sends them -> one dict. Pure."""

from __future__ import annotations

from typing import Any


def text(value: Any) -> str:
    """A string unchanged; an integer or boolean as IMDS spells it, since it sends strings; otherwise ""."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return str(value)
    return value if isinstance(value, str) else ""


def from_list(tags_list: Any) -> dict[str, str]:
    """[{"name": ..., "value": ...}] -> {name: value}; malformed entries are ignored."""
    entries = tags_list if isinstance(tags_list, list) else []
    return {
        entry["name"]: text(entry.get("value"))
        for entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("name"), str)
    }


def from_string(tags: str) -> tuple[dict[str, str], bool]:
    """ "Name:Value;Name:Value" -> (dict, ambiguous).

    Semicolons and colons are legal in values. A part without a colon can only be the rest of the value before it, so
    that is what it is taken for; where that happens, or a value holds a colon, the split may be wrong: ambiguous.
    """
    found: dict[str, list[str]] = {}
    ambiguous = False
    last: list[str] | None = None
    for part in tags.split(";") if tags else []:
        name, colon, value = part.partition(":")
        if colon and name:
            ambiguous = ambiguous or ":" in value or name in found
            found[name] = last = [value]
        else:
            ambiguous = True
            if last is not None:
                last.append(part)
    return {name: ";".join(parts) for name, parts in found.items()}, ambiguous
