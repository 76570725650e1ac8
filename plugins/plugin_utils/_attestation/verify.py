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

from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from . import cms, der, signature
from .anchors import Sources
from .certificates import describe, describe_chain, dns_names, load_certificate, load_certificates
from .chain import build_chain
from .dependencies import require_cryptography, x509
from .document import Document, decode, iso
from .evidence import open_evidence
from .guard import UnreadableError, untrusted
from .policy import Policy, check_identity, check_nonce, check_times, match_name
from .reasons import REASONS, Refusal

# What an error that nobody foresaw counts as, by the step in which it happens.
UNFORESEEN = {
    "envelope": "bad_envelope",
    "structure": "bad_structure",
    "signer": "bad_certificate",
    "algorithms": "unsupported_algorithm",
    "signature": "bad_signature",
    "name": "wrong_name",
    "chain": "chain_invalid",
    "content": "bad_content",
    "time": "bad_lifetime",
    "nonce": "nonce_mismatch",
    "identity": "identity_mismatch",
}


@dataclass
class Verdict:
    """How a verification ended. ``dataclasses.asdict`` gives plain data, ready for a task's result.

    ``document``, ``cloud``, ``signer``, ``chain`` and ``chain_pem`` are set only if ``verified``. What could be read of
    a document that is not is in ``unverified`` (``document`` and ``signer``, each possibly ``None``) and nowhere else.
    The flags say which steps were passed, whatever came later. ``signature_verified`` alone proves nothing.
    ``verified_at_source`` is where the time comes from: ``clock``, ``option`` or ``file``, that of a stored file.
    """

    verified: bool
    reason: str
    step: str
    message: str
    remedy: str
    verified_at: str
    verified_at_source: str = "clock"
    details: dict[str, Any] = field(default_factory=dict)
    document: dict[str, Any] | None = None
    cloud: str | None = None
    signer: dict[str, Any] | None = None
    chain: list[dict[str, str]] = field(default_factory=list)
    chain_pem: str | None = None
    unverified: dict[str, Any] | None = None
    signature_verified: bool = False
    chain_verified: bool = False
    nonce_verified: bool = False
    identity_bound: bool = False
    revocation_checked: bool = False
    warnings: list[str] = field(default_factory=list)


@dataclass
class _Progress:
    """The step that is being taken, and what has been established so far."""

    at: datetime
    at_source: str = "clock"
    step: str = "envelope"
    content: bytes | None = None
    certificate: x509.Certificate | None = None
    signature_verified: bool = False
    name: str = ""
    cloud: str = ""
    chain: list[x509.Certificate] = field(default_factory=list)
    document: Document | None = None
    nonce_verified: bool = False


def verify(evidence: Any, policy: Policy, sources: Sources, now: datetime | None = None) -> Verdict:
    """Verify one attested document.

    :param evidence: the base64 signature, or the whole answer ``{"encoding", "signature"}`` as JSON or decoded; if the
        policy is for stored evidence, also a stored file.
    :param now: the time that counts, unless the policy or a stored file names one; default: the controller's clock.
    :returns: always a verdict, for whatever evidence.
    :raises DependencyError: cryptography is missing or too old.
    """
    require_cryptography()
    progress = _Progress(at=policy.verify_at or now or datetime.now(timezone.utc))
    try:
        with untrusted():
            _run(evidence, policy, sources, progress)
    except Refusal as refusal:
        verdict = _refused(refusal, progress)
    except UnreadableError as error:
        verdict = _refused(Refusal(UNFORESEEN[progress.step], f"it cannot be read: {error}"), progress)
    else:
        verdict = _accepted(progress, policy)
    verdict.warnings += [*policy.notes, *(sources.fetch.warnings if sources.fetch else [])]
    return verdict


