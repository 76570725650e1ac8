# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent of an Azure Arc machine (himds), which serves instance metadata and tokens on a port of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, Optional

from . import errors, routes, unevidenced
from .arc_keys import ArcKeys
from .endpoints import Call, identity
from .message import Answer, Layer, Request
from .vms import Vm

PATHS = (("instance",), ("identity",))
OLDEST_VERSION = "2019-08-15"


class ArcAgent:
    """``call``: makes a `Call` of a request, a VM and the endpoint that answers."""

    def __init__(self, keys: ArcKeys, call: Callable[[Request, Vm, routes.Target], Call]) -> None:
        self._keys = keys
        self._call = call

    def answer(self, request: Request, vm: Optional[Vm]) -> Answer:
        """What the agent answers. It is no IMDS, and does not say that it is."""
        return replace(self._answer(request, vm), layer=Layer.NAMELESS)

    def _answer(self, request: Request, vm: Optional[Vm]) -> Answer:
        """To those who ask for a token without having proven anything, a challenge."""
        target = routes.resolve(request)
        if isinstance(target, Answer):
            return target
        if vm is None or target.family.path not in PATHS:
            return errors.NOT_FOUND
        call = self._call(request, vm, target)
        if identity.is_for_token(request):
            objection = identity.objection(call) or _objection(call)
            if objection:
                return objection
            if not self._keys.accepts(request.header("Authorization") or ""):
                return unevidenced.ANSWERS["arc_challenge"].with_header(
                    "WWW-Authenticate", f"Basic realm={self._keys.challenge()}"
                )
        return target.family.answer(call)


def _objection(call: Call) -> Optional[Answer]:
    """An Arc machine has one identity, and has had it since a certain version."""
    if call.parameters["api-version"] < OLDEST_VERSION:
        return unevidenced.ANSWERS["identity_bad_version"]
    return unevidenced.ANSWERS["arc_selector"] if identity.selectors(call) else None
