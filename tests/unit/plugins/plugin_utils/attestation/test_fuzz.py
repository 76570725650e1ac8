# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arbitrary and almost genuine input: a verdict every time, and never one that trusts what nobody signed."""

from __future__ import annotations

from ansible_collections.imds.azure.plugins.plugin_utils._attestation import cms, der
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.reasons import Refusal
from ansible_collections.imds.azure.tests.scenarios.attestation import der_writer as writer
from ansible_collections.imds.azure.tests.scenarios.attestation import documents as docs
from ansible_collections.imds.azure.tests.scenarios.attestation.authority import hierarchy
from ansible_collections.imds.azure.tests.scenarios.attestation.judge import judge
from ansible_collections.imds.azure.tests.scenarios.attestation.mutations import mutations
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

GENUINE = docs.document()
ATTRIBUTED = docs.document(attributes=docs.standard_attributes(docs.content()), by_key_identifier=True)
FULL = docs.envelope(
    docs.content(),
    [hierarchy().leaf.der, hierarchy().issuing.der, hierarchy().cross.der],
    [docs.signer_info(hierarchy().leaf, docs.content())],
)

seldom = settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])


def test_the_originals_are_genuine() -> None:
    assert all(judge(original).verified for original in (GENUINE, ATTRIBUTED, FULL))


@seldom
@given(st.sampled_from([GENUINE, ATTRIBUTED, FULL]).flatmap(mutations))
def test_almost_genuine(blob: bytes) -> None:
    verdict = judge(blob)
    if verdict.verified:  # something that no signature covers was changed, and it still is DER
        assert der.parse(blob).encoded == blob
        assert cms.parse_signed_data(blob).content == docs.content()
        assert verdict.signer is not None
        assert int(verdict.signer["serial"], 16) == hierarchy().leaf.certificate.serial_number


CERTIFICATE = der.parse(GENUINE).parts[1].parts[0].parts[3].encoded


@seldom
@given(st.integers(0, len(CERTIFICATE) * 8 - 1))
def test_one_bit_of_the_certificate(bit: int) -> None:
    """Its issuer is at hand, and did not sign that: nobody is told that a certificate is missing."""
    start = GENUINE.index(CERTIFICATE)
    blob = bytearray(GENUINE)
    blob[start + bit // 8] ^= 1 << bit % 8
    verdict = judge(bytes(blob))
    assert not verdict.verified
    assert verdict.reason not in ("missing_issuer", "missing_root", "untrusted_root"), verdict.message
    assert verdict.message.isprintable()


@seldom
@given(mutations(hierarchy().other_root.der) | mutations(hierarchy().cross.der))
def test_what_lies_beside_a_genuine_signer_is_no_hindrance(other: bytes) -> None:
    body = docs.content()
    blob = docs.envelope(body, [hierarchy().leaf.der, other], [docs.signer_info(hierarchy().leaf, body)])
    verdict = judge(blob)
    assert verdict.verified or verdict.reason in ("not_der", "bad_structure", "signer_ambiguous"), verdict.message


@seldom
@given(st.text(max_size=300) | st.binary(max_size=300))
def test_arbitrary_evidence(evidence: str | bytes) -> None:
    assert not judge(evidence).verified


@seldom
@given(st.binary(min_size=1, max_size=8))
def test_nothing_may_follow(more: bytes) -> None:
    assert judge(GENUINE + more).reason == "not_der"


def _parts(element: der.Element) -> list[bytes]:
    """Every value in a document that can be exchanged for another."""
    inner = element.parts if element.tag & 0x20 else []
    return [element.encoded, *(value for part in inner for value in _parts(part))]


PARTS = sorted(set(_parts(der.parse(ATTRIBUTED)) + _parts(der.parse(FULL))))


@seldom
@given(
    st.recursive(
        st.sampled_from(PARTS),
        lambda inner: st.tuples(st.sampled_from([0x30, 0x31, 0xA0, 0xA1]), st.lists(inner, max_size=5)).map(
            lambda value: (
                writer.set_of(*value[1], tag=value[0]) if value[0] == 0x31 else writer.tlv(value[0], *value[1])
            )
        ),
        max_leaves=8,
    ).map(
        lambda inner: writer.sequence(writer.oid(docs.SIGNED_DATA), writer.explicit(0, inner)),
    )
)
def test_well_formed_nonsense(blob: bytes) -> None:
    """DER throughout, so that the reader of signed data is reached: it answers with its own exceptions only."""
    try:
        parsed = cms.parse_signed_data(blob)
    except (der.DerError, Refusal):
        return
    assert parsed.content == docs.content()
