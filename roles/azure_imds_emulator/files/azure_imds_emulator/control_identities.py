# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the control endpoint that assigns managed identities.

GET /identities                  the identities of all VMs
GET|PUT /identities/VM           those of one; replace them (`identity_spec.py` shows the object)
POST /identities/VM              assign one more: a name, or an object
DELETE /identities/VM/WHICH      remove one, by its name ("system") or its client ID
"""

from __future__ import annotations

from typing import Any, Callable, Optional

from .checks import load_json
from .identity_store import Identities
from .message import Request

Method = Callable[[Request], Any]


class IdentityControl:
    """Methods by path. They raise InvalidInputError, and LookupError for a VM or an identity that there is not."""

    def __init__(self, identities: Identities) -> None:
        self._identities = identities
        self.routes: dict[str, dict[str, Method]] = {
            "/identities": {"GET": lambda _request: identities.as_json()},
        }

    def methods_of_one(self, segments: tuple[str, ...]) -> Optional[dict[str, Method]]:
        """The methods of /identities/VM and of /identities/VM/WHICH, None for another path."""
        if segments[:1] != ("identities",) or len(segments) not in (2, 3):
            return None
        vm = segments[1]
        if len(segments) == 3:
            return {"DELETE": lambda _request: self._identities.remove(vm, segments[2])}
        return {
            "GET": lambda _request: self._identities.as_json(vm),
            "PUT": lambda request: self._identities.put(vm, _given(request)),
            "POST": lambda request: self._identities.assign(vm, _given(request)),
        }


def _given(request: Request) -> Any:
    return load_json("body", request.body)
