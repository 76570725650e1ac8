# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which endpoint a request belongs to, and the rules that hold before any endpoint is asked. Pure.

The rules are tried in the order of the table RULES; the first that objects answers.
"""

from __future__ import annotations

from typing import Callable, Optional

from .endpoints import FAMILIES, Family
from .message import Answer, Request
from .unevidenced import ANSWERS

ROOT = "metadata"


def find(request: Request) -> tuple[Optional[Family], tuple[str, ...]]:
    """The endpoint and the route behind its own path; (None, ()) outside /metadata. Route names count in any case."""
    root, *rest = request.segments() or ("",)
    if root.lower() != ROOT:
        return None, ()
    names = tuple(step.lower() for step in rest)
    family = next(family for family in FAMILIES if names[: len(family.path)] == family.path)
    return family, tuple(rest[len(family.path) :])


def refusal(request: Request, family: Optional[Family]) -> Optional[Answer]:
    """The answer of the first rule that the request breaks, or None."""
    if family is None:
        return ANSWERS["outside"]
    answers = (rule(request, family) for rule in RULES)
    return next((answer for answer in answers if answer), None)


def _metadata_header(request: Request, family: Family) -> Optional[Answer]:
    """The header's name and its value "true" count in any case; another value is as bad as no header."""
    value = request.header("Metadata") or ""
    return None if value.strip().lower() == "true" else family.missing_header(request)


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
