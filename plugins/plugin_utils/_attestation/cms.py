# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signed data of the Cryptographic Message Syntax (RFC 5652), as far as Azure uses it. Pure.

Azure sends version 1, the content embedded as data, one certificate, one signer named by issuer and serial
number, and no signed attributes. Allowed beyond that: up to eight certificates, a signer named by key
identifier, signed attributes. Everything else is refused.
"""

from __future__ import annotations

from typing import NamedTuple

from . import der
from .reasons import Refusal

OID_DATA = "1.2.840.113549.1.7.1"
OID_SIGNED_DATA = "1.2.840.113549.1.7.2"
OID_CONTENT_TYPE = "1.2.840.113549.1.9.3"
OID_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
OID_SUBJECT_KEY_IDENTIFIER = "2.5.29.14"

MAX_CERTIFICATES = 8

_IMPLICIT_KEY_IDENTIFIER = 0x80  # [0], primitive
_VERSION_BY_ISSUER = 1
_VERSION_BY_KEY_IDENTIFIER = 3


class SignerInfo(NamedTuple):
    """Who signed and how. Either ``issuer`` (a Name, DER) and ``serial`` are set, or ``key_identifier``.

    ``signed_attributes`` maps a type to its values; ``signed_bytes`` is what the signature covers then.
    Without signed attributes both are ``None`` and the signature covers the content itself.
    """

    issuer: bytes | None
    serial: int | None
    key_identifier: bytes | None
    digest_algorithm: str
    signature_algorithm: str
    signature: bytes
    signed_attributes: dict[str, list[der.Element]] | None
    signed_bytes: bytes | None


class Certificate(NamedTuple):
    """An X.509 certificate (DER), and by what a signer may name it. Not trusted."""

    encoded: bytes
    issuer: bytes
    serial: int
    key_identifier: bytes | None


class SignedData(NamedTuple):
    """The content, the certificates and the one signer."""

    content: bytes
    certificates: list[Certificate]
    signer: SignerInfo


def parse_signed_data(data: bytes) -> SignedData:
    """Take a ContentInfo apart.

    :raises DerError: the bytes are not DER or not of the types that RFC 5652 asks for.
    :raises Refusal: ``bad_structure`` where the form is not one that is accepted here.
    """
    outer = der.Fields(der.parse(data))
    _demand(der.oid(outer.take(der.OBJECT_IDENTIFIER)), OID_SIGNED_DATA, "the message is not signed data")
    wrapper = outer.take(der.context(0))
    outer.end()
    fields = der.Fields(_only(wrapper, "signed data"))
    version = der.integer(fields.take(der.INTEGER))
    digest_algorithms = [_algorithm(algorithm) for algorithm in fields.take(der.SET).parts]
    content = _content(fields.take(der.SEQUENCE))
    certificates = _certificates(fields.take_if(der.context(0)))
    fields.take_if(der.context(1))  # revocation lists are not used
    signer = _signer(_only(fields.take(der.SET), "signer"))
    fields.end()
    # No signature covers these two. With one signer they follow from it (RFC 5652, 5.1), apart from writers that say 1
    # whatever names the signer.
    if version != _VERSION_BY_ISSUER and (signer.key_identifier is None or version != _VERSION_BY_KEY_IDENTIFIER):
        raise Refusal("bad_structure", f"signed data of version {version}")
    if digest_algorithms != [signer.digest_algorithm]:
        raise Refusal("bad_structure", "the digest algorithms are not the signer's")
    return SignedData(content, certificates, signer)


def find_signer(signed_data: SignedData) -> Certificate:
    """The certificate that the signer information names. From here on, the only one that counts.

    :raises Refusal: ``signer_not_found`` or ``signer_ambiguous``.
    """
    matches = [cert for cert in signed_data.certificates if _is_named_by(cert, signed_data.signer)]
    if len(matches) == 1:
        return matches[0]
    reason = "signer_ambiguous" if matches else "signer_not_found"
    count = len(signed_data.certificates)
    raise Refusal(reason, f"{len(matches)} of {count} certificates in the document match its signer")


def _demand(found: str, wanted: str, message: str) -> None:
    if found != wanted:
        raise Refusal("bad_structure", f"{message} (found type {found})")


def _only(element: der.Element, what: str) -> der.Element:
    parts = element.parts
    if len(parts) != 1:
        raise Refusal("bad_structure", f"{len(parts)} values where exactly one {what} is expected")
    return parts[0]


def _algorithm(element: der.Element) -> str:
    """The OID of an AlgorithmIdentifier whose parameters are absent or NULL."""
    fields = der.Fields(element)
    algorithm = der.oid(fields.take(der.OBJECT_IDENTIFIER))
    fields.take_if(der.NULL)
    fields.end()
    return algorithm


def _content(element: der.Element) -> bytes:
    fields = der.Fields(element)
    _demand(der.oid(fields.take(der.OBJECT_IDENTIFIER)), OID_DATA, "the content is not plain data")
    wrapper = fields.take_if(der.context(0))
    fields.end()
    if wrapper is None:
        raise Refusal("bad_structure", "the content is detached")
    return der.octets(_only(wrapper, "content"))


def _certificates(element: der.Element | None) -> list[Certificate]:
    found = element.parts if element else []
    if not 1 <= len(found) <= MAX_CERTIFICATES:
        raise Refusal("bad_structure", f"{len(found)} certificates; 1 to {MAX_CERTIFICATES} are accepted")
    if any(certificate.tag != der.SEQUENCE for certificate in found):
        raise Refusal("bad_structure", "a certificate that is not X.509")
    der.check_order(found)
    return [_certificate(certificate) for certificate in found]


def _signer(element: der.Element) -> SignerInfo:
    fields = der.Fields(element)
    version = der.integer(fields.take(der.INTEGER))
    issuer = serial = key_identifier = None
    if version == _VERSION_BY_ISSUER:
        name = der.Fields(fields.take(der.SEQUENCE))
        issuer, serial = name.take(der.SEQUENCE).encoded, der.integer(name.take(der.INTEGER))
        name.end()
    elif version == _VERSION_BY_KEY_IDENTIFIER:
        key_identifier = fields.take(_IMPLICIT_KEY_IDENTIFIER).content
    else:
        raise Refusal("bad_structure", f"signer information of version {version}")
    digest_algorithm = _algorithm(fields.take(der.SEQUENCE))
    attributes = fields.take_if(der.context(0))
    signature_algorithm = _algorithm(fields.take(der.SEQUENCE))
    signature = der.octets(fields.take(der.OCTET_STRING))
    fields.take_if(der.context(1))  # unsigned attributes prove nothing
    fields.end()
    return SignerInfo(
        issuer,
        serial,
        key_identifier,
        digest_algorithm,
        signature_algorithm,
        signature,
        _attributes(attributes) if attributes else None,
        # The signature covers the attributes as a plain SET, not under their tag [0] (RFC 5652, 5.4).
        bytes([der.SET]) + attributes.encoded[1:] if attributes else None,
    )


def _attributes(element: der.Element) -> dict[str, list[der.Element]]:
    found: dict[str, list[der.Element]] = {}
    members = element.parts
    der.check_order(members)
    for member in members:
        fields = der.Fields(member)
        kind = der.oid(fields.take(der.OBJECT_IDENTIFIER))
        if kind in found:
            raise Refusal("bad_structure", f"the signed attribute {kind} occurs twice")
        found[kind] = fields.take(der.SET).parts
        fields.end()
    return found


def _certificate(element: der.Element) -> Certificate:
    """RFC 5280, 4.1: only what names the certificate, and what nothing signs."""
    outer = der.Fields(element)
    body = der.Fields(outer.take(der.SEQUENCE))
    outer.take(der.SEQUENCE)  # signature algorithm
    if not outer.take(der.BIT_STRING).content.startswith(b"\0"):
        raise der.DerError("a certificate's signature that is not made of whole bytes")
    outer.end()
    body.take_if(der.context(0))  # version
    serial = der.integer(body.take(der.INTEGER))
    body.take(der.SEQUENCE)  # signature algorithm
    issuer = body.take(der.SEQUENCE).encoded
    for _name in ("validity", "subject", "public key"):
        body.take(der.SEQUENCE)
    extensions = body.take_if(der.context(3))
    key_identifier = _key_identifier(_only(extensions, "list of extensions")) if extensions else None
    return Certificate(element.encoded, issuer, serial, key_identifier)


def _is_named_by(certificate: Certificate, signer: SignerInfo) -> bool:
    if signer.key_identifier is not None:
        return certificate.key_identifier == signer.key_identifier
    return (certificate.issuer, certificate.serial) == (signer.issuer, signer.serial)


def _key_identifier(extensions: der.Element) -> bytes | None:
    for extension in extensions.parts:
        fields = der.Fields(extension)
        kind = der.oid(fields.take(der.OBJECT_IDENTIFIER))
        fields.take_if(der.BOOLEAN)  # critical
        if kind == OID_SUBJECT_KEY_IDENTIFIER:
            return der.octets(der.parse(der.octets(fields.take(der.OCTET_STRING))))
    return None
