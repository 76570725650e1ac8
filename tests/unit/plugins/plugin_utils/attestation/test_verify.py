# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way a verification can end, with its reason."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.document import parse_moment
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.reasons import REASONS
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.roots import ROOTS
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.verify import Verdict
from ansible_collections.imds.azure.tests.scenarios.attestation import der_writer as der
from ansible_collections.imds.azure.tests.scenarios.attestation import documents as docs
from ansible_collections.imds.azure.tests.scenarios.attestation.authority import (
    DAY,
    NAMES,
    NOW,
    Party,
    hierarchy,
    issue,
    make_key,
    make_leaf,
    of_impossible_version,
    under_name_of,
)
from ansible_collections.imds.azure.tests.scenarios.attestation.judge import judge
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def with_attributes(*attributes: bytes, body: bytes | None = None, **changes: Any) -> bytes:
    body = body or docs.content()
    return docs.document(body, attributes=[*attributes] or docs.standard_attributes(body), **changes)


def impostor() -> Party:
    """A leaf with the right names from a CA of its own."""
    return make_leaf(issuer=hierarchy().other_root, key=make_key("impostor", 2048))


def in_bag(*others: Party | bytes, signer: Party | None = None, **changes: Any) -> bytes:
    """A document that carries more certificates (or what stands for one, in DER) than the signer's."""
    signer = signer or hierarchy().leaf
    body = docs.content()
    info = docs.signer_info(signer, body, **changes)
    return docs.envelope(
        body, [signer.der, *(other if isinstance(other, bytes) else other.der for other in others)], [info]
    )


def bag_without_signer(*parties: Party) -> bytes:
    body = docs.content()
    return docs.envelope(body, [party.der for party in parties], [docs.signer_info(impostor(), body)])


def signed_by_leaf_acting_as_ca() -> tuple[bytes, Party]:
    tree = hierarchy()
    below = make_leaf(issuer=tree.leaf, key=make_key("below the leaf", 2048))
    return in_bag(tree.leaf, signer=below), below


def altered_leaf() -> Party:
    """The leaf with one bit of the CA's signature turned, which takes nothing from its own."""
    leaf = hierarchy().leaf
    encoded = leaf.der[:-1] + bytes([leaf.der[-1] ^ 1])
    return leaf._replace(certificate=x509.load_der_x509_certificate(encoded))


def with_unused_bits() -> bytes:
    """The leaf's signature said to end one bit earlier, which takes a 0 from a number."""
    leaf = make_leaf()
    while leaf.der[-1] & 1:
        leaf = make_leaf()
    length = len(leaf.certificate.signature)
    start = leaf.der.index(der.tlv(0x03, b"\0", leaf.certificate.signature)) + 2
    assert length < 0x7F
    encoded = leaf.der[:start] + b"\1" + leaf.der[start + 1 :]
    body = docs.content()
    return docs.envelope(body, [encoded], [docs.signer_info(leaf, body)])


def with_bits_after_the_end() -> str:
    """A text that decodes to the same bytes."""
    blobs = (docs.document(docs.content(more="x" * length)) for length in range(8))
    text = docs.text(next(blob for blob in blobs if len(blob) % 3 == 1))
    assert text.endswith("==")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return text[:-3] + alphabet[alphabet.index(text[-3]) + 1] + "=="


def below_builtin_root(*more: Party) -> bytes:
    """A document whose chain leads to a certificate with the name of a built-in root."""
    _namesake, issuing, leaf = under_name_of(ROOTS[0].subject)
    return in_bag(issuing, *more, signer=leaf)


