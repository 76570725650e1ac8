# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the signer's certificate to a trust anchor.

cryptography validates the path (RFC 5280 with the rules of the web's public CAs). This file gives it the
candidates, asks for issuers that are missing, and says what is wrong where no path is found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from typing import Any, NamedTuple

from .dependencies import InvalidSignature, UnsupportedAlgorithm, VerificationError, hashes, verification, x509
from .document import iso
from .reasons import Refusal

MAX_INTERMEDIATES = 4
MAX_FETCHES = 4


class Fetched(NamedTuple):
    """What a search for one certificate's issuer brought: candidates, and one entry per attempt for the result."""

    certificates: list[x509.Certificate]
    attempts: list[dict[str, str]]


Fetch = Callable[["x509.Certificate", datetime], Fetched]


def load_certificate(der: bytes) -> x509.Certificate:
    """A certificate whose names and extensions can be read.

    :raises ValueError: they cannot.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        _read = certificate.subject, certificate.issuer, certificate.extensions
    except (x509.DuplicateExtension, x509.UnsupportedGeneralNameType, UnsupportedAlgorithm, TypeError) as error:
        raise ValueError(str(error)) from error
    return certificate


def describe(certificate: x509.Certificate) -> dict[str, str]:
    """A certificate as a result shows it."""
    return {
        "subject": certificate.subject.rfc4514_string(),
        "issuer": certificate.issuer.rfc4514_string(),
        "serial": f"{certificate.serial_number:x}",
        "not_before": iso(certificate.not_valid_before_utc),
        "not_after": iso(certificate.not_valid_after_utc),
        "sha256": certificate.fingerprint(hashes.SHA256()).hex(),
    }


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


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the name fits and the issuer's key made the signature."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def build_chain(
    leaf: x509.Certificate,
    name: str,
    at: datetime,
    anchors: Sequence[x509.Certificate],
    intermediates: Sequence[x509.Certificate],
    fetch: Fetch | None,
) -> list[x509.Certificate]:
    """The validated path, leaf first, anchor last.

    :param name: the DNS name the leaf must bear.
    :param intermediates: candidates, not trusted, of any origin.
    :param fetch: looks for issuers that are neither among the candidates nor the anchors.
    :raises Refusal: ``certificate_not_current``, ``missing_issuer``, ``untrusted_root`` or ``chain_invalid``.
    """
    if not is_current(leaf, at):
        span = describe(leaf)
        message = f"valid from {span['not_before']} to {span['not_after']}, and it is {iso(at)}"
        raise Refusal("certificate_not_current", message)
    candidates = list(intermediates)
    attempts: list[dict[str, str]] = []
    asked: set[x509.Certificate] = set()
    while True:
        # A self-issued certificate cannot link two others, and an expired one would only hide that one is missing.
        pool = [c for c in candidates if c.subject != c.issuer and is_current(c, at)]
        try:
            return _validate(leaf, name, at, anchors, pool)
        except (VerificationError, ValueError) as error:
            problem = str(error)
        ends, complete = _ends(leaf, anchors, pool)
        open_ends = [end for end in ends if end not in asked]
        if fetch is None or not open_ends or len(asked) >= MAX_FETCHES:
            break
        asked.add(open_ends[0])
        fetched = fetch(open_ends[0], at)
        candidates += fetched.certificates
        attempts += fetched.attempts
    if complete or not ends:
        raise Refusal("chain_invalid", f"the chain is refused: {problem}", attempts=attempts)
    raise _missing(ends[0], at, candidates, attempts)


def _validate(
    leaf: x509.Certificate,
    name: str,
    at: datetime,
    anchors: Sequence[x509.Certificate],
    pool: list[x509.Certificate],
) -> list[x509.Certificate]:
    verifier = (
        verification.PolicyBuilder()
        .store(verification.Store(list(anchors)))
        .time(at.astimezone(timezone.utc).replace(tzinfo=None))
        .max_chain_depth(MAX_INTERMEDIATES)
        .build_server_verifier(x509.DNSName(name))
    )
    return verifier.verify(leaf, pool)


def _ends(
    leaf: x509.Certificate, anchors: Sequence[x509.Certificate], pool: list[x509.Certificate]
) -> tuple[list[x509.Certificate], bool]:
    """Walk up from the leaf: the certificates whose issuer is nowhere, and whether some path meets an anchor."""
    ends: list[x509.Certificate] = []
    complete = False
    seen = [leaf]
    for certificate in seen:  # grows while it is walked; each candidate enters once
        anchored = any(is_issued_by(certificate, anchor) for anchor in anchors)
        issuers = [candidate for candidate in pool if is_issued_by(certificate, candidate)]
        seen += [issuer for issuer in issuers if issuer not in seen]
        complete = complete or anchored
        if not issuers and not anchored:
            ends.append(certificate)
    return ends, complete


def _missing(
    end: x509.Certificate, at: datetime, candidates: Sequence[x509.Certificate], attempts: list[dict[str, str]]
) -> Refusal:
    """Who is missing above ``end``, where it lies, and which file would cure it."""
    issuer = end.issuer.rfc4514_string()
    urls = issuer_urls(end)
    details: dict[str, Any] = {"issuer": issuer, "urls": urls, "attempts": attempts}
    at_hand = [candidate for candidate in (end, *candidates) if candidate.subject == end.issuer]
    if any(is_issued_by(candidate, candidate) for candidate in at_hand):
        return Refusal("untrusted_root", f"the chain ends in {issuer}, which is no trust anchor here", **details)
    stale = any(not is_current(candidate, at) for candidate in at_hand)
    message = f"the certificate of {issuer} is " + ("there, but not valid at this time" if stale else "missing")
    if not urls:
        return Refusal(
            "missing_issuer", message, f"Name a file with the certificate of {issuer} in intermediates.", **details
        )
    remedy = (
        f"Download {urls[0]} to a file on the controller and name it in intermediates, "
        "or let the controller fetch it (fetch_intermediates: auto)."
    )
    return Refusal("missing_issuer", message, remedy, **details)
