# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way a verification can end: step, meaning, remedy. And the two errors that carry them."""

from __future__ import annotations

from typing import Any, NamedTuple


class Reason(NamedTuple):
    """One end of a verification: the step that decides it, what it means, what to do."""

    step: str
    meaning: str
    remedy: str


_FRESH = "Fetch a fresh document from the metadata service, unchanged, and pass it as it came."
_HOSTILE = "Treat the host as hostile until the cause is known: this is what a forged document looks like."
_CLOCK = "Compare the clocks of controller and Azure; for stored evidence give verify_at."

REASONS: dict[str, Reason] = {
    "ok": Reason("done", "The document is genuine and meets every expectation.", ""),
    "bad_envelope": Reason("envelope", "The evidence is not an answer of the attested endpoint.", _FRESH),
    "wrong_encoding": Reason("envelope", "The answer's encoding is not pkcs7.", _FRESH),
    "not_base64": Reason("envelope", "The signature is not base64.", _FRESH),
    "pem_evidence": Reason(
        "envelope", "The evidence is PEM.", "Pass the base64 text alone, without the BEGIN and END lines."
    ),
    "too_large": Reason("envelope", "The evidence is larger than any attested document.", _FRESH),
    "not_der": Reason("structure", "The signature is not one well-formed DER value.", _FRESH),
    "bad_structure": Reason("structure", "The signature is DER, but not the signed data Azure sends.", _FRESH),
    "signer_not_found": Reason("signer", "No certificate in the document belongs to its signer.", _HOSTILE),
    "signer_ambiguous": Reason("signer", "More than one certificate claims to be the signer's.", _HOSTILE),
    "bad_certificate": Reason("signer", "The signer's certificate cannot be read.", _HOSTILE),
    "unsupported_algorithm": Reason("algorithms", "The document is signed with an algorithm not accepted.", _HOSTILE),
    "weak_key": Reason("algorithms", "The signer's key is too short.", _HOSTILE),
    "bad_signature": Reason("signature", "The content is not what the signer signed.", _HOSTILE),
    "wrong_name": Reason("name", "The signer's certificate is not one of Azure's metadata service.", _HOSTILE),
    "wrong_cloud": Reason(
        "name", "The signer belongs to a cloud that is not allowed here.", "Name the cloud in the option clouds."
    ),
    "certificate_not_current": Reason("chain", "The signer's certificate is not valid at this time.", _CLOCK),
    "missing_issuer": Reason(
        "chain",
        "A CA certificate between the signer and the trust anchors is missing.",
        "Name its file in the option intermediates, or allow fetch_intermediates: auto.",
    ),
    "untrusted_root": Reason(
        "chain",
        "The signer's chain ends in a root that is not trusted here.",
        "Only if that root is meant to be trusted (an emulator's, for example), name its file in the option anchors.",
    ),
    "chain_invalid": Reason("chain", "The signer's certificate chain breaks a rule.", _HOSTILE),
    "bad_content": Reason("content", "The signed content is not an attested document.", _FRESH),
    "bad_lifetime": Reason("time", "The document's times contradict each other or lie too far apart.", _FRESH),
    "from_future": Reason("time", "The document was created in the future.", _CLOCK),
    "expired": Reason("time", "The document has expired.", _CLOCK),
    "too_old": Reason("time", "The document is older than max_age allows.", "Fetch a fresh one, or raise max_age."),
    "nonce_mismatch": Reason(
        "nonce", "The document does not answer this challenge.", "Ask again; if it stays, suspect a replay."
    ),
    "identity_mismatch": Reason(
        "identity",
        "The document is genuine, but it is another machine's or another product's.",
        "Correct the expected value if it is wrong; otherwise the host is an impostor.",
    ),
}


class Refusal(Exception):  # noqa: N818 - not an error of the program, but an answer
    """The evidence fails a step.

    :param reason: a key of :data:`REASONS`.
    :param message: what was found, one sentence.
    :param remedy: replaces the table's remedy where more is known.
    :param details: plain data for the result.
    """

    def __init__(self, reason: str, message: str, remedy: str = "", **details: Any) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.remedy = remedy or REASONS[reason].remedy
        self.details = details


class OptionError(Exception):
    """What the user passed cannot be used. The text starts with the option's name."""

    def __init__(self, option: str, message: str) -> None:
        super().__init__(f"{option}: {message}")
        self.option = option