ACCEPTED: dict[str, Callable[[], Verdict]] = {
    "Azure's form": lambda: judge(docs.document()),
    "three levels": lambda: judge(docs.document(), anchors=[hierarchy().new_root]),
    "plain digest": lambda: judge(docs.document(digest_oid=docs.DIGESTS["sha256"])),
    "SHA-384": lambda: judge(docs.document(digest="sha384", digest_oid=docs.DIGESTS["sha384"])),
    "SHA-384 under the signature's name": lambda: judge(
        docs.document(digest="sha384", digest_oid=docs.SHA384_WITH_RSA, signature_oid=docs.SHA384_WITH_RSA)
    ),
    "signed attributes": lambda: judge(with_attributes()),
    "signer by key identifier": lambda: judge(docs.document(by_key_identifier=True)),
    "intermediates from the document only": lambda: judge(
        in_bag(hierarchy().cross, hierarchy().issuing), intermediates=[]
    ),
    "root of the user beside others": lambda: judge(
        docs.document(), anchors=[hierarchy().other_root, hierarchy().old_root]
    ),
    "the self-signed twin of the cross-sign at hand, not trusted": lambda: judge(
        docs.document(), intermediates=[hierarchy().new_root, hierarchy().cross, hierarchy().issuing]
    ),
    "revocation lists are passed over": lambda: judge(
        docs.envelope(
            docs.content(),
            [hierarchy().leaf.der],
            [docs.signer_info(hierarchy().leaf, docs.content())],
            revocation_lists=der.set_of(der.sequence(der.null()), tag=0xA1),
        )
    ),
    "deep, but not too deep": lambda: judge(
        docs.document(docs.content()[:-1] + b',"x":' + b"[" * 63 + b"]" * 63 + b"}")
    ),
    "unreadable certificates beside the signer's": lambda: judge(
        in_bag(of_impossible_version(hierarchy().other_root.der))
    ),
    "JSON answer": lambda: judge(json.dumps({"encoding": "pkcs7", "signature": docs.text(docs.document())})),
    "decoded answer": lambda: judge({"encoding": "PKCS7", "signature": docs.text(docs.document())}),
    "base64 in lines": lambda: judge(base64.encodebytes(docs.document()).decode()),
    "unknown keys": lambda: judge(docs.document(docs.content(isVmInStandbyPool="false"))),
    "keys of 2018-10-01": lambda: judge(docs.document(docs.content(licenseType=None, sku=None, subscriptionId=None))),
    "deep subdomain": lambda: judge(docs.document(signer=make_leaf(names=["a.b.metadata.azure.com"]))),
    "name in upper case": lambda: judge(docs.document(signer=make_leaf(names=["EastUS.Metadata.Azure.COM"]))),
    "wrong name before the right one": lambda: judge(docs.document(signer=make_leaf(names=["example.com", *NAMES]))),
    "closed cloud, with a root of one's own": lambda: judge(
        docs.document(signer=make_leaf(names=["metadata.microsoftazure.de"])), clouds="germany"
    ),
    "sovereign cloud that is allowed": lambda: judge(
        docs.document(signer=make_leaf(names=["metadata.azure.cn"])), clouds=["public", "china"]
    ),
    "clock a little behind": lambda: judge(docs.document(), now=NOW - 2 * MINUTE),
    "just not too old": lambda: judge(docs.document(), now=NOW + 7 * MINUTE),
    "just not expired": lambda: judge(docs.document(), now=NOW + 6 * HOUR + 2 * MINUTE, max_age=6 * 3600),
    "older, without a challenge": lambda: judge(docs.document(), now=NOW + 5 * HOUR, nonce=None),
    "stored, at its own time": lambda: judge(
        docs.document(), stored=True, verify_at="2026-08-01T12:01:00Z", now=NOW + 900 * DAY
    ),
    "expected values": lambda: judge(
        docs.document(),
        expected_vm_id=docs.VM_ID.upper(),
        expected_subscription_id=["b0000000-0000-0000-0000-000000000000", docs.SUBSCRIPTION_ID],
        expected_sku=["2019-datacenter", "2022-datacenter"],
        expected_plan={"name": "p"},
    ),
    "GUIDs in upper case": lambda: judge(
        docs.document(docs.content(subscriptionId=docs.SUBSCRIPTION_ID.upper(), vmId=docs.VM_ID.upper())),
        expected_vm_id=docs.VM_ID,
        expected_subscription_id=docs.SUBSCRIPTION_ID,
    ),
    "one of several plans": lambda: judge(
        docs.document(), expected_plan=[{"name": "x"}, {"name": "p", "product": "q"}]
    ),
    "licence": lambda: judge(
        docs.document(docs.content(licenseType="Windows_Server")), expected_license_type="Windows_Server"
    ),
}


