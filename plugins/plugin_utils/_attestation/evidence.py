# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evidence: what a host hands back, or what was stored of it, and how it is stored. Pure.

A stored file is the answer of IMDS with more keys beside ``encoding`` and ``signature``::

    {"format": 1, "encoding": "pkcs7", "signature": "MII...", "chain_pem": "-----BEGIN ...", "verdict": {...}}

``chain_pem`` are the certificates that were used, from the signer's to the root, so that nothing else is needed later.
``verdict`` is the result of the task. Nothing but the document is signed: of the rest, the certificates are candidates
like any others, and the time in ``verdict`` is the word of whoever could write the file.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from .bundles import pem_bodies
from .document import load_object, parse_moment
from .reasons import Refusal

MAX_DER_BYTES = 64 * 1024
MAX_BASE64 = (MAX_DER_BYTES + 2) // 3 * 4
MAX_TEXT = 4 * MAX_BASE64  # a JSON answer may have other keys, a stored file has the chain and the verdict
MAX_STORED_CERTIFICATES = 8

FORMAT = 1


class Evidence(NamedTuple):
    """The signed data (DER) and, of a stored file, the certificates (DER) and the time that it records."""

    blob: bytes
    chain: tuple[bytes, ...] = ()
    recorded_at: datetime | None = None


def open_evidence(evidence: Any, *, stored: bool) -> Evidence:
    """Take evidence out of its envelope.

    :param evidence: the base64 signature, or the whole answer ``{"encoding", "signature"}`` as JSON or decoded.
    :param stored: it is the option ``document``, which may be a stored file. Of a host's answer, only encoding and
        signature count.
    :raises Refusal: ``bad_envelope``, ``wrong_encoding``, ``not_base64``, ``pem_evidence`` or ``too_large``.
    """
    source = "the option document" if stored else "the answer of the metadata service"
    if isinstance(evidence, str) and len(evidence) > MAX_TEXT:
        raise Refusal("too_large", f"{source} has {len(evidence)} characters; at most {MAX_TEXT} are accepted")
    if isinstance(evidence, str) and evidence.lstrip().startswith("{"):
        try:
            evidence = load_object(evidence)
        except ValueError as error:
            raise Refusal("bad_envelope", f"{source} is not valid JSON: {error}") from error
    if not isinstance(evidence, Mapping):
        return Evidence(_decode(evidence, f"{source}, which names no file," if stored else source))
    encoding = evidence.get("encoding")
    if not isinstance(encoding, str) or encoding.lower() != "pkcs7":
        raise Refusal("wrong_encoding", f"{source} has the encoding {encoding!r:.40}, expected 'pkcs7'")
    blob = _decode(evidence.get("signature", ""), source)
    return Evidence(blob, _chain(evidence), _recorded_at(evidence)) if stored else Evidence(blob)


def store(answer: Mapping[str, Any], chain_pem: str, verdict: Mapping[str, Any]) -> str:
    """The text of a stored file.

    :param answer: what IMDS answered.
    :param verdict: plain data; ``verified_at`` is the time at which the file is verified again.
    """
    kept = {"encoding": answer["encoding"], "signature": answer["signature"]}
    return json.dumps({"format": FORMAT, **kept, "chain_pem": chain_pem, "verdict": dict(verdict)}, indent=2) + "\n"


def _decode(signature: Any, source: str) -> bytes:
    """The DER bytes. Line breaks in the base64 are accepted, nothing else is."""
    if not isinstance(signature, str) or not signature.strip():
        raise Refusal("bad_envelope", f"{source} holds no signature")
    if "-----BEGIN" in signature:
        raise Refusal("pem_evidence", f"{source} is PEM, expected base64 of DER without header lines")
    text = "".join(signature.split())
    if len(text) > MAX_BASE64:
        raise Refusal("too_large", f"{source} has {len(text)} base64 characters; at most {MAX_BASE64} are accepted")
    try:
        blob = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refusal("not_base64", f"{source} is not base64: {error}") from error
    if base64.b64encode(blob).decode("ascii") != text:
        raise Refusal("not_base64", f"{source} is not base64: bits are set after its end")
    if blob.startswith(b"-----BEGIN"):
        raise Refusal("pem_evidence", f"{source} is base64 of PEM, expected base64 of DER")
    return blob


def _chain(stored: Mapping[str, Any]) -> tuple[bytes, ...]:
    text = stored.get("chain_pem", "")
    if not isinstance(text, str):
        raise Refusal("bad_envelope", "chain_pem in the option document is not text")
    return tuple(pem_bodies(text.encode("utf-8", "replace"))[:MAX_STORED_CERTIFICATES])


def _recorded_at(stored: Mapping[str, Any]) -> datetime | None:
    if stored.get("format", FORMAT) != FORMAT:
        raise Refusal("bad_envelope", "the option document is a file of another release's format")
    verdict = stored.get("verdict")
    if verdict is None:
        return None
    recorded = verdict.get("verified_at") if isinstance(verdict, Mapping) else None
    try:
        return parse_moment(recorded)
    except ValueError as error:
        raise Refusal("bad_envelope", f"verified_at in the option document is no time: {error}") from error
