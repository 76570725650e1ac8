# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The facts of a host about which nothing is known: every documented fact, empty. Pure.

Separate from facts.py, because a host that is not an Azure VM needs no more than this.
"""

from __future__ import annotations

from typing import Any, Callable

from .fields import CLOUDS, FIELDS, GUEST_FACTS


def blank() -> dict[str, Any]:
    """Every fact of fields.FIELDS and GUEST_FACTS as null, {} or [], in the table's order."""
    facts: dict[str, Any] = {}
    for field in FIELDS:
        make = BLANKS.get(field.kind)
        put(facts, field.fact, make() if make else None)
    for fact in GUEST_FACTS:
        put(facts, fact, [])
    return facts


def put(facts: dict[str, Any], path: str, value: Any) -> None:
    """Set the fact that a dotted path names."""
    *parents, last = path.split(".")
    for parent in parents:
        facts = facts.setdefault(parent, {})
    facts[last] = value


def endpoints() -> dict[str, str | None]:
    return dict.fromkeys(CLOUDS["AzurePublicCloud"])


def disk() -> dict[str, Any]:
    return {"device": None}


def blob() -> dict[str, Any]:
    return {"present": False, "length": 0, "sha256": None, "base64": None}


# What facts.CONVERTERS makes of nothing, by kind, if that is not null.
BLANKS: dict[str, Callable[[], Any]] = {
    "object": dict,
    "list": list,
    "disk": disk,
    "disks": list,
    "endpoints": endpoints,
    "tags": dict,
    "public_keys": list,
    "blob": blob,
    "interfaces": list,
    "primary": dict,
}