@pytest.mark.parametrize("verdict_of", ACCEPTED.values(), ids=ACCEPTED)
def test_accepted(verdict_of: Callable[[], Verdict]) -> None:
    verdict = verdict_of()
    assert (verdict.verified, verdict.reason, verdict.message) == (True, "ok", REASONS["ok"].meaning)
    assert verdict.document is not None
    assert verdict.document["vm_id"].lower() == docs.VM_ID
    assert verdict.unverified is None
    assert verdict.signature_verified
    assert verdict.chain_verified
    assert not verdict.revocation_checked


def flipped(blob: bytes, old: bytes, new: bytes) -> bytes:
    assert old in blob
    return blob.replace(old, new, 1)


def refused(make: Callable[[], bytes | str | dict[str, Any]], **options: Any) -> Callable[[], Verdict]:
    return lambda: judge(make(), **{key: value() if callable(value) else value for key, value in options.items()})


REFUSED: dict[str, tuple[str, Callable[[], Verdict]]] = {
    # envelope
    "1 MiB of zeros": ("too_large", refused(lambda: "0" * (1 << 20))),
    "1 MiB of zero bytes as base64": ("too_large", refused(lambda: bytes(1 << 20))),
    "just too large": ("too_large", refused(lambda: bytes(64 * 1024 + 3))),
    "empty": ("bad_envelope", refused(lambda: "")),
    "blank": ("bad_envelope", refused(lambda: " \n")),
    "broken JSON": ("bad_envelope", refused(lambda: '{"encoding": "pkcs7", "signature": ')),
    "JSON nested deeply": ("bad_envelope", refused(lambda: '{"a":' * 20000)),
    "a key twice": ("bad_envelope", refused(lambda: '{"encoding": "pkcs7", "encoding": "pkcs7", "signature": "MA=="}')),
    "no signature": ("bad_envelope", refused(lambda: {"encoding": "pkcs7"})),
    "signature is a list": ("bad_envelope", refused(lambda: {"encoding": "pkcs7", "signature": ["MA=="]})),
    "an error answer": ("wrong_encoding", refused(lambda: '{ "error": "Not found" }')),
    "encoding jws": ("wrong_encoding", refused(lambda: {"encoding": "jws", "signature": "MA=="})),
    "encoding null": ("wrong_encoding", refused(lambda: {"encoding": None, "signature": "MA=="})),
    "not base64": ("not_base64", refused(lambda: "what?")),
    "base64 of a URL": ("not_base64", refused(lambda: "MII_-w==")),
    "base64 beyond ASCII": ("not_base64", refused(lambda: "MIIé")),
    "base64 cut off": ("not_base64", refused(lambda: docs.text(docs.document())[:-1])),
    "PEM": (
        "pem_evidence",
        refused(lambda: f"-----BEGIN PKCS7-----\n{docs.text(docs.document())}\n-----END PKCS7-----\n"),
    ),
    "base64 of PEM": ("pem_evidence", refused(lambda: b"-----BEGIN PKCS7-----\nMA==\n-----END PKCS7-----\n")),
    # structure
    "not DER": ("not_der", refused(lambda: b"\x30\x80\x00\x00")),
    "zeros": ("not_der", refused(lambda: bytes(1024))),
    "trailing byte": ("not_der", refused(lambda: docs.document() + b"\x00")),
    "cut off": ("not_der", refused(lambda: docs.document()[:-1])),
    "another type": ("not_der", refused(lambda: der.sequence(der.integer(1)))),
    "enveloped data": (
        "bad_structure",
        refused(lambda: docs.envelope(b"", [], [], outer_type="1.2.840.113549.1.7.3")),
    ),
    "signed data of version 2": (
        "bad_structure",
        refused(
            lambda: docs.envelope(
                docs.content(), [hierarchy().leaf.der], [docs.signer_info(hierarchy().leaf, docs.content())], version=2
            )
        ),
    ),
    "content is not data": (
        "bad_structure",
        refused(
            lambda: docs.envelope(
                docs.content(),
                [hierarchy().leaf.der],
                [docs.signer_info(hierarchy().leaf, docs.content())],
                inner_type=docs.SIGNED_DATA,
            )
        ),
    ),
    "detached content": (
        "bad_structure",
        refused(
            lambda: docs.envelope(None, [hierarchy().leaf.der], [docs.signer_info(hierarchy().leaf, docs.content())])
        ),
    ),
    "no certificate": (
        "bad_structure",
        refused(lambda: docs.envelope(docs.content(), [], [docs.signer_info(hierarchy().leaf, docs.content())])),
    ),
    "nine certificates": (
        "bad_structure",
        refused(lambda: in_bag(*(make_leaf(key=make_key("impostor", 2048)) for _copy in range(8)))),
    ),
    "an attribute certificate": (
        "bad_structure",
        refused(
            lambda: docs.envelope(
                docs.content(),
                [hierarchy().leaf.der, der.explicit(2, der.null())],
                [docs.signer_info(hierarchy().leaf, docs.content())],
            )
        ),
    ),
    "no signer": ("bad_structure", refused(lambda: docs.envelope(docs.content(), [hierarchy().leaf.der], []))),
    "two signers": (
        "bad_structure",
        refused(
            lambda: docs.envelope(
                docs.content(),
                [hierarchy().leaf.der, impostor().der],
                [docs.signer_info(party, docs.content()) for party in (hierarchy().leaf, impostor())],
            )
        ),
    ),
    "another version than the signer's": (
        "bad_structure",
        refused(
            lambda: docs.envelope(
                docs.content(), [hierarchy().leaf.der], [docs.signer_info(hierarchy().leaf, docs.content())], version=3
            )
        ),
    ),
    "another digest than the signer's": (
        "bad_structure",
        refused(
            lambda: docs.envelope(
                docs.content(),
                [hierarchy().leaf.der],
                [docs.signer_info(hierarchy().leaf, docs.content())],
                digest_oid=docs.DIGESTS["sha256"],
            )
        ),
    ),
    "unused bits in the certificate's signature": ("not_der", refused(with_unused_bits)),
    "bits after the end of the base64 text": (
        "not_base64",
        refused(lambda: {"encoding": "pkcs7", "signature": with_bits_after_the_end()}),
    ),
    "signer of version 2": ("bad_structure", refused(lambda: docs.document(version=2))),
    "an attribute twice": (
        "bad_structure",
        refused(
            lambda: with_attributes(
                *docs.standard_attributes(docs.content()), docs.attribute(docs.CONTENT_TYPE, der.oid(docs.SIGNED_DATA))
            )
        ),
    ),
    # signer
    "genuine certificate, other signer": ("signer_not_found", refused(lambda: bag_without_signer(hierarchy().leaf))),
    "same issuer and serial twice": (
        "signer_ambiguous",
        refused(
            lambda: in_bag(
                make_leaf(
                    serial=hierarchy().leaf.certificate.serial_number, key=make_key("impostor", 2048), names=["a.b"]
                )
            )
        ),
    ),
    "same key identifier twice": (
        "signer_ambiguous",
        refused(lambda: in_bag(make_leaf(names=["other.example"]), by_key_identifier=True)),
    ),
    "unreadable certificate": (
        "bad_certificate",
        refused(lambda: flipped(docs.document(), b"\x18metadata.azure.com"[1:], b"\xff" * 18)),
    ),
    "certificate of an impossible version": (
        "bad_certificate",
        refused(lambda: of_impossible_version(docs.document())),
    ),
    # algorithms
    "MD5": ("unsupported_algorithm", refused(lambda: docs.document(digest_oid=docs.DIGESTS["md5"]))),
    "SHA-1": ("unsupported_algorithm", refused(lambda: docs.document(digest_oid=docs.DIGESTS["sha1"]))),
    "RSA-PSS": ("unsupported_algorithm", refused(lambda: docs.document(signature_oid=docs.RSA_PSS))),
    "two digests": ("unsupported_algorithm", refused(lambda: docs.document(signature_oid=docs.SHA384_WITH_RSA))),
    "ECDSA with an RSA key": ("unsupported_algorithm", refused(lambda: docs.document(signature_oid=docs.ECDSA_SHA256))),
    "RSA-1024": ("weak_key", refused(lambda: docs.document(signer=make_leaf(key=make_key("short", 1024))))),
    # signature
    "flipped vmId": ("bad_signature", refused(lambda: flipped(docs.document(), docs.VM_ID[:8].encode(), b"12aab8a4"))),
    "signature of another document": (
        "bad_signature",
        refused(
            lambda: docs.document(
                docs.content(nonce="other"), signature=docs.sign(hierarchy().leaf, docs.content(), "sha256")
            )
        ),
    ),
    "empty signature": ("bad_signature", refused(lambda: docs.document(signature=b""))),
    "signed with another key": (
        "bad_signature",
        refused(lambda: docs.document(signature=docs.sign(impostor(), docs.content(), "sha256"))),
    ),
    "attributes of another content": (
        "bad_signature",
        refused(lambda: with_attributes(*docs.standard_attributes(b"{}"))),
    ),
    "attributes without a digest": (
        "bad_signature",
        refused(lambda: with_attributes(docs.attribute(docs.CONTENT_TYPE, der.oid(docs.DATA)))),
    ),
    "attributes with two digests": (
        "bad_signature",
        refused(
            lambda: with_attributes(
                docs.attribute(docs.CONTENT_TYPE, der.oid(docs.DATA)),
                docs.attribute(
                    docs.MESSAGE_DIGEST,
                    der.octets(hashlib.sha256(docs.content()).digest()),
                    der.octets(bytes(48)),
                ),
            )
        ),
    ),
    "attributes of another type": (
        "bad_signature",
        refused(
            lambda: with_attributes(
                docs.attribute(docs.CONTENT_TYPE, der.oid(docs.SIGNED_DATA)),
                docs.standard_attributes(docs.content())[1],
            )
        ),
    ),
    "attributes hidden from the signature": (
        "bad_signature",
        refused(lambda: with_attributes(signature=docs.sign(hierarchy().leaf, docs.content(), "sha256"))),
    ),
    # name
    "trusted CA, another name": (
        "wrong_name",
        refused(
            lambda: in_bag(hierarchy().leaf, signer=make_leaf(key=make_key("impostor", 2048), names=["example.com"]))
        ),
    ),
    "right common name, no DNS name": ("wrong_name", refused(lambda: docs.document(signer=make_leaf(names=())))),
    "suffix of another domain": (
        "wrong_name",
        refused(lambda: docs.document(signer=make_leaf(names=["metadata.azure.com.evil.example"]))),
    ),
    "prefix without a dot": (
        "wrong_name",
        refused(lambda: docs.document(signer=make_leaf(names=["evilmetadata.azure.com"]))),
    ),
    "wildcard only": ("wrong_name", refused(lambda: docs.document(signer=make_leaf(names=["*.metadata.azure.com"])))),
    "empty label": ("wrong_name", refused(lambda: docs.document(signer=make_leaf(names=["..metadata.azure.com"])))),
    "another cloud": ("wrong_cloud", refused(lambda: docs.document(signer=make_leaf(names=["metadata.azure.us"])))),
    "public where only another is allowed": ("wrong_cloud", refused(docs.document, clouds="china")),
    # chain
    "expired leaf": (
        "certificate_not_current",
        refused(lambda: docs.document(signer=make_leaf(not_after=NOW - MINUTE))),
    ),
    "leaf of tomorrow": (
        "certificate_not_current",
        refused(lambda: docs.document(signer=make_leaf(not_before=NOW + DAY))),
    ),
    "backdated with an old leaf": (
        "certificate_not_current",
        refused(
            lambda: docs.document(docs.content(NOW - 9 * DAY), signer=make_leaf(not_after=NOW - 8 * DAY)),
        ),
    ),
    "self-signed": ("untrusted_root", refused(lambda: docs.document(signer=make_leaf(issuer=None)))),
    "root supplied only in the document": (
        "untrusted_root",
        refused(lambda: in_bag(hierarchy().other_root, signer=impostor())),
    ),
    "anchors without the root and its cross-sign": (
        "missing_issuer",
        refused(docs.document, intermediates=lambda: [hierarchy().issuing]),
    ),
    "no intermediate at all": ("missing_issuer", refused(docs.document, intermediates=())),
    "unknown CA": ("missing_issuer", refused(lambda: docs.document(signer=impostor()))),
    "a namesake of a built-in root": (
        "untrusted_root",
        refused(lambda: below_builtin_root(under_name_of(ROOTS[0].subject)[0]), builtin=True),
    ),
    "altered after it was issued": ("chain_invalid", refused(lambda: docs.document(signer=altered_leaf()))),
    "the issuer's name with another key": (
        "chain_invalid",
        refused(
            docs.document,
            intermediates=lambda: [
                issue("Test Issuing CA 02", make_key("other issuing"), hierarchy().new_root, ca=True),
                hierarchy().cross,
            ],
        ),
    ),
    "expired root": (
        "certificate_not_current",
        refused(
            docs.document,
            anchors=lambda: [
                issue(
                    "Test Old Root",
                    make_key("old root"),
                    ca=True,
                    not_before=NOW - 4000 * DAY,
                    not_after=NOW - DAY,
                )
            ],
        ),
    ),
    "a built-in root that is nowhere": ("missing_root", refused(below_builtin_root, builtin=True)),
    "a built-in root that is not to be trusted": ("untrusted_root", refused(below_builtin_root)),
    "expired intermediate": (
        "missing_issuer",
        refused(
            docs.document,
            intermediates=lambda: [
                issue("Test Issuing CA 02", make_key("issuing"), hierarchy().new_root, ca=True, not_after=NOW - DAY),
                hierarchy().cross,
            ],
        ),
    ),
    "client authentication only": (
        "chain_invalid",
        refused(lambda: docs.document(signer=make_leaf(usages=[ExtendedKeyUsageOID.CLIENT_AUTH]))),
    ),
    "leaf acting as CA": ("chain_invalid", refused(lambda: signed_by_leaf_acting_as_ca()[0])),
    "the signer is a CA itself": (
        "chain_invalid",
        refused(
            lambda: docs.document(
                signer=issue("ca", make_key("leaf", 2048), hierarchy().issuing, ca=True, names=NAMES),
            )
        ),
    ),
    # content
    "not JSON": ("bad_content", refused(lambda: docs.document(b"vmId=" + docs.VM_ID.encode()))),
    "nested deeply": (
        "bad_content",
        refused(lambda: docs.document(docs.content()[:-1] + b',"x":' + b"[" * 64 + b"]" * 64 + b"}")),
    ),
    "nested very deeply": (
        "bad_content",
        refused(lambda: docs.document(docs.content()[:-1] + b',"x":' + b'{"a":' * 8000 + b"1" + b"}" * 8001)),
    ),
    "a number that is none in JSON": (
        "bad_content",
        refused(lambda: docs.document(docs.content()[:-1] + b',"x":1e999}')),
    ),
    "not an object": ("bad_content", refused(lambda: docs.document(b"[]"))),
    "not UTF-8": (
        "bad_content",
        refused(lambda: docs.document(docs.content().replace(b"datacenter", b"data\xffenter"))),
    ),
    "half a surrogate pair": ("bad_content", refused(lambda: docs.document(docs.content(sku="\ud800")))),
    "duplicate key": ("bad_content", refused(lambda: docs.document(docs.content()[:-1] + b',"vmId":"x"}'))),
    "no vmId": ("bad_content", refused(lambda: docs.document(docs.content(vmId=None)))),
    "empty vmId": ("bad_content", refused(lambda: docs.document(docs.content(vmId="")))),
    "vmId is a number": ("bad_content", refused(lambda: docs.document(docs.content(vmId=1)))),
    "no times": ("bad_content", refused(lambda: docs.document(docs.content(timeStamp=None)))),
    "thirteenth month": (
        "bad_content",
        refused(
            lambda: docs.document(
                docs.content(timeStamp={"createdOn": "13/01/26 00:00:00 -0000", "expiresOn": "13/01/26 06:00:00 -0000"})
            )
        ),
    ),
    # time
    "expires before it is created": (
        "bad_lifetime",
        refused(lambda: docs.document(docs.content(lifetime=timedelta(seconds=-1)))),
    ),
    "lives for days": ("bad_lifetime", refused(lambda: docs.document(docs.content(lifetime=25 * HOUR)))),
    "from the future": ("from_future", refused(docs.document, now=NOW - 3 * MINUTE)),
    "expired": ("expired", refused(docs.document, now=NOW + 7 * HOUR)),
    "too old": ("too_old", refused(docs.document, now=NOW + 8 * MINUTE)),
    "too old by the option": ("too_old", refused(docs.document, now=NOW + 20 * MINUTE, max_age=600, nonce=None)),
    "no skew allowed": ("from_future", refused(docs.document, now=NOW - timedelta(seconds=1), clock_skew=0)),
    # nonce
    "another nonce": ("nonce_mismatch", refused(lambda: docs.document(docs.content(nonce="1234567890")))),
    "nonce in another case": ("nonce_mismatch", refused(lambda: docs.document(docs.content(nonce=docs.NONCE.lower())))),
    "no nonce": ("nonce_mismatch", refused(lambda: docs.document(docs.content(nonce=None)))),
    "automatic nonce": ("nonce_mismatch", refused(lambda: docs.document(docs.content(nonce="20260801-180000")))),
    # identity
    "another VM": (
        "identity_mismatch",
        refused(docs.document, expected_vm_id=["00000000-0000-0000-0000-000000000001"] * 7),
    ),
    "another subscription": (
        "identity_mismatch",
        refused(docs.document, expected_subscription_id="00000000-0000-0000-0000-000000000001"),
    ),
    "right VM, another subscription": (
        "identity_mismatch",
        refused(
            docs.document,
            expected_vm_id=docs.VM_ID,
            expected_subscription_id="00000000-0000-0000-0000-000000000001",
        ),
    ),
    "no subscription in the document": (
        "identity_mismatch",
        refused(lambda: docs.document(docs.content(subscriptionId="")), expected_subscription_id=docs.SUBSCRIPTION_ID),
    ),
    "another SKU": ("identity_mismatch", refused(docs.document, expected_sku=["", "2019-datacenter"])),
    "another licence": ("identity_mismatch", refused(docs.document, expected_license_type="Windows_Server")),
    "another plan": ("identity_mismatch", refused(docs.document, expected_plan={"name": "p", "product": "x"})),
}


