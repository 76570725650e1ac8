# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the reader of signed data takes out of a document; what it refuses beyond the cases of test_verify."""

from __future__ import annotations

import pytest
from ansible_collections.imds.azure.plugins.plugin_utils._attestation import cms, der
from ansible_collections.imds.azure.tests.scenarios.attestation import der_writer as writer
from ansible_collections.imds.azure.tests.scenarios.attestation import documents as docs
from ansible_collections.imds.azure.tests.scenarios.attestation.authority import hierarchy
from cryptography import x509


def test_parts_of_a_document() -> None:
    leaf = hierarchy().leaf
    parsed = cms.parse_signed_data(docs.document())
    assert parsed.content == docs.content()
    key_identifier = leaf.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert parsed.certificates == [
        cms.Certificate(
            leaf.der, leaf.certificate.issuer.public_bytes(), leaf.certificate.serial_number, key_identifier
        )
    ]
    assert (parsed.signer.issuer, parsed.signer.serial) == parsed.certificates[0][1:3]
    assert parsed.signer.digest_algorithm == docs.SHA256_WITH_RSA
    assert parsed.signer.signature_algorithm == docs.RSA_ENCRYPTION
    assert parsed.signer.signed_attributes is None
    assert cms.find_signer(parsed) == parsed.certificates[0]


def test_signed_attributes_are_covered_as_a_set() -> None:
    attributes = docs.standard_attributes(docs.content())
    signer = cms.parse_signed_data(docs.document(attributes=attributes)).signer
    assert signer.signed_bytes == writer.set_of(*attributes)
    assert signer.signed_attributes is not None
    assert signer.signed_attributes.keys() == {docs.CONTENT_TYPE, docs.MESSAGE_DIGEST}


def unsorted(tag: int, parts: list[bytes]) -> bytes:
    return writer.tlv(tag, *sorted(parts, reverse=True))


SORTED_CERTIFICATES = [hierarchy().leaf.der, hierarchy().issuing.der]
SORTED_ATTRIBUTES = docs.standard_attributes(docs.content())
INFO = docs.signer_info(hierarchy().leaf, docs.content())
PLAIN = docs.envelope(docs.content(), SORTED_CERTIFICATES, [INFO])
ATTRIBUTED = docs.document(attributes=SORTED_ATTRIBUTES)


def exchanged(blob: bytes, old: bytes, new: bytes) -> bytes:
    assert len(old) == len(new)
    assert blob.count(old) == 1
    return blob.replace(old, new)


BROKEN = {
    "certificates out of order": exchanged(
        PLAIN, writer.set_of(*SORTED_CERTIFICATES, tag=0xA0), unsorted(0xA0, SORTED_CERTIFICATES)
    ),
    "attributes out of order": exchanged(
        ATTRIBUTED, writer.set_of(*SORTED_ATTRIBUTES, tag=0xA0), unsorted(0xA0, SORTED_ATTRIBUTES)
    ),
}


@pytest.mark.parametrize("blob", BROKEN.values(), ids=BROKEN)
def test_broken_form(blob: bytes) -> None:
    with pytest.raises(der.DerError):
        cms.parse_signed_data(blob)


@pytest.mark.parametrize("level", ["content info", "signed data", "signer", "content", "algorithm", "attribute"])
def test_nothing_may_follow_at_any_level(level: str) -> None:
    """A well-formed value too many, with all lengths right."""
    extra = {
        name: writer.null() if name == level else b""
        for name in ("content info", "signed data", "signer", "content", "algorithm", "attribute")
    }
    certificate = hierarchy().leaf.certificate
    algorithm = writer.sequence(writer.oid(docs.SHA256_WITH_RSA), writer.null(), extra["algorithm"])
    attribute = writer.sequence(writer.oid(docs.CONTENT_TYPE), writer.set_of(writer.oid(docs.DATA)), extra["attribute"])
    signer = writer.sequence(
        writer.integer(1),
        writer.sequence(certificate.issuer.public_bytes(), writer.integer(certificate.serial_number)),
        algorithm,
        writer.set_of(attribute, tag=0xA0),
        docs.algorithm(docs.RSA_ENCRYPTION),
        writer.octets(b"x"),
        extra["signer"],
    )
    content = writer.sequence(
        writer.oid(docs.DATA), writer.explicit(0, writer.octets(docs.content())), extra["content"]
    )
    signed_data = writer.sequence(
        writer.integer(1),
        writer.set_of(algorithm),
        content,
        writer.set_of(hierarchy().leaf.der, tag=0xA0),
        writer.set_of(signer),
        extra["signed data"],
    )
    blob = writer.sequence(writer.oid(docs.SIGNED_DATA), writer.explicit(0, signed_data), extra["content info"])
    with pytest.raises(der.DerError, match="unexpected part"):
        cms.parse_signed_data(blob)
