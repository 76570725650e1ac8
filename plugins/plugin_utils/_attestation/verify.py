# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify an attested document: the steps, in their order. Fail closed.

    envelope, structure, signer, algorithms, signature, name, chain, content, time, nonce, identity

The first step that is not met ends the verification with its reason. Everything after "signer" looks at that one
certificate object; other certificates in the document are only candidates for the chain.

Not done: revocation. A document proves that a VM in Azure asked for it, not which process, and holds neither
resource group nor region.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from . import chain, cms, der, signature
from .anchors import Sources
from .dependencies import require_cryptography, x509
from .document import Document, decode, iso, load_object
from .policy import Policy, check_identity, check_nonce, check_times, match_name
from .reasons import REASONS, Refusal

MAX_DER_BYTES = 64 * 1024
MAX_BASE64 = (MAX_DER_BYTES + 2) // 3 * 4
MAX_ANSWER = 2 * MAX_BASE64  # a JSON answer may bear other keys


@dataclass
class Verdict:
    """How a verification ended. ``dataclasses.asdict`` gives plain data, ready for a task's result.

    ``document``, ``cloud``, ``signer`` and ``chain`` are set only if ``verified``. Of a document that is not, what
    could be read stands in ``unverified`` (``document`` and ``signer``, each possibly ``None``) and nowhere else.
    The flags say which steps were passed, whatever came later. ``signature_verified`` alone proves nothing.
    """

    verified: bool
    reason: str
    step: str
    message: str
    remedy: str
    verified_at: str
    details: dict[str, Any] = field(default_factory=dict)
    document: dict[str, Any] | None = None
    cloud: str | None = None
    signer: dict[str, Any] | None = None
    chain: list[dict[str, str]] = field(default_factory=list)
    unverified: dict[str, Any] | None = None
    signature_verified: bool = False
    chain_verified: bool = False
    nonce_verified: bool = False
    identity_bound: bool = False
    revocation_checked: bool = False
    warnings: list[str] = field(default_factory=list)


@dataclass
class _Progress:
    """What has been established so far."""

    content: bytes | None = None
    certificate: x509.Certificate | None = None
    signature_verified: bool = False
    name: str = ""
    cloud: str = ""
    chain: list[x509.Certificate] = field(default_factory=list)
    document: Document | None = None
    nonce_verified: bool = False


def verify(evidence: str | Mapping[str, Any], policy: Policy, sources: Sources, now: datetime | None = None) -> Verdict:
    """Verify one attested document.

    :param evidence: the base64 signature, or the whole answer ``{"encoding", "signature"}`` as JSON or decoded.
    :param now: the time that counts, unless the policy names one; default: the controller's clock.
    :returns: always a verdict, for whatever evidence.
    :raises DependencyError: cryptography is missing or too old.
    """
    require_cryptography()
    at = policy.verify_at or now or datetime.now(timezone.utc)
    progress = _Progress()
    try:
        _run(evidence, policy, sources, at, progress)
    except Refusal as refusal:
        verdict = _refused(refusal, progress, at)
    else:
        verdict = _accepted(progress, policy, at)
    verdict.warnings += sources.fetch.warnings if sources.fetch else []
    return verdict


def _run(
    evidence: str | Mapping[str, Any], policy: Policy, sources: Sources, at: datetime, progress: _Progress
) -> None:
    try:
        signed_data = cms.parse_signed_data(_open_envelope(evidence, policy))
        signer = cms.find_signer(signed_data)
    except der.DerError as error:
        raise Refusal("not_der", f"the signature is not the DER it should be: {error}") from error
    progress.content = signed_data.content
    try:
        certificate = progress.certificate = chain.load_certificate(signer.encoded)
    except ValueError as error:
        raise Refusal("bad_certificate", f"the signer's certificate cannot be read: {error}") from error

    digest = signature.check_algorithms(signed_data, certificate)
    signature.check_signature(signed_data, certificate, digest)
    progress.signature_verified = True

    progress.cloud, progress.name = match_name(chain.dns_names(certificate), policy.clouds)
    candidates = [*sources.intermediates, *_others(signed_data.certificates, signer)]
    progress.chain = chain.build_chain(certificate, progress.name, at, sources.anchors, candidates, sources.fetch)

    try:
        document = progress.document = decode(signed_data.content)
    except ValueError as error:
        raise Refusal("bad_content", f"the signed content is no attested document: {error}") from error
    check_times(document, policy, at)
    progress.nonce_verified = check_nonce(document, policy)
    check_identity(document, policy)


