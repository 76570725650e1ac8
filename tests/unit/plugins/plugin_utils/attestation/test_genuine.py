# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Genuine documents of Azure. They are not part of the project: IMDS_SHARED names the directory that holds them."""

from __future__ import annotations

import base64
import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.anchors import Sources, load_sources
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.bundles import pem_bodies
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.certificates import fingerprint, load_certificates
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.cms import parse_signed_data
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.document import decode, iso
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.evidence import store
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.policy import build_policy
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.roots import BY_FINGERPRINT
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.trust import Trust
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.verify import Verdict, verify
from cryptography import x509

PLACE = Path(os.environ.get("IMDS_SHARED", "/nonexistent"))
DOCUMENTS = sorted((PLACE / "attested" / "documents").glob("public-*.b64"))
ALTERED = sorted((PLACE / "attested" / "documents").glob("bad-altered-*.b64"))
SAMPLE = PLACE / "fixtures" / "attested_document.json"

needs_documents = pytest.mark.skipif(not DOCUMENTS, reason="IMDS_SHARED names no genuine attested documents")


def sources() -> Sources:
    """The built-in roots, the root of 2019 that is in no bundle any more, and every CA certificate at hand."""
    files = sorted(map(str, (PLACE / "attested" / "ca").glob("*.pem")))
    return load_sources(
        anchors=[file for file in files if "baltimore" in file],
        intermediates=files,
        fetch_intermediates="never",
    )


def judge_at_its_time(evidence: str) -> Verdict:
    created = decode(parse_signed_data(base64.b64decode(evidence)).content).created_on
    return verify(evidence, build_policy(stored=True, verify_at=iso(created)), sources())


@needs_documents
@pytest.mark.parametrize("path", DOCUMENTS, ids=[path.stem for path in DOCUMENTS])
def test_genuine(path: Path) -> None:
    verdict = judge_at_its_time(path.read_text())
    assert (verdict.verified, verdict.cloud) == (True, "public"), verdict.message
    assert verdict.document is not None
    assert verdict.signer is not None
    assert verdict.signer["san"].endswith(".metadata.azure.com")


@needs_documents
def test_now_is_too_late() -> None:
    for path in DOCUMENTS:
        verdict = verify(path.read_text(), build_policy(stored=True), sources())
        assert verdict.reason in ("certificate_not_current", "expired")


@pytest.mark.skipif(not ALTERED, reason="IMDS_SHARED names no altered document")
@pytest.mark.parametrize("path", ALTERED, ids=[path.stem for path in ALTERED])
def test_altered(path: Path) -> None:
    """It differs from a genuine document in one byte of vmId, and a byte follows it: each is reason enough."""
    blob = base64.b64decode(path.read_text())
    policy = build_policy(stored=True, verify_at="2019-12-13T00:34:40Z")
    assert verify(path.read_text(), policy, sources()).reason == "not_der"
    assert judge_at_its_time(base64.b64encode(blob[:-1]).decode()).reason == "bad_signature"


@pytest.mark.skipif(not SAMPLE.exists(), reason="IMDS_SHARED names no sample of 2018")
def test_sample_of_the_documentation() -> None:
    policy = build_policy(stored=True, verify_at="2018-11-20T22:08:00Z")
    assert verify(SAMPLE.read_text(), policy, sources()).reason == "weak_key"
    assert verify(json.loads(SAMPLE.read_text()), policy, sources()).reason == "weak_key"


NEWEST = PLACE / "attested" / "documents" / "public-2026-07-g2.b64"
needs_newest = pytest.mark.skipif(not NEWEST.exists(), reason="IMDS_SHARED names no document of 2026")


def authority(*names: str) -> tuple[x509.Certificate, ...]:
    """CA certificates by the names of their files."""
    files = [PLACE / "attested" / "ca" / f"{name}.pem" for name in names]
    return tuple(load_certificates(body for file in files for body in pem_bodies(file.read_bytes())))


def judge_newest(*intermediates: str, evidence: Any = None, **options: Any) -> Verdict:
    """With no CA bundle at all: every built-in root has to come from elsewhere."""
    evidence = evidence or NEWEST.read_text()
    chosen = {"stored": True, "verify_at": "2026-07-28T13:25:00Z", **options}
    return verify(evidence, build_policy(**chosen), Sources(Trust((), builtin=True), authority(*intermediates)))


@needs_newest
def test_the_root_of_2026_is_recognised_wherever_it_comes_from() -> None:
    verdict = judge_newest("microsoft-tls-g2-rsa-ca-ocsp-02", "microsoft-tls-rsa-root-g2")
    assert verdict.verified, verdict.message
    assert verdict.chain[-1]["subject"] == "CN=Microsoft TLS RSA Root G2,O=Microsoft Corporation,C=US"


@needs_newest
def test_the_root_of_2026_has_the_key_that_digicert_signed() -> None:
    """The independent proof that its fingerprint is genuine."""
    root, cross = authority("microsoft-tls-rsa-root-g2", "microsoft-tls-rsa-root-g2-cross-signed")
    assert fingerprint(root) in BY_FINGERPRINT
    assert root.public_key() == cross.public_key()


@needs_newest
def test_a_root_that_is_nowhere_is_named() -> None:
    verdict = judge_newest("microsoft-tls-g2-rsa-ca-ocsp-02")
    assert (verdict.reason, verdict.details["root"]) == ("missing_root", "Microsoft TLS RSA Root G2")
    assert "xsign.crt is a cross-signed certificate, it belongs in intermediates" in verdict.remedy
    verdict = judge_newest("microsoft-tls-g2-rsa-ca-ocsp-02", "microsoft-tls-rsa-root-g2-cross-signed")
    assert (verdict.reason, verdict.details["root"]) == ("missing_root", "DigiCert Global Root G2")


@needs_newest
def test_stored_evidence_needs_no_certificates_of_the_controller() -> None:
    first = judge_newest("microsoft-tls-g2-rsa-ca-ocsp-02", "microsoft-tls-rsa-root-g2")
    assert first.chain_pem
    answer = {"encoding": "pkcs7", "signature": NEWEST.read_text()}
    again = judge_newest(evidence=store(answer, first.chain_pem, dataclasses.asdict(first)), verify_at=None)
    assert (again.verified, again.verified_at, again.verified_at_source) == (True, first.verified_at, "file")


@needs_documents
@pytest.mark.parametrize("path", DOCUMENTS, ids=[path.stem for path in DOCUMENTS])
def test_no_changed_bit_is_called_a_missing_certificate(path: Path) -> None:
    """Every 61st bit. The issuers are all at hand, so what does not fit them is altered."""
    blob = base64.b64decode(path.read_text())
    created = decode(parse_signed_data(blob).content).created_on
    policy, at_hand = build_policy(stored=True, verify_at=iso(created)), sources()
    for bit in range(0, len(blob) * 8, 61):
        changed = bytearray(blob)
        changed[bit // 8] ^= 1 << bit % 8
        verdict = verify(base64.b64encode(changed).decode(), policy, at_hand)
        assert not verdict.verified, bit
        assert verdict.reason not in ("missing_issuer", "missing_root", "untrusted_root"), (bit, verdict.message)
