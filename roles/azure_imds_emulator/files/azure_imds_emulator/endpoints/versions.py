# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""/metadata/versions: needs no api-version."""

from __future__ import annotations

from .. import errors
from ..message import Answer, json_body
from ..versions import VERSIONS
from .family import Call


def answer(call: Call) -> Answer:
    """All versions, oldest first."""
    return errors.NOT_FOUND if call.route else Answer(200, json_body({"apiVersions": list(VERSIONS)}))