def _open_envelope(evidence: str | Mapping[str, Any], policy: Policy) -> bytes:
    """The DER bytes in the evidence. Line breaks in the base64 are accepted, nothing else is."""
    source = "the option document" if policy.stored else "the answer of the metadata service"
    if isinstance(evidence, str) and len(evidence) > MAX_ANSWER:
        raise Refusal("too_large", f"{source} has {len(evidence)} characters; at most {MAX_ANSWER} are accepted")
    if isinstance(evidence, str) and evidence.lstrip().startswith("{"):
        try:
            evidence = load_object(evidence)
        except ValueError as error:
            raise Refusal("bad_envelope", f"{source} is not valid JSON: {error}") from error
    if isinstance(evidence, Mapping):
        encoding, evidence = evidence.get("encoding"), evidence.get("signature", "")
        if not isinstance(encoding, str) or encoding.lower() != "pkcs7":
            raise Refusal("wrong_encoding", f"{source} has the encoding {encoding!r:.40}, expected 'pkcs7'")
    if not isinstance(evidence, str) or not evidence.strip():
        raise Refusal("bad_envelope", f"{source} holds no signature")
    if "-----BEGIN" in evidence:
        raise Refusal("pem_evidence", f"{source} is PEM, expected base64 of DER without header lines")
    text = "".join(evidence.split())
    if len(text) > MAX_BASE64:
        raise Refusal("too_large", f"{source} has {len(text)} base64 characters; at most {MAX_BASE64} are accepted")
    try:
        blob = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refusal("not_base64", f"{source} is not base64: {error}") from error
    if blob.startswith(b"-----BEGIN"):
        raise Refusal("pem_evidence", f"{source} is base64 of PEM, expected base64 of DER")
    return blob


def _others(certificates: list[cms.Certificate], signer: cms.Certificate) -> list[x509.Certificate]:
    """The document's other certificates, as far as they can be read: candidates for the chain."""
    found = []
    for certificate in certificates:
        if certificate is not signer:
            try:
                found.append(chain.load_certificate(certificate.encoded))
            except ValueError:
                continue
    return found


def _refused(refusal: Refusal, progress: _Progress, at: datetime) -> Verdict:
    return Verdict(
        verified=False,
        reason=refusal.reason,
        step=REASONS[refusal.reason].step,
        message=refusal.message,
        remedy=refusal.remedy,
        verified_at=iso(at),
        details=refusal.details,
        unverified={"document": _readable(progress), "signer": _signer(progress)},
        signature_verified=progress.signature_verified,
        chain_verified=bool(progress.chain),
        nonce_verified=progress.nonce_verified,
    )


def _accepted(progress: _Progress, policy: Policy, at: datetime) -> Verdict:
    warnings = []
    if not policy.binds_identity:
        warnings.append(
            "The document is genuine, but nothing says it is this host's: give expected_vm_id or "
            "expected_subscription_id from a source you trust."
        )
    if policy.nonce is None:
        warnings.append("No nonce was asked for: the document may have been fetched earlier, by anyone on that VM.")
    return Verdict(
        verified=True,
        reason="ok",
        step=REASONS["ok"].step,
        message=REASONS["ok"].meaning,
        remedy="",
        verified_at=iso(at),
        document=_readable(progress),
        cloud=progress.cloud,
        signer=_signer(progress),
        chain=[chain.describe(certificate) for certificate in progress.chain],
        signature_verified=True,
        chain_verified=True,
        nonce_verified=progress.nonce_verified,
        identity_bound=policy.binds_identity,
        warnings=warnings,
    )


def _readable(progress: _Progress) -> dict[str, Any] | None:
    if progress.document is None and progress.content is not None:
        try:
            progress.document = decode(progress.content)
        except ValueError:
            return None
    return progress.document.as_dict() if progress.document else None


def _signer(progress: _Progress) -> dict[str, Any] | None:
    if progress.certificate is None:
        return None
    return {**chain.describe(progress.certificate), "san": progress.name or None}
