# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which endpoint a request belongs to, and the rules that hold before any endpoint is asked. Pure.

The rules are tried in the order of the table RULES; the first that objects answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Optional, Union

from .endpoints import FAMILIES, Family
from .message import Answer, Request
from .unevidenced import ANSWERS

ROOT = "metadata"


@dataclass(frozen=True)
class Target:
    """The endpoint that answers a request, and the decoded route behind the endpoint's own path."""

    family: Family
    route: tuple[str, ...]


def family(request: Request) -> Optional[Family]:
    """The endpoint that a path belongs to, None outside of /metadata. Route names in any case."""
    root, *names = (step.lower() for step in request.segments() or ("",))
    if root != ROOT:
        return None
    return next(row for row in FAMILIES if tuple(names[: len(row.path)]) == row.path)


def resolve(request: Request) -> Union[Answer, Target]:
    """The endpoint that answers, or the answer of the first rule that the request breaks."""
    found = family(request)
    if found is None:
        return ANSWERS["outside"]
    objections = (rule(request, found) for rule in RULES)
    route = request.segments()[1 + len(found.path) :]
    return found.first(request) or next((answer for answer in objections if answer), None) or Target(found, route)


def _metadata_header(request: Request, family: Family) -> Optional[Answer]:
    """The header's name and its value "true" count in any case; another value is as bad as no header."""
    value = request.header("Metadata") or ""
    given = value.strip().lower() == "true"
    return None if given or not family.needs_header(request) else family.missing_header(request)


def _forwarded(request: Request, _family: Family) -> Optional[Answer]:
    return None if request.header("X-Forwarded-For") is None else ANSWERS["forwarded"]


def _method(request: Request, family: Family) -> Optional[Answer]:
    return None if request.method in family.methods else family.wrong_method(request)


def _duplicate_parameters(request: Request, _family: Family) -> Optional[Answer]:
    names = [name for name, _value in request.query_pairs()]
    return None if len(names) == len(set(names)) else ANSWERS["duplicate_parameter"]


RULES: tuple[Callable[[Request, Family], Optional[Answer]], ...] = (
    _metadata_header,
    _forwarded,
    _method,
    _duplicate_parameters,
)
