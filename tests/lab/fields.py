# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One object of a topology, read field by field. Pure."""

from __future__ import annotations

from typing import Any

from .errors import SpecError

_KINDS: dict[type, str] = {
    bool: "true or false",
    dict: "an object",
    int: "an integer",
    list: "a list",
    str: "a string",
    type(None): "null",
}


def kind_of(value: object) -> str:
    """What JSON calls a value."""
    return _KINDS.get(type(value), type(value).__name__)


class Fields:
    """One JSON object; ``take`` checks one field, ``done`` refuses the fields that were not taken."""

    def __init__(self, value: object, path: str) -> None:
        if not isinstance(value, dict):
            raise SpecError(f"{path or 'topology'}: expected an object, got {kind_of(value)}")
        self._rest: dict[str, Any] = dict(value)
        self._known: list[str] = []
        self.path = path

    def at(self, field: str) -> str:
        return f"{self.path}.{field}" if self.path else field

    def take(self, field: str, kinds: tuple[type, ...], default: Any = None) -> Any:
        self._known.append(field)
        value = self._rest.pop(field, default)
        # bool is an int in Python, yet `true` is never a number in a topology.
        if value is not default and (not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds)):
            wanted = " or ".join(_KINDS[kind] for kind in kinds)
            raise SpecError(f"{self.at(field)}: expected {wanted}, got {kind_of(value)}")
        return value

    def strings(self, field: str) -> tuple[str, ...]:
        value = self.take(field, (list,), [])
        for number, item in enumerate(value):
            if not isinstance(item, str):
                raise SpecError(f"{self.at(field)}[{number}]: expected a string, got {kind_of(item)}")
        return tuple(value)

    def texts(self, field: str) -> dict[str, str] | None:
        value = self.take(field, (dict,))
        for key, item in (value or {}).items():
            if not isinstance(item, str):
                raise SpecError(f"{self.at(field)}.{key}: expected a string, got {kind_of(item)}")
        return None if value is None else dict(value)

    def done(self) -> None:
        if self._rest:
            raise SpecError(f"{self.at(sorted(self._rest)[0])}: unknown field; known are {', '.join(self._known)}")
