# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which fields a VM's overrides may set: those that some version or profile sends, and those declared as extra."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from . import checks


def known_fields(documents: Iterable[Any], paths: Iterable[str]) -> dict[str, set[str]]:
    """The keys of each object in instance documents, by its path; ``*`` stands for any element of an array.

    :param paths: of more fields, such as ``compute.tags``
    """
    found: dict[str, set[str]] = {}
    for path in [*paths, *(path for document in documents for path in _paths(document, ""))]:
        parent, _dot, key = path.rpartition(".")
        if key != "*":
            found.setdefault(parent, set()).add(key)
    return found


def refuse_unknown(field: str, overrides: Any, known: dict[str, set[str]], extra: Collection[str]) -> None:
    """Refuse keys that an object does not have. An object whose keys nobody recorded takes any.

    :param extra: paths of further fields; whatever is below them is allowed too
    :raises InvalidInputError: for a key that is not known
    """
    for path in _paths(overrides, "", stop=extra):
        parent, _dot, key = path.rpartition(".")
        if key != "*" and path not in extra and key not in known.get(parent, {key}):
            checks.fail(
                f"{field}.{path}",
                f"is not known; known there are {', '.join(sorted(known[parent]))}. "
                f"To send it anyway, add {path} to the VM's extra",
            )


def _paths(node: Any, path: str, stop: Collection[str] = ()) -> Iterator[str]:
    """The path of each field and array element below a node, from the top."""
    if path in stop:
        return
    items = node.items() if isinstance(node, dict) else (("*", item) for item in node) if isinstance(node, list) else ()
    for key, value in items:
        below = f"{path}.{key}" if path else key
        yield below
        yield from _paths(value, below, stop)