@pytest.mark.parametrize(("reason", "verdict_of"), REFUSED.values(), ids=REFUSED)
def test_refused(reason: str, verdict_of: Callable[[], Verdict]) -> None:
    verdict = verdict_of()
    assert (verdict.verified, verdict.reason) == (False, reason), verdict.message
    assert verdict.step == REASONS[reason].step
    assert verdict.message
    assert verdict.remedy
    assert (verdict.document, verdict.cloud, verdict.signer, verdict.chain) == (None, None, None, [])
    assert not verdict.identity_bound


def test_every_reason_is_reached() -> None:
    assert {reason for reason, _case in REFUSED.values()} == REASONS.keys() - {"ok"}


def test_flags_follow_the_steps() -> None:
    """A flag is set exactly if its step was passed, whatever failed afterwards."""
    order = list(dict.fromkeys(reason.step for reason in REASONS.values()))
    for _reason, verdict_of in REFUSED.values():
        verdict = verdict_of()
        step = order.index(verdict.step)
        assert verdict.signature_verified == (step > order.index("signature"))
        assert verdict.chain_verified == (step > order.index("chain"))
        assert verdict.nonce_verified == (step > order.index("nonce"))


def test_result_of_a_genuine_document() -> None:
    verdict = judge(docs.document(docs.content(isVmInStandbyPool="false")), expected_vm_id=docs.VM_ID)
    assert verdict.document == {
        "vm_id": docs.VM_ID,
        "subscription_id": docs.SUBSCRIPTION_ID,
        "sku": "2022-datacenter",
        "license_type": None,
        "plan": {"name": "p", "product": "q", "publisher": None},
        "nonce": docs.NONCE,
        "created_on": "2026-08-01T12:00:00Z",
        "expires_on": "2026-08-01T18:00:00Z",
        "other": {"isVmInStandbyPool": "false"},
    }
    assert verdict.cloud == "public"
    assert verdict.verified_at == "2026-08-01T12:01:00Z"
    assert verdict.signer is not None
    assert verdict.signer["san"] == NAMES[0]
    assert verdict.signer["subject"] == "CN=metadata.azure.com"
    assert [link["subject"] for link in verdict.chain] == [
        "CN=metadata.azure.com",
        "CN=Test Issuing CA 02",
        "CN=Test New Root",
        "CN=Test Old Root",
    ]
    assert (verdict.nonce_verified, verdict.identity_bound, verdict.warnings) == (True, True, [])
    assert json.loads(json.dumps(dataclasses.asdict(verdict)))["verified"] is True


