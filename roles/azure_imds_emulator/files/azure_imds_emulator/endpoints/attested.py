# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""/metadata/attested/document: who the VM is, signed."""

from __future__ import annotations

import base64
import re

from .. import errors, unevidenced
from ..message import Answer, json_body
from ..versions import ATTESTED_SINCE, VERSIONS
from .family import Call

# Documented are ten digits, specified 32 alphanumerics; products send base64url, so that - and _ are fine, too.
NONCE = re.compile(r"[A-Za-z0-9_-]{0,32}", re.ASCII)


def answer(call: Call) -> Answer:
    """A fresh document. It has one form only: ``format`` does not matter."""
    if tuple(step.lower() for step in call.route) != ("document",):
        return errors.NOT_FOUND
    version = call.parameters.get("api-version", "")
    if version not in VERSIONS:
        return errors.BAD_VERSION
    if version < ATTESTED_SINCE:
        return unevidenced.ANSWERS["attested_too_old"]
    nonce = call.parameters.get("nonce", "")
    if not NONCE.fullmatch(nonce):
        return unevidenced.ANSWERS["nonce"]
    document = call.documents.make(call.vm, version, nonce, call.now)
    return Answer(200, json_body({"encoding": "pkcs7", "signature": base64.b64encode(document).decode()}))
