# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""/metadata/identity: the errors of a VM that has no managed identity."""

from __future__ import annotations

from .. import errors, unevidenced
from ..message import Answer
from ..versions import IDENTITY_SINCE, VERSIONS
from .family import Call

ROUTES = {("oauth2", "token"), ("info",)}


def answer(call: Call) -> Answer:
    """404 for what is no identity route (clients probe for newer ones); else why there is no token."""
    route = tuple(step.lower() for step in call.route)
    if route not in ROUTES:
        return errors.IDENTITY_ROOT
    version = call.parameters.get("api-version")
    if version is None:
        return unevidenced.ANSWERS["identity_no_version"]
    if version not in VERSIONS or version < IDENTITY_SINCE:
        return unevidenced.ANSWERS["identity_bad_version"]
    if route == ("oauth2", "token") and not call.parameters.get("resource"):
        return errors.IDENTITY_NO_RESOURCE
    return errors.IDENTITY_NOT_FOUND