def test_unbound_and_unchallenged_is_said() -> None:
    verdict = judge(docs.document(), nonce=None)
    assert (verdict.verified, verdict.identity_bound, verdict.nonce_verified) == (True, False, False)
    assert len(verdict.warnings) == 2
    assert "expected_vm_id" in verdict.warnings[0]
    assert "nonce" in verdict.warnings[1]


def test_what_is_not_verified_is_apart() -> None:
    verdict = judge(flipped(docs.document(), docs.VM_ID[:8].encode(), b"12aab8a4"))
    assert verdict.unverified is not None
    assert verdict.unverified["document"]["vm_id"].startswith("12aab8a4")
    assert verdict.unverified["signer"]["san"] is None


def test_stored_evidence_names_its_option() -> None:
    assert "option document" in judge("what?", stored=True).message
    assert "option document" not in judge("what?").message


def test_mismatch_names_field_and_values() -> None:
    verdict = judge(docs.document(), expected_subscription_id="00000000-0000-0000-0000-000000000001")
    assert verdict.details == {
        "field": "subscription_id",
        "expected": ["00000000-0000-0000-0000-000000000001"],
        "found": docs.SUBSCRIPTION_ID,
    }


def test_the_controllers_clock_is_the_default() -> None:
    created = datetime.now(timezone.utc).replace(microsecond=0)
    leaf = make_leaf(not_before=created - DAY, not_after=created + DAY)
    verdict = judge(docs.document(docs.content(created), signer=leaf), now=None)  # type: ignore[arg-type]
    assert abs(parse_moment(verdict.verified_at) - created) < MINUTE
