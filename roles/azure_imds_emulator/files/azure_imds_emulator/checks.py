# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of what users hand in: VM lists and faults. Every error names the field."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Callable, NoReturn


class InvalidInputError(ValueError):
    """What the user handed in cannot be used; ``field`` says where it is."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


Check = Callable[[str, Any], Any]


def fail(field: str, message: str) -> NoReturn:
    """Raise the error."""
    raise InvalidInputError(field, message)


DEEPEST = 100  # levels of nesting


def load_json(field: str, content: bytes) -> Any:
    """JSON that is not nested so deeply that handling it would fail, and that can be sent as JSON again.

    :raises InvalidInputError: for anything else
    """
    try:
        document = json.loads(content)
        # Python also reads NaN, numbers out of range, and halves of surrogate pairs.
        json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(field, f"is not JSON: {error}") from error
    level = [document]
    for _ignored in range(DEEPEST):
        level = [child for node in level for child in _children(node)]
        if not level:
            return document
    return fail(field, f"is nested more than {DEEPEST} levels deep")


def _children(node: Any) -> list[Any]:
    return list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else []


def mapping(field: str, value: Any) -> dict[str, Any]:
    """A JSON object."""
    if not isinstance(value, dict):
        fail(field, f"must be an object, not {json.dumps(value, default=str)[:80]}")
    return value


def array(field: str, value: Any) -> list[Any]:
    """A JSON array."""
    if not isinstance(value, list):
        fail(field, f"must be a list, not {json.dumps(value, default=str)[:80]}")
    return value


def text(field: str, value: Any) -> str:
    """A string that is not empty."""
    if not isinstance(value, str) or not value:
        fail(field, "must be a string that is not empty")
    return value


def boolean(field: str, value: Any) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        fail(field, "must be true or false")
    return value


def number(low: float, high: float) -> Check:
    """A check for a number from ``low`` to ``high``."""

    def check(field: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            fail(field, f"must be a number from {low:g} to {high:g}")
        return float(value)

    return check


def integer(low: int, high: int) -> Check:
    """A check for an integer from ``low`` to ``high``."""

    def check(field: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            fail(field, f"must be an integer from {low} to {high}")
        return value

    return check


def one_of(choices: Sequence[str]) -> Check:
    """A check for one of some words."""

    def check(field: str, value: Any) -> str:
        if value not in choices:
            fail(field, f"must be one of {', '.join(choices)}")
        return str(value)

    return check


def fields(where: str, given: Mapping[str, Any], table: Mapping[str, Check]) -> dict[str, Any]:
    """The given fields, each through its check. A field that the table does not know is an error."""
    prefix = f"{where}." if where else ""
    for name in given:
        if name not in table:
            fail(f"{prefix}{name}", f"is not known; known are {', '.join(sorted(table))}")
    return {name: table[name](f"{prefix}{name}", value) for name, value in given.items()}
