# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""X.509 certificates: what the verifier reads from them, and how results show them. Pure."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Iterable
from datetime import datetime

from .dependencies import serialization, x509
from .document import iso
from .guard import UnreadableError, untrusted


def load_certificate(encoded: bytes) -> x509.Certificate:
    """A certificate of which everything that is used later can be read.

    :raises ValueError: it cannot.
    """
    with untrusted():
        certificate = x509.load_der_x509_certificate(encoded)
        _read = (
            certificate.version,
            certificate.serial_number,
            certificate.subject,
            certificate.issuer,
            certificate.not_valid_before_utc,
            certificate.not_valid_after_utc,
            certificate.extensions,
        )
    return certificate


def load_certificates(ders: Iterable[bytes]) -> list[x509.Certificate]:
    """Those of several certificates that can be read."""
    found = []
    for encoded in ders:
        try:
            found.append(load_certificate(encoded))
        except ValueError:
            continue
    return found


def load_known(ders: Iterable[bytes]) -> list[x509.Certificate]:
    """Certificates that are known by their fingerprints, so that nothing in them has to be tried out."""
    with untrusted():
        return [x509.load_der_x509_certificate(encoded) for encoded in ders]


def describe(certificate: x509.Certificate) -> dict[str, str]:
    """A certificate as a result shows it."""
    names = certificate.subject.rfc4514_string(), certificate.issuer.rfc4514_string()
    return _describe(certificate, der(certificate), *names)


def describe_chain(chain: list[x509.Certificate]) -> tuple[list[dict[str, str]], str]:
    """Certificates as a result shows them, and all of them in PEM."""
    encoded = [der(certificate) for certificate in chain]
    subjects = [certificate.subject.rfc4514_string() for certificate in chain]
    # The names of issuer and subject are the same from one link to the next.
    issuers = [*subjects[1:], chain[-1].issuer.rfc4514_string()]
    links = list(map(_describe, chain, encoded, subjects, issuers))
    return links, "".join(ssl.DER_cert_to_PEM_cert(data) for data in encoded)


def _describe(certificate: x509.Certificate, encoded: bytes, subject: str, issuer: str) -> dict[str, str]:
    return {
        "subject": subject,
        "issuer": issuer,
        "serial": f"{certificate.serial_number:x}",
        "not_before": iso(certificate.not_valid_before_utc),
        "not_after": iso(certificate.not_valid_after_utc),
        "sha256": hashlib.sha256(encoded).hexdigest(),
    }


def der(certificate: x509.Certificate) -> bytes:
    """The certificate in DER. cryptography writes it anew each time, which takes a while."""
    return certificate.public_bytes(serialization.Encoding.DER)


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the certificate, in lower-case hexadecimal digits."""
    return hashlib.sha256(der(certificate)).hexdigest()


def dns_names(certificate: x509.Certificate) -> list[str]:
    """The DNS names in the subject alternative name. The common name does not count."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return names.value.get_values_for_type(x509.DNSName)


def issuer_urls(certificate: x509.Certificate) -> list[str]:
    """Where the certificate says its issuer's certificate lies (authority information access). Not trusted."""
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        return []
    return [
        description.access_location.value
        for description in access
        if description.access_method == x509.oid.AuthorityInformationAccessOID.CA_ISSUERS
        and isinstance(description.access_location, x509.UniformResourceIdentifier)
    ]


def is_ca(certificate: x509.Certificate) -> bool:
    """Whether the certificate may sign others."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def is_current(certificate: x509.Certificate, at: datetime) -> bool:
    """Whether ``at`` lies in the certificate's validity."""
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc


def is_self_issued(certificate: x509.Certificate) -> bool:
    """Whether subject and issuer are the same name, as in a root."""
    return certificate.subject == certificate.issuer


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the name fits and the issuer's key made the signature."""
    if certificate.issuer != issuer.subject:
        return False
    try:
        with untrusted():
            certificate.verify_directly_issued_by(issuer)
    except UnreadableError:
        return False
    return True


def names_key_of(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the key identifier by which a certificate names its issuer's key is that of ``issuer``.

    ``True`` where one of the two has no identifier, because nothing speaks against it then.
    """
    try:
        named = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
        own = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except x509.ExtensionNotFound:
        return True
    return named is None or named == own
