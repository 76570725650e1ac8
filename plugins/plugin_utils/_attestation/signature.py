# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is the content what the signer signed? Algorithms accepted, key sizes, the check itself. Pure."""

from __future__ import annotations

import hashlib
import hmac

from . import der
from .cms import OID_CONTENT_TYPE, OID_DATA, OID_MESSAGE_DIGEST, SignedData
from .dependencies import InvalidSignature, UnsupportedAlgorithm, ec, hashes, padding, rsa, x509
from .reasons import Refusal

MINIMUM_RSA_BITS = 2048

DIGESTS = {
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
    # Azure writes the signature algorithm (shaNNNWithRSAEncryption) where the digest belongs.
    "1.2.840.113549.1.1.11": "sha256",
    "1.2.840.113549.1.1.12": "sha384",
    "1.2.840.113549.1.1.13": "sha512",
}
# Kind of key, and the digest that the algorithm itself names.
SIGNATURES = {
    "1.2.840.113549.1.1.1": ("rsa", None),
    "1.2.840.113549.1.1.11": ("rsa", "sha256"),
    "1.2.840.113549.1.1.12": ("rsa", "sha384"),
    "1.2.840.113549.1.1.13": ("rsa", "sha512"),
    "1.2.840.10045.4.3.2": ("ec", "sha256"),
    "1.2.840.10045.4.3.3": ("ec", "sha384"),
    "1.2.840.10045.4.3.4": ("ec", "sha512"),
}
CURVES = ("secp256r1", "secp384r1", "secp521r1")


def check_algorithms(signed_data: SignedData, certificate: x509.Certificate) -> str:
    """The digest to use: ``sha256``, ``sha384`` or ``sha512``.

    :raises Refusal: ``unsupported_algorithm`` or ``weak_key``.
    """
    signer = signed_data.signer
    digest = DIGESTS.get(signer.digest_algorithm)
    kind, named_digest = SIGNATURES.get(signer.signature_algorithm, (None, None))
    if digest is None or kind is None or named_digest not in (None, digest):
        raise Refusal(
            "unsupported_algorithm",
            f"digest algorithm {signer.digest_algorithm} with signature algorithm {signer.signature_algorithm}",
        )
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Refusal("unsupported_algorithm", f"the signer's public key cannot be used: {error}") from error
    if kind == "rsa" and isinstance(key, rsa.RSAPublicKey):
        if key.key_size < MINIMUM_RSA_BITS:
            raise Refusal("weak_key", f"an RSA key of {key.key_size} bits; at least {MINIMUM_RSA_BITS} are needed")
    elif not (kind == "ec" and isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in CURVES):
        raise Refusal("unsupported_algorithm", f"a key of another kind than the signature algorithm's ({kind})")
    return digest


def check_signature(signed_data: SignedData, certificate: x509.Certificate, digest: str) -> None:
    """Verify the signature over the content, or over the attributes that vouch for the content.

    :raises Refusal: ``bad_signature``.
    """
    signer = signed_data.signer
    if signer.signed_attributes is not None:
        _check_attributes(signer.signed_attributes, signed_data.content, digest)
    covered = signed_data.content if signer.signed_bytes is None else signer.signed_bytes
    algorithm = getattr(hashes, digest.upper())()
    key = certificate.public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signer.signature, covered, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signer.signature, covered, ec.ECDSA(algorithm))
        else:
            raise Refusal("unsupported_algorithm", "the signer's key is neither RSA nor EC")
    except InvalidSignature as error:
        raise Refusal("bad_signature", "the signature does not fit the content and the signer's key") from error


def _check_attributes(attributes: dict[str, list[der.Element]], content: bytes, digest: str) -> None:
    """Signed attributes must name the content's type and its digest (RFC 5652, 5.3)."""
    types = [der.oid(value) for value in attributes.get(OID_CONTENT_TYPE, [])]
    digests = [der.octets(value) for value in attributes.get(OID_MESSAGE_DIGEST, [])]
    if types != [OID_DATA] or len(digests) != 1:
        raise Refusal("bad_signature", "the signed attributes do not name the content's type and digest")
    if not hmac.compare_digest(digests[0], hashlib.new(digest, content).digest()):
        raise Refusal("bad_signature", "the signed digest is not the content's")
