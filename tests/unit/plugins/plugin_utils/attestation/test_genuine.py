# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Genuine documents of Azure. They are not part of the project: IMDS_SHARED names the directory that holds them."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pytest
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.anchors import Sources, load_sources
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.cms import parse_signed_data
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.document import decode, iso
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.policy import build_policy
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.verify import Verdict, verify

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
