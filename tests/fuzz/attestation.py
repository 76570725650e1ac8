# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verifier of attested documents on the controller, from DER to the verdict."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from ansible_collections.imds.azure.plugins.module_utils._imds.reasons import REASONS as IMDS_REASONS
from ansible_collections.imds.azure.plugins.plugin_utils._attestation import aia, cms, der, document, host_report
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.evidence import store
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.reasons import REASONS, Refusal
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.verify import Verdict
from ansible_collections.imds.azure.tests.scenarios.attestation import documents as docs
from ansible_collections.imds.azure.tests.scenarios.attestation.authority import NOW, hierarchy
from ansible_collections.imds.azure.tests.scenarios.attestation.judge import judge

from .target import Target, as_json, assert_plain, assert_shown, from_json

# Genuine documents are not part of the project.
_SHARED = Path(os.environ.get("IMDS_SHARED", "/nonexistent")) / "attested" / "documents"
_DER_WORDS = (
    b"0\x80",
    b"0\x00",
    b"1\x00",
    b"\x05\x00",
    b"\xa0\x02",
    b"\x02\x01\x01",
    b"\x04\x00",
    b"\x03\x01\x00",
    b"\x0c\x00",
    b"\x84\xff\xff\xff\xff",
    b"\x81\x80",
    b"\x06\t*\x86H\x86\xf7\r\x01\x07\x02",
    b"\x06\x01\x80",
    b"\x01\x01\xff",
    b"\x18\x0f00010101000000Z",
    b"\x17\r500101000000Z",
    b"\x06\x03U\x1d\x0e",
    b"\x06\x03U\x1d\x11",
    b"\x1f\x81\x00",
)


def signed_data(data: bytes) -> None:
    """DER and CMS: signed data, a DerError or a Refusal."""
    try:
        element = der.parse(data)
        assert element.encoded == data
        _walk(element)
        signed = cms.parse_signed_data(data)
        cms.find_signer(signed)
    except (der.DerError, Refusal) as error:
        assert_shown(str(error))
        return
    assert 1 <= len(signed.certificates) <= cms.MAX_CERTIFICATES
    assert signed.content in data


def _walk(element: der.Element) -> None:
    """What is said to be in a value is in it, byte by byte."""
    if element.tag & 0x20:
        assert b"".join(part.encoded for part in element.parts) == element.content
        for part in element.parts:
            _walk(part)


def attested_document(data: bytes) -> None:
    """A document as IMDS hands it out, verified."""
    _judged(judge(data), data)


def evidence(data: bytes) -> None:
    """The option document: Base64, an answer of IMDS or a stored file, verified."""
    text = data.decode("utf-8", "surrogateescape")
    _judged(judge(text, stored=True, nonce=None))
    _judged(judge(text))


def _judged(verdict: Verdict, blob: bytes | None = None) -> None:
    assert verdict.reason in REASONS
    assert verdict.verified == (verdict.reason == "ok")
    assert_plain(dataclasses.asdict(verdict))
    assert_shown(verdict.message)
    assert verdict.verified_at == document.iso(datetime.fromisoformat(verdict.verified_at.replace("Z", "+00:00")))
    if verdict.verified:  # something that no signature covers was changed
        assert verdict.signer is not None
        assert int(verdict.signer["serial"], 16) == hierarchy().leaf.certificate.serial_number
        assert verdict.document is not None
        assert verdict.document["vm_id"] == docs.VM_ID
        assert blob is None or cms.parse_signed_data(blob).content == docs.content()


def issuer_certificate(data: bytes) -> None:
    """What a CA's site answers: the issuer of a certificate, or a FetchError."""
    tree = hierarchy()
    with contextlib.suppress(aia.FetchError):
        found = aia._fitting(data, tree.leaf.certificate, NOW)
        assert found.public_key() == tree.issuing.certificate.public_key()


def report(data: bytes) -> None:
    """What the module on a host hands back, as Ansible hands it on."""
    found = host_report.ask(lambda: from_json(data), IMDS_REASONS)
    assert found.failure in (None, "", *IMDS_REASONS)
    assert_plain(found._asdict() | {"evidence": None, "ansible": dict(found.ansible)})
    for text in (found.message, *found.warnings, *(str(entry.get("detail", "")) for entry in found.attempts)):
        assert_shown(text)


def _documents() -> Iterator[bytes]:
    yield docs.document()
    yield docs.document(attributes=docs.standard_attributes(docs.content()), by_key_identifier=True)
    tree = hierarchy()
    signer = docs.signer_info(tree.leaf, docs.content())
    yield docs.envelope(docs.content(), [tree.leaf.der, tree.issuing.der, tree.cross.der], [signer])
    for file in sorted(_SHARED.glob("*.b64")):
        yield base64.b64decode(file.read_text())


def _evidence() -> Iterator[bytes]:
    answer = {"encoding": "pkcs7", "signature": docs.text(docs.document())}
    yield answer["signature"].encode()
    yield as_json(answer)
    verdict = judge(answer)
    yield store(answer, verdict.chain_pem or "", {"verified_at": verdict.verified_at}).encode()


def _reports() -> Iterator[bytes]:
    attempt = {
        "path": "p",
        "api_version": "2025-04-07",
        "outcome": "ok",
        "status": 200,
        "detail": "HTTP 200",
        "wait": 0.5,
    }
    answer = {"encoding": "pkcs7", "signature": "QUJD"}
    yield as_json({"evidence": answer, "api_version": "2025-04-07", "attempts": [attempt], "warnings": ["w"]})
    yield as_json({"failed": True, "reason": "refused", "msg": "m", "attempts": [attempt]})
    yield as_json(
        {"failed": True, "unreachable": True, "module_stdout": "", "module_stderr": "e", "rc": 1, "exception": "t"}
    )


_KEYS = (
    b"evidence",
    b"encoding",
    b"signature",
    b"chain_pem",
    b"verdict",
    b"verified_at",
    b"format",
    b"pkcs7",
    b"attempts",
)
_TIMES = (
    b"0001-01-01T00:00:00Z",
    b"9999-12-31T23:59:59-23:59",
    b"2026-08-01T12:00:00+00:00",
    b"2026-W01-1",
    b"20260801",
)

TARGETS = (
    Target("signed_data", "DER and CMS of attested documents", signed_data, _documents, _DER_WORDS),
    Target("attested_document", "attested documents, up to the verdict", attested_document, _documents, _DER_WORDS),
    Target(
        "issuer_certificate",
        "certificates that are fetched from a CA's site",
        issuer_certificate,
        lambda: [hierarchy().issuing.der, hierarchy().cross.der],
        _DER_WORDS,
    ),
    Target(
        "evidence", "evidence that was stored, and answers of IMDS", evidence, _evidence, (*_KEYS, *_TIMES), 64 * 1024
    ),
    Target("attest_report", "what a host's module reports of an attested document", report, _reports, _KEYS),
)
