# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Issues X.509 certificates with the extensions that Azure's have (RFC 5280). Pure: same input, same bytes."""

from __future__ import annotations

import functools
import hashlib
import ipaddress
from dataclasses import dataclass
from typing import Optional

from . import der, rsa

RSA_ENCRYPTION = der.sequence(der.oid("1.2.840.113549.1.1.1"), der.NULL)
SHA256_WITH_RSA = der.sequence(der.oid("1.2.840.113549.1.1.11"), der.NULL)

COMMON_NAME, COUNTRY, ORGANIZATION = "2.5.4.3", "2.5.4.6", "2.5.4.10"
SUBJECT_KEY, KEY_USAGE, ALTERNATIVE_NAME, BASIC_CONSTRAINTS, AUTHORITY_KEY, EXTENDED_USAGE = (
    f"2.5.29.{number}" for number in (14, 15, 17, 19, 35, 37)
)
AUTHORITY_ACCESS = "1.3.6.1.5.5.7.1.1"
CA_ISSUERS = "1.3.6.1.5.5.7.48.2"
SERVER_AUTH = "1.3.6.1.5.5.7.3.1"
DIGITAL_SIGNATURE, KEY_ENCIPHERMENT, CERTIFICATE_SIGN, CRL_SIGN = 0, 2, 5, 6


@dataclass(frozen=True)
class CertificateSpec:
    """What to certify. With ``names`` (DNS names and IP addresses) it is a server's, without any a CA's.

    Times in Unix seconds. ``issuer_urls``: where the issuer's certificate is published. ``path_length`` as in RFC 5280.
    """

    common_name: str
    not_before: int
    not_after: int
    names: tuple[str, ...] = ()
    issuer_urls: tuple[str, ...] = ()
    path_length: Optional[int] = None
    organization: str = "Azure IMDS Emulator"


@dataclass(frozen=True)
class Certificate:
    """An issued certificate; names in DER, the key with its private half."""

    encoded: bytes
    subject: bytes
    issuer: bytes
    serial: int
    key: rsa.Key


@functools.lru_cache(maxsize=256)
def issue(spec: CertificateSpec, key: rsa.Key, issuer: Optional[Certificate] = None) -> Certificate:
    """The certificate for ``key``, signed by the issuer; self-signed without one."""
    subject = _name(spec)
    issuer_name, issuer_key = (issuer.subject, issuer.key) if issuer else (subject, key)
    statement = (
        SHA256_WITH_RSA,
        issuer_name,
        der.sequence(der.moment(spec.not_before), der.moment(spec.not_after)),
        subject,
        der.sequence(RSA_ENCRYPTION, der.bits(_public(key))),
        der.explicit(3, der.sequence(*_extensions(spec, key, issuer_key))),
    )
    # 16 bytes, positive, and another one for every other certificate.
    serial = int.from_bytes(hashlib.sha256(b"".join(statement)).digest()[:16], "big") >> 1 | 1 << 126
    signed = der.sequence(der.explicit(0, der.integer(2)), der.integer(serial), *statement)
    encoded = der.sequence(signed, SHA256_WITH_RSA, der.bits(rsa.sign(issuer_key, signed)))
    return Certificate(encoded, subject, issuer_name, serial, key)


def _name(spec: CertificateSpec) -> bytes:
    parts = ((COUNTRY, "US"), (ORGANIZATION, spec.organization), (COMMON_NAME, spec.common_name))
    return der.sequence(*(der.set_of(der.sequence(der.oid(kind), der.printable(text))) for kind, text in parts))


def _public(key: rsa.Key) -> bytes:
    return der.sequence(der.integer(key.modulus), der.integer(rsa.EXPONENT))


def _key_identifier(key: rsa.Key) -> bytes:
    """The first 160 bits of SHA-256 (RFC 7093, method 1)."""
    return hashlib.sha256(_public(key)).digest()[:20]


def _extensions(spec: CertificateSpec, key: rsa.Key, issuer_key: rsa.Key) -> list[bytes]:
    server = bool(spec.names)
    usage = (DIGITAL_SIGNATURE, KEY_ENCIPHERMENT) if server else (DIGITAL_SIGNATURE, CERTIFICATE_SIGN, CRL_SIGN)
    limit = b"" if spec.path_length is None else der.integer(spec.path_length)
    found = [
        _extension(BASIC_CONSTRAINTS, der.sequence(*(() if server else (der.TRUE, limit))), critical=True),
        _extension(KEY_USAGE, der.flags(*usage), critical=True),
        _extension(SUBJECT_KEY, der.octets(_key_identifier(key))),
    ]
    if key != issuer_key:
        found.append(_extension(AUTHORITY_KEY, der.sequence(der.element(0x80, _key_identifier(issuer_key)))))
        found.append(_extension(EXTENDED_USAGE, der.sequence(der.oid(SERVER_AUTH))))
    if spec.issuer_urls:
        access = (der.sequence(der.oid(CA_ISSUERS), der.element(0x86, url.encode())) for url in spec.issuer_urls)
        found.append(_extension(AUTHORITY_ACCESS, der.sequence(*access)))
    if server:
        found.append(_extension(ALTERNATIVE_NAME, der.sequence(*map(_alternative_name, spec.names))))
    return found


def _alternative_name(name: str) -> bytes:
    try:
        return der.element(0x87, ipaddress.ip_address(name).packed)
    except ValueError:
        return der.element(0x82, name.encode())


def private_key(key: rsa.Key) -> bytes:
    """The key in the form of RFC 8017, A.1.2."""
    exponent = pow(rsa.EXPONENT, -1, (key.p - 1) * (key.q - 1))
    numbers = (0, key.modulus, rsa.EXPONENT, exponent, key.p, key.q)
    more = (exponent % (key.p - 1), exponent % (key.q - 1), pow(key.q, -1, key.p))
    return der.sequence(*map(der.integer, (*numbers, *more)))


def _extension(kind: str, value: bytes, critical: bool = False) -> bytes:
    return der.sequence(der.oid(kind), der.TRUE if critical else b"", der.octets(value))
