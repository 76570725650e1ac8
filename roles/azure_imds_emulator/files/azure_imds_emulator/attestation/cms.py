# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signed data (CMS, RFC 5652) in the one form that Azure's attested documents have. Pure.

Version 1, the content inside, no signed attributes, and sha256WithRSAEncryption where a digest algorithm belongs.
"""

from __future__ import annotations

from . import der
from .certificates import RSA_ENCRYPTION, SHA256_WITH_RSA, Certificate

DATA = der.oid("1.2.840.113549.1.7.1")
SIGNED_DATA = der.oid("1.2.840.113549.1.7.2")


def signed_data(content: bytes, signature: bytes, signer: Certificate, *others: Certificate) -> bytes:
    """The content with its signature; it names ``signer`` as the one who signed. ``others`` lie beside its certificate.

    The signature is what it is: nothing here makes it fit.
    """
    certificates = der.set_of(signer.encoded, *(other.encoded for other in others), tag=0xA0)
    signer_info = der.sequence(
        der.integer(1),
        der.sequence(signer.issuer, der.integer(signer.serial)),
        SHA256_WITH_RSA,
        RSA_ENCRYPTION,
        der.octets(signature),
    )
    signed = der.sequence(
        der.integer(1),
        der.set_of(SHA256_WITH_RSA),
        der.sequence(DATA, der.explicit(0, der.octets(content))),
        certificates,
        der.set_of(signer_info),
    )
    return der.sequence(SIGNED_DATA, der.explicit(0, signed))
