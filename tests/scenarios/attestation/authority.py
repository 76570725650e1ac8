# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A CA hierarchy in the shape of Azure's, made afresh for each test run.

old root  <- cross-sign (the new root's name and key)  <- issuing CA <- leaf
new root, self-signed (same name and key as the cross-sign)
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

NOW = datetime(2026, 8, 1, 12, 0, tzinfo=timezone.utc)
DAY = timedelta(days=1)
REGION = "eastus.metadata.azure.com"
NAMES = (REGION, "metadata.azure.com")
ISSUING_URL = "http://www.microsoft.com/pkiops/certs/Test%20Issuing%20CA%2002.crt"
ISSUING_URL_2 = "http://caissuers.microsoft.com/pkiops/certs/Test%20Issuing%20CA%2002.crt"
CROSS_URL = "http://www.microsoft.com/pkiops/certs/Test%20New%20Root%20-%20xsign.crt"

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
SERVER = (ExtendedKeyUsageOID.SERVER_AUTH,)


@functools.cache
def make_key(owner: str, bits: int = 0) -> PrivateKey:
    """One key per owner and test run: RSA with so many bits, else EC on P-256, which is quick to make."""
    del owner
    if bits:
        return rsa.generate_private_key(public_exponent=65537, key_size=bits)
    return ec.generate_private_key(ec.SECP256R1())


class Party(NamedTuple):
    """A certificate and its key."""

    certificate: x509.Certificate
    key: PrivateKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)


def issue(
    subject: str | x509.Name,
    key: PrivateKey,
    issuer: Party | None = None,
    *,
    ca: bool = False,
    names: Sequence[str] = (),
    usages: Sequence[x509.ObjectIdentifier] = SERVER,
    not_before: datetime = NOW - 30 * DAY,
    not_after: datetime = NOW + 150 * DAY,
    urls: Sequence[str] = (),
    serial: int | None = None,
) -> Party:
    """A certificate for ``subject``; self-signed where no issuer is given."""
    if isinstance(subject, str):
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    issuer_key = issuer.key if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(_key_usage(ca), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if issuer:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), critical=False)
    if urls:
        access = [
            x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(url))
            for url in urls
        ]
        builder = builder.add_extension(x509.AuthorityInformationAccess(access), critical=False)
    return Party(builder.sign(issuer_key, hashes.SHA256()), key)


def _key_usage(ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment=not ca,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


class Hierarchy(NamedTuple):
    """The parties of the picture above. ``other_root`` has nothing to do with them."""

    old_root: Party
    new_root: Party
    cross: Party
    issuing: Party
    leaf: Party
    other_root: Party


@functools.cache
def hierarchy() -> Hierarchy:
    long: Any = {"ca": True, "not_before": NOW - 4000 * DAY, "not_after": NOW + 4000 * DAY}
    old_root = issue("Test Old Root", make_key("old root"), **long)
    new_root = issue("Test New Root", make_key("new root"), **long)
    cross = issue("Test New Root", make_key("new root"), old_root, ca=True)
    issuing = issue("Test Issuing CA 02", make_key("issuing"), new_root, ca=True, urls=[CROSS_URL])
    leaf = issue("metadata.azure.com", make_key("leaf", 2048), issuing, names=NAMES, urls=[ISSUING_URL, ISSUING_URL_2])
    other_root = issue("Test Other Root", make_key("other root"), **long)
    return Hierarchy(old_root, new_root, cross, issuing, leaf, other_root)


def make_leaf(**changes: Any) -> Party:
    """A leaf like the hierarchy's, apart from ``changes`` (arguments of :func:`issue`, or ``key``, ``subject``)."""
    settings: dict[str, Any] = {
        "subject": "metadata.azure.com",
        "key": make_key("leaf", 2048),
        "issuer": hierarchy().issuing,
        "names": NAMES,
    }
    return issue(**{**settings, **changes})


def under_name_of(root: str) -> tuple[Party, Party, Party]:
    """A root with the name of another (RFC 4514), a CA below it, and a leaf."""
    long: Any = {"ca": True, "not_before": NOW - 4000 * DAY, "not_after": NOW + 4000 * DAY}
    namesake = issue(x509.Name.from_rfc4514_string(root), make_key("namesake"), **long)
    issuing = issue("Test Issuing CA 09", make_key("issuing 09"), namesake, ca=True)
    return namesake, issuing, make_leaf(issuer=issuing)


def of_impossible_version(encoded: bytes) -> bytes:
    """A certificate (DER), or a document with one, of version 4, which X.509 does not have."""
    changed = encoded.replace(bytes.fromhex("a003020102"), bytes.fromhex("a003020103"), 1)
    assert changed != encoded
    return changed
