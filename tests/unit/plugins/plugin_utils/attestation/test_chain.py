# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from datetime import datetime

from ansible_collections.imds.azure.plugins.plugin_utils._attestation.certificates import issuer_urls
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.chain import Fetched
from ansible_collections.imds.azure.tests.scenarios.attestation import documents as docs
from ansible_collections.imds.azure.tests.scenarios.attestation.authority import (
    CROSS_URL,
    DAY,
    ISSUING_URL,
    ISSUING_URL_2,
    NOW,
    Party,
    hierarchy,
    issue,
    make_key,
    make_leaf,
)
from ansible_collections.imds.azure.tests.scenarios.attestation.judge import SOON, judge
from cryptography import x509


class Library:
    """Stands for the network: gives the issuers it holds and remembers who was asked for."""

    def __init__(self, *issuers: Party) -> None:
        self.issuers = [party.certificate for party in issuers]
        self.asked: list[str] = []
        self.warnings: list[str] = []

    def __call__(self, certificate: x509.Certificate, at: datetime) -> Fetched:
        assert at == SOON
        self.asked.append(certificate.subject.rfc4514_string())
        found = [issuer for issuer in self.issuers if issuer.subject == certificate.issuer]
        return Fetched(found, [{"url": "u", "outcome": "fetched" if found else "no answer"}])


def test_missing_issuer_is_named_with_its_file() -> None:
    tree = hierarchy()
    verdict = judge(docs.document(), intermediates=[])
    assert verdict.reason == "missing_issuer"
    assert verdict.message == "the certificate of CN=Test Issuing CA 02 is missing"
    assert verdict.details["issuer"] == "CN=Test Issuing CA 02"
    assert verdict.details["urls"] == [ISSUING_URL, ISSUING_URL_2] == issuer_urls(tree.leaf.certificate)
    assert ISSUING_URL in verdict.remedy
    assert "intermediates" in verdict.remedy


def test_the_gap_is_named_not_what_lies_below() -> None:
    verdict = judge(docs.document(), intermediates=[hierarchy().issuing])
    assert verdict.details["issuer"] == "CN=Test New Root"
    assert verdict.details["urls"] == [CROSS_URL]


def test_missing_issuer_without_a_url() -> None:
    verdict = judge(docs.document(signer=make_leaf()), intermediates=[])
    assert verdict.details["urls"] == []
    assert "CN=Test Issuing CA 02" in verdict.remedy


def test_expired_issuer_is_said_to_be_there() -> None:
    stale = issue("Test Issuing CA 02", make_key("issuing"), hierarchy().new_root, ca=True, not_after=NOW - DAY)
    assert "not valid at this time" in judge(docs.document(), intermediates=[stale]).message


def test_untrusted_root_points_to_anchors() -> None:
    tree = hierarchy()
    verdict = judge(docs.document(), anchors=[tree.other_root], intermediates=[tree.issuing, tree.new_root])
    assert verdict.reason == "untrusted_root"
    assert "anchors" in verdict.remedy
    assert verdict.details["issuer"] == "CN=Test New Root"


def test_nothing_is_asked_for_a_chain_that_is_complete() -> None:
    library = Library()
    assert judge(docs.document(), fetch=library).verified
    assert library.asked == []


def test_missing_links_are_fetched_one_after_the_other() -> None:
    tree = hierarchy()
    library = Library(tree.issuing, tree.cross)
    assert judge(docs.document(), intermediates=[], fetch=library).verified
    assert library.asked == ["CN=metadata.azure.com", "CN=Test Issuing CA 02"]


def test_the_cross_sign_is_fetched_although_its_untrusted_twin_is_at_hand() -> None:
    tree = hierarchy()
    library = Library(tree.cross)
    assert judge(docs.document(), intermediates=[tree.issuing, tree.new_root], fetch=library).verified
    assert library.asked == ["CN=Test Issuing CA 02"]


def test_a_fetched_root_is_not_trusted() -> None:
    tree = hierarchy()
    library = Library(tree.new_root)
    verdict = judge(docs.document(), intermediates=[tree.issuing], fetch=library)
    assert (verdict.reason, verdict.details["issuer"]) == ("untrusted_root", "CN=Test New Root")
    assert library.asked == ["CN=Test Issuing CA 02"]


def test_a_miss_is_asked_for_once_and_told() -> None:
    library = Library()
    verdict = judge(docs.document(), intermediates=[], fetch=library)
    assert verdict.reason == "missing_issuer"
    assert library.asked == ["CN=metadata.azure.com"]
    assert verdict.details["attempts"] == [{"url": "u", "outcome": "no answer"}]


def test_nobody_is_asked_before_signature_and_name_are_right() -> None:
    library = Library()
    for document in (
        docs.document(signature=b"x" * 256),
        docs.document(signer=make_leaf(names=["example.com"])),
        docs.document(signer=make_leaf(not_after=NOW - DAY)),
    ):
        assert not judge(document, intermediates=[], fetch=library).verified
    assert library.asked == []


def ladder(rungs: int) -> list[Party]:
    """The old root, so many CAs below each other, and a leaf."""
    parties = [hierarchy().old_root]
    for rung in range(rungs):
        parties.append(issue(f"Rung {rung}", make_key(f"rung {rung}"), parties[-1], ca=True))
    return [*parties, make_leaf(issuer=parties[-1])]


def test_depth_has_an_end() -> None:
    _root, *middle, leaf = ladder(4)
    assert judge(docs.document(signer=leaf), intermediates=middle).verified
    _root, *middle, leaf = ladder(5)
    assert judge(docs.document(signer=leaf), intermediates=middle).reason == "chain_invalid"


def test_fetching_has_an_end() -> None:
    _root, *middle, leaf = ladder(9)
    library = Library(*middle)
    assert not judge(docs.document(signer=leaf), intermediates=[], fetch=library).verified
    assert len(library.asked) == 4