def _run(evidence: Any, policy: Policy, sources: Sources, progress: _Progress) -> None:
    opened = open_evidence(evidence, stored=policy.stored)
    if policy.verify_at is not None:
        progress.at_source = "option"
    elif opened.recorded_at is not None:
        progress.at, progress.at_source = opened.recorded_at, "file"

    progress.step = "structure"
    try:
        signed_data = cms.parse_signed_data(opened.blob)
    except der.DerError as error:
        raise Refusal("not_der", f"the signature is not the DER it should be: {error}") from error
    progress.content = signed_data.content

    progress.step = "signer"
    signer = cms.find_signer(signed_data)
    try:
        certificate = progress.certificate = load_certificate(signer.encoded)
    except ValueError as error:
        raise Refusal("bad_certificate", f"the signer's certificate cannot be read: {error}") from error

    progress.step = "algorithms"
    digest = signature.check_algorithms(signed_data, certificate)

    progress.step = "signature"
    signature.check_signature(signed_data, certificate, digest)
    progress.signature_verified = True

    progress.step = "name"
    progress.cloud, progress.name = match_name(dns_names(certificate), policy.clouds)

    progress.step = "chain"
    others = [other.encoded for other in signed_data.certificates if other is not signer]
    candidates = [*sources.intermediates, *load_certificates([*others, *opened.chain])]
    progress.chain = build_chain(certificate, progress.name, progress.at, sources.trust, candidates, sources.fetch)

    progress.step = "content"
    try:
        document = progress.document = decode(signed_data.content)
    except ValueError as error:
        raise Refusal("bad_content", f"the signed content is no attested document: {error}") from error

    progress.step = "time"
    check_times(document, policy, progress.at)
    progress.step = "nonce"
    progress.nonce_verified = check_nonce(document, policy)
    progress.step = "identity"
    check_identity(document, policy)


def _refused(refusal: Refusal, progress: _Progress) -> Verdict:
    return Verdict(
        verified=False,
        reason=refusal.reason,
        step=REASONS[refusal.reason].step,
        message=refusal.message,
        remedy=refusal.remedy,
        verified_at=iso(progress.at),
        verified_at_source=progress.at_source,
        details=refusal.details,
        unverified={"document": _readable(progress), "signer": _signer(progress)},
        signature_verified=progress.signature_verified,
        chain_verified=bool(progress.chain),
        nonce_verified=progress.nonce_verified,
    )


def _accepted(progress: _Progress, policy: Policy) -> Verdict:
    links, chain_pem = describe_chain(progress.chain)
    return Verdict(
        verified=True,
        reason="ok",
        step=REASONS["ok"].step,
        message=REASONS["ok"].meaning,
        remedy="",
        verified_at=iso(progress.at),
        verified_at_source=progress.at_source,
        document=_readable(progress),
        cloud=progress.cloud,
        signer={**links[0], "san": progress.name},
        chain=links,
        chain_pem=chain_pem,
        signature_verified=True,
        chain_verified=True,
        nonce_verified=progress.nonce_verified,
        identity_bound=policy.binds_identity,
        warnings=_warnings(progress, policy),
    )


def _warnings(progress: _Progress, policy: Policy) -> list[str]:
    """What a genuine document does not prove."""
    warnings = []
    if not policy.binds_identity:
        warnings.append(
            "The document is genuine, but nothing shows that it belongs to this host: give expected_vm_id or "
            "expected_subscription_id from a source that you trust."
        )
    if policy.nonce is None:
        warnings.append("No nonce was asked for: the document may have been fetched earlier, by anyone on that VM.")
    if progress.at_source == "file":
        warnings.append(
            f"The document was verified as of {iso(progress.at)}, the time recorded in the file. Nothing signs that "
            "record: it is only as good as the place where the file was kept. Set verify_at to choose the time."
        )
    return warnings


def _readable(progress: _Progress) -> dict[str, Any] | None:
    if progress.document is None and progress.content is not None:
        try:
            with untrusted():
                progress.document = decode(progress.content)
        except ValueError:
            return None
    return progress.document.as_dict() if progress.document else None


def _signer(progress: _Progress) -> dict[str, Any] | None:
    """The signer of a document that is refused."""
    if progress.certificate is None:
        return None
    try:
        with untrusted():
            return {**describe(progress.certificate), "san": progress.name or None}
    except ValueError:
        return None
