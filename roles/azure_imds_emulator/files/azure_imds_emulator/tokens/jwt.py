# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON Web Tokens signed with RS256 (RFC 7515, 7518, 7519), and the key set to verify them (RFC 7517). Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from ..attestation import rsa
from ..attestation.certificates import Certificate


class InvalidTokenError(ValueError):
    """This is not a token that this key has signed; ``is_token``: but some other key may have."""

    def __init__(self, message: str, is_token: bool = False) -> None:
        super().__init__(message)
        self.is_token = is_token


def encode(claims: Mapping[str, Any], signer: Certificate) -> str:
    """The signed token; its header names the signer's certificate."""
    kid = key_id(signer)
    header = {"typ": "JWT", "alg": "RS256", "x5t": kid, "kid": kid}
    signed = f"{_part(header)}.{_part(claims)}"
    return f"{signed}.{base64url(rsa.sign(signer.key, signed.encode()))}"


def decode(token: str, signer: Certificate) -> dict[str, Any]:
    """The claims of a token that the signer has signed.

    :raises InvalidTokenError: if it has not
    """
    head, _dot, signature = token.rpartition(".")
    try:
        header, claims = (json.loads(_bytes(part)) for part in head.split("."))
        given = _bytes(signature)
    except (ValueError, RecursionError) as error:
        raise InvalidTokenError("is not a JSON Web Token") from error
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise InvalidTokenError("is not a JSON Web Token")
    # Signing again is verifying: a signature of this kind (PKCS #1 v1.5) has one form only.
    if header.get("alg") != "RS256" or given != rsa.sign(signer.key, head.encode()):
        raise InvalidTokenError("is not signed by the tenant's key", is_token=True)
    return claims


def key_set(signer: Certificate, issuer: str) -> dict[str, Any]:
    """The signer's public key."""
    size = (signer.key.modulus.bit_length() + 7) // 8
    key = {
        "kty": "RSA",
        "use": "sig",
        "alg": "RS256",
        "kid": key_id(signer),
        "x5t": key_id(signer),
        "n": base64url(signer.key.modulus.to_bytes(size, "big")),
        "e": base64url(rsa.EXPONENT.to_bytes(3, "big")),
        "x5c": [base64.b64encode(signer.encoded).decode()],
        "issuer": issuer,
    }
    return {"keys": [key]}


def key_id(signer: Certificate) -> str:
    """The SHA-1 thumbprint of the certificate, as in Entra ID."""
    return base64url(hashlib.sha1(signer.encoded, usedforsecurity=False).digest())


def base64url(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _part(document: Mapping[str, Any]) -> str:
    return base64url(json.dumps(document, separators=(",", ":")).encode())


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise InvalidTokenError("is not a JSON Web Token") from error
