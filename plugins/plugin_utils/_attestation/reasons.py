# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way a verification can end: step, meaning, remedy; and the errors that carry them."""

from __future__ import annotations

from typing import Any, NamedTuple


class VerdictReason(NamedTuple):
    """One end of a verification: the step that decides it, what it means, what to do."""

    step: str
    meaning: str
    remedy: str


_FRESH = "Fetch a fresh document from the metadata service and pass it on unchanged."
HOSTILE = "Treat the host as hostile until the cause is known: this is what a forged document looks like."
_CLOCK = "Compare the clocks of controller and Azure; for stored evidence give verify_at."

MAX_MESSAGE = 4000  # characters

REASONS: dict[str, VerdictReason] = {
    "ok": VerdictReason("done", "The document is genuine and meets every expectation.", ""),
    "bad_envelope": VerdictReason(
        "envelope", "The evidence is not an answer of the attested endpoint, or cannot be read.", _FRESH
    ),
    "wrong_encoding": VerdictReason("envelope", "The answer's encoding is not pkcs7.", _FRESH),
    "not_base64": VerdictReason("envelope", "The signature is not base64.", _FRESH),
    "pem_evidence": VerdictReason(
        "envelope", "The evidence is PEM.", "Pass the base64 text alone, without the BEGIN and END lines."
    ),
    "too_large": VerdictReason("envelope", "The evidence is larger than any attested document.", _FRESH),
    "not_der": VerdictReason("structure", "The signature is not one well-formed DER value.", _FRESH),
    "bad_structure": VerdictReason("structure", "The signature is DER, but not the signed data Azure sends.", _FRESH),
    "signer_not_found": VerdictReason("signer", "No certificate in the document belongs to its signer.", HOSTILE),
    "signer_ambiguous": VerdictReason("signer", "More than one certificate claims to be the signer's.", HOSTILE),
    "bad_certificate": VerdictReason("signer", "The signer's certificate cannot be read.", HOSTILE),
    "unsupported_algorithm": VerdictReason(
        "algorithms", "The document is signed with an algorithm that is not accepted.", HOSTILE
    ),
    "weak_key": VerdictReason("algorithms", "The signer's key is too short.", HOSTILE),
    "bad_signature": VerdictReason("signature", "The content is not what the signer signed.", HOSTILE),
    "wrong_name": VerdictReason("name", "The signer's certificate is not one of Azure's metadata service.", HOSTILE),
    "wrong_cloud": VerdictReason(
        "name", "The signer belongs to a cloud that is not allowed here.", "Name the cloud in the option clouds."
    ),
    "certificate_not_current": VerdictReason(
        "chain", "The signer's certificate, or the root above it, is not valid at this time.", _CLOCK
    ),
    "missing_issuer": VerdictReason(
        "chain",
        "A CA certificate between the signer and the trust anchors is missing.",
        "Name its file in the option intermediates, or allow fetch_intermediates: auto.",
    ),
    "missing_root": VerdictReason(
        "chain",
        "The chain leads to one of Azure's roots, but the controller does not have its certificate.",
        "Name its file in the option anchors, or install a CA bundle that has it.",
    ),
    "untrusted_root": VerdictReason(
        "chain",
        "The signer's chain ends in a root that is not trusted here.",
        "Only if that root is meant to be trusted (an emulator's, for example), name its file in the option anchors.",
    ),
    "chain_invalid": VerdictReason(
        "chain", "The signer's certificate chain is forged, altered or breaks a rule.", HOSTILE
    ),
    "bad_content": VerdictReason("content", "The signed content is not an attested document.", _FRESH),
    "bad_lifetime": VerdictReason("time", "The document's times contradict each other or lie too far apart.", _FRESH),
    "from_future": VerdictReason("time", "The document was created in the future.", _CLOCK),
    "expired": VerdictReason("time", "The document has expired.", _CLOCK),
    "too_old": VerdictReason(
        "time", "The document is older than max_age allows.", "Fetch a fresh one, or raise max_age."
    ),
    "nonce_mismatch": VerdictReason(
        "nonce", "The document does not answer this challenge.", "Ask again; if it happens again, suspect a replay."
    ),
    "identity_mismatch": VerdictReason(
        "identity",
        "The document is genuine, but belongs to another machine or another product.",
        "Correct the expected value if it is wrong; otherwise the host is an impostor.",
    ),
}


def printable(text: str) -> str:
    """Text for a message: names in a certificate, for example, may hold anything, terminal escapes included."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text[:MAX_MESSAGE])
    return shown if len(text) <= MAX_MESSAGE else f"{shown}..."


class Refusal(Exception):  # noqa: N818 - not an error of the program, but an answer
    """The evidence does not pass a step.

    :param reason: a key of :data:`REASONS`.
    :param message: what was found, one sentence.
    :param remedy: replaces the table's remedy where more is known.
    :param details: plain data for the result.
    """

    def __init__(self, reason: str, message: str, remedy: str = "", **details: Any) -> None:
        self.message = printable(message)
        super().__init__(self.message)
        self.reason = reason
        self.remedy = printable(remedy or REASONS[reason].remedy)
        self.details = details


class OptionError(Exception):
    """What the user passed cannot be used. The text starts with the option's name."""

    def __init__(self, option: str, message: str) -> None:
        super().__init__(f"{option}: {message}")
        self.option = option
