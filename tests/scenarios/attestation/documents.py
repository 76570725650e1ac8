# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attested documents, signed in the form that Azure uses, and in every form that must be refused."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from ..attestation import der_writer as der
from ..attestation.authority import (
    NOW,
    Party,
    hierarchy,
)

VM_ID = "02aab8a4-74ef-476e-8182-f6d2ba4166a6"
SUBSCRIPTION_ID = "8d10da13-8125-4ba9-a717-bf7490507b3d"
NONCE = "0123456789abcdef0123456789ABCDEF"

DIGESTS = {
    "sha1": "1.3.14.3.2.26",
    "md5": "1.2.840.113549.2.5",
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
}
SHA256_WITH_RSA = "1.2.840.113549.1.1.11"
SHA384_WITH_RSA = "1.2.840.113549.1.1.12"
RSA_ENCRYPTION = "1.2.840.113549.1.1.1"
RSA_PSS = "1.2.840.113549.1.1.10"
ECDSA_SHA256 = "1.2.840.10045.4.3.2"
DATA = "1.2.840.113549.1.7.1"
SIGNED_DATA = "1.2.840.113549.1.7.2"
CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"


def stamp(moment: datetime) -> str:
    return moment.strftime("%m/%d/%y %H:%M:%S -0000")


def content(created: datetime = NOW, lifetime: timedelta = timedelta(hours=6), **changes: Any) -> bytes:
    """The JSON as Azure writes it: compact, keys in order. A change to ``None`` leaves the key out."""
    values = {
        "licenseType": "",
        "nonce": NONCE,
        "plan": {"name": "p", "product": "q", "publisher": ""},
        "sku": "2022-datacenter",
        "subscriptionId": SUBSCRIPTION_ID,
        "timeStamp": {"createdOn": stamp(created), "expiresOn": stamp(created + lifetime)},
        "vmId": VM_ID,
        **changes,
    }
    kept = {key: value for key, value in values.items() if value is not None}
    return json.dumps(kept, separators=(",", ":"), sort_keys=True).encode()


def algorithm(dotted: str) -> bytes:
    return der.sequence(der.oid(dotted), der.null())


def attribute(kind: str, *values: bytes) -> bytes:
    return der.sequence(der.oid(kind), der.set_of(*values))


def standard_attributes(body: bytes, digest: str = "sha256") -> list[bytes]:
    return [
        attribute(CONTENT_TYPE, der.oid(DATA)),
        attribute(MESSAGE_DIGEST, der.octets(hashlib.new(digest, body).digest())),
    ]


def sign(signer: Party, data: bytes, digest: str) -> bytes:
    if isinstance(signer.key, rsa.RSAPrivateKey):
        return signer.key.sign(data, padding.PKCS1v15(), getattr(hashes, digest.upper())())
    raise TypeError("Azure signs with RSA")


def signer_info(
    signer: Party,
    body: bytes,
    *,
    digest: str = "sha256",
    digest_oid: str = SHA256_WITH_RSA,
    signature_oid: str = RSA_ENCRYPTION,
    attributes: Sequence[bytes] | None = None,
    by_key_identifier: bool = False,
    signature: bytes | None = None,
    version: int | None = None,
) -> bytes:
    certificate = signer.certificate
    if by_key_identifier:
        identifier = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        name = der.tlv(0x80, identifier)
    else:
        name = der.sequence(certificate.issuer.public_bytes(), der.integer(certificate.serial_number))
    covered = body if attributes is None else der.set_of(*attributes)
    return der.sequence(
        der.integer(version or (3 if by_key_identifier else 1)),
        name,
        algorithm(digest_oid),
        b"" if attributes is None else der.set_of(*attributes, tag=0xA0),
        algorithm(signature_oid),
        der.octets(sign(signer, covered, digest) if signature is None else signature),
    )


def envelope(
    body: bytes | None,
    certificates: Sequence[bytes],
    signers: Sequence[bytes],
    *,
    digest_oid: str = SHA256_WITH_RSA,
    version: int = 1,
    inner_type: str = DATA,
    outer_type: str = SIGNED_DATA,
    revocation_lists: bytes = b"",
) -> bytes:
    """ContentInfo around SignedData. ``body`` ``None`` leaves the content out (detached)."""
    return der.sequence(
        der.oid(outer_type),
        der.explicit(
            0,
            der.sequence(
                der.integer(version),
                der.set_of(algorithm(digest_oid)),
                der.sequence(
                    der.oid(inner_type),
                    b"" if body is None else der.explicit(0, der.octets(body)),
                ),
                der.set_of(*certificates, tag=0xA0) if certificates else b"",
                revocation_lists,
                der.set_of(*signers),
            ),
        ),
    )


def document(body: bytes | None = None, signer: Party | None = None, **changes: Any) -> bytes:
    """A whole document in Azure's form, apart from ``changes`` (arguments of :func:`signer_info`)."""
    body = content() if body is None else body
    signer = signer or hierarchy().leaf
    return envelope(
        body,
        [signer.der],
        [signer_info(signer, body, **changes)],
        digest_oid=changes.get("digest_oid", SHA256_WITH_RSA),
    )


def text(blob: bytes) -> str:
    return base64.b64encode(blob).decode()
