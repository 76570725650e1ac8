# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instance document: as an api-version shows it, a part of it by route, and as text. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .versions import EXTENDED_SINCE, INTRODUCED

# The only real booleans that the service sends.
EXTENDED: dict[str, Any] = {"compute": {"hasCustomData": False, "ppsType": "None"}}


class NotFoundError(LookupError):
    """The route names nothing in the document."""


def at_version(document: dict[str, Any], version: str, extended: bool = False) -> dict[str, Any]:
    """What ``version`` shows of the newest ``document``; ``extended`` adds its part where the version knows it."""
    shown: dict[str, Any] = _known(document, version, "")
    if extended and version >= EXTENDED_SINCE:
        shown["extended"] = EXTENDED
    return shown


def _known(node: Any, version: str, path: str) -> Any:
    if isinstance(node, dict):
        paths = {key: f"{path}.{key}" if path else key for key in node}
        return {
            key: _known(value, version, paths[key])
            for key, value in node.items()
            if INTRODUCED.get(paths[key], "") <= version
        }
    if isinstance(node, list):
        return [_known(item, version, f"{path}.*") for item in node]
    return node


def select(node: Any, route: Sequence[str]) -> Any:
    """The part of the document that a route names: keys of objects, decimal indexes of arrays.

    :raises NotFoundError: if the route leads nowhere
    """
    for step in route:
        if isinstance(node, dict) and step in node:
            node = node[step]
        elif isinstance(node, list) and step in map(str, range(len(node))):
            node = node[int(step)]
        else:
            raise NotFoundError(step)
    return node


def is_leaf(node: Any) -> bool:
    """Whether a route ends here."""
    return not isinstance(node, (dict, list))


def as_text(node: Any) -> str:
    """``format=text``: a leaf's bare value, or a node's children, one per line, with a slash behind what has some."""
    if is_leaf(node):
        return str(node).lower() if isinstance(node, bool) else "" if node is None else str(node)
    children = sorted(node.items()) if isinstance(node, dict) else list(enumerate(node))
    return "\n".join(f"{name}" if is_leaf(child) else f"{name}/" for name, child in children)
