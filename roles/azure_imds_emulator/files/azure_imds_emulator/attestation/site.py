# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The site of the CA, where verifiers fetch the certificate of an issuer: http://www.microsoft.com/pkiops/certs/...

It answers whoever asks for that host, over the emulator as a proxy or because the name leads here.
"""

from __future__ import annotations

from ..message import Answer, Layer, Request
from ..unevidenced import ANSWERS
from .authority import SITES, Authority

TYPE = "application/pkix-cert"  # RFC 5280, 4.2.2.1


def is_asked(request: Request) -> bool:
    """Whether the request is for the CA's site. Nobody asks IMDS under these names."""
    return (request.header("Host") or "").partition(":")[0].lower() in SITES


def answer(request: Request, authority: Authority) -> Answer:
    """The certificate in DER, or 404."""
    certificate = authority.find(request.segments()) if request.method in ("GET", "HEAD") else None
    return Answer(200, certificate.encoded, TYPE, Layer.CONTROL) if certificate else ANSWERS["outside"]
