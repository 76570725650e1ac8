# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a chain that breaks off is called, and what is recommended: it depends on what was tried."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.addresses import NO_REQUESTS
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.certificates import issuer_urls
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.chain import Fetched
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.roots import BY_FINGERPRINT, BY_SUBJECT, ROOTS
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.verify import Verdict
from ansible_collections.imds.azure.tests.scenarios.attestation import documents as docs
from ansible_collections.imds.azure.tests.scenarios.attestation.authority import (
    DAY,
    ISSUING_URL,
    ISSUING_URL_2,
    NOW,
    Party,
    hierarchy,
    issue,
    make_key,
    make_leaf,
    under_name_of,
)
from ansible_collections.imds.azure.tests.scenarios.attestation.judge import judge
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import load_der_x509_certificate

ELSEWHERE = "http://ca.example/issuing.crt"


class Network:
    """A fetcher whose every URL ends in the same way."""

    def __init__(self, outcome: str, *found: Party) -> None:
        self.outcome = outcome
        self.found = [party.certificate for party in found]
        self.warnings: list[str] = []
        self.asked: list[str] = []

    def __call__(self, certificate: Any, _at: Any) -> Any:
        self.asked.append(certificate.subject.rfc4514_string())
        urls = issuer_urls(certificate)
        return Fetched(self.found, [{"url": url, "outcome": self.outcome} for url in urls])


def altered(party: Party, position: int) -> Party:
    encoded = bytearray(party.der)
    encoded[position] ^= 1
    return party._replace(certificate=load_der_x509_certificate(bytes(encoded)))


def missing(fetch: Any = None, signer: Party | None = None, **options: Any) -> Verdict:
    verdict = judge(docs.document(signer=signer), intermediates=[], fetch=fetch, **options)
    assert verdict.reason == "missing_issuer"
    return verdict


def test_a_missing_intermediate_and_nothing_may_be_fetched() -> None:
    remedy = missing().remedy
    assert remedy == (
        f"Download {ISSUING_URL} to a file on the controller and name it in intermediates, "
        "or let the controller fetch it (fetch_intermediates: auto)."
    )


def test_what_was_tried_is_listed_and_not_recommended_again() -> None:
    network = Network("no answer")
    verdict = missing(network)
    assert f"{ISSUING_URL} (no answer); {ISSUING_URL_2} (no answer)" in verdict.remedy
    assert "auto" not in verdict.remedy
    assert "proxy" in verdict.remedy
    assert network.asked == ["CN=metadata.azure.com"]


def test_a_missing_library_comes_first() -> None:
    remedy = missing(Network(NO_REQUESTS)).remedy
    assert remedy.startswith("Install the Python library requests")
    assert "auto" not in remedy
    assert ISSUING_URL in remedy


@pytest.mark.parametrize("fetch", [None, Network("not on the list of allowed addresses")])
def test_nobody_is_sent_to_an_address_that_is_none_of_azures(fetch: Any) -> None:
    remedy = missing(fetch, make_leaf(urls=[ELSEWHERE])).remedy
    assert f"names {ELSEWHERE}, which is none of the addresses of Azure's CAs" in remedy
    assert "ownload" not in remedy
    assert "auto" not in remedy


def test_an_allowed_address_beside_another_is_recommended() -> None:
    remedy = missing(None, make_leaf(urls=[ELSEWHERE, ISSUING_URL])).remedy
    assert remedy.startswith(f"Download {ISSUING_URL} ")


def test_without_an_address_the_file_is_named() -> None:
    assert (
        missing(None, make_leaf()).remedy
        == "Name a file with the certificate of CN=Test Issuing CA 02 in intermediates."
    )


def test_above_a_ca_it_may_be_a_root_that_is_missing() -> None:
    """Whose certificate in intermediates would cure nothing."""
    root = hierarchy().other_root
    issuing = issue("Test Issuing CA 07", make_key("issuing 07"), root, ca=True)
    verdict = judge(docs.document(signer=make_leaf(issuer=issuing)), intermediates=[issuing])
    assert verdict.reason == "missing_issuer"
    assert "If it is a root that you trust, name it in anchors instead" in verdict.remedy
    assert "anchors" not in missing().remedy


@pytest.mark.parametrize("position", [-1, -40], ids=["signature", "another byte of it"])
@pytest.mark.parametrize("fetch", [None, Network("no answer")])
def test_an_issuer_that_is_at_hand_and_did_not_sign(fetch: Network | None, position: int) -> None:
    verdict = judge(docs.document(signer=altered(hierarchy().leaf, position)), fetch=fetch)
    assert verdict.reason == "chain_invalid"
    assert "at hand, but it did not sign that of CN=metadata.azure.com: altered or forged" in verdict.message
    assert "hostile" in verdict.remedy
    assert fetch is None or fetch.asked == []


def test_an_issuer_that_was_fetched_and_did_not_sign() -> None:
    verdict = judge(
        docs.document(signer=altered(hierarchy().leaf, -1)),
        intermediates=[],
        fetch=Network("a certificate of the issuer's name that did not sign this one", hierarchy().issuing),
    )
    assert verdict.reason == "chain_invalid"


def test_a_forged_intermediate_is_no_gap_either() -> None:
    forged = altered(hierarchy().issuing, -1)
    verdict = judge(docs.document(), intermediates=[forged, hierarchy().cross])
    assert verdict.reason == "chain_invalid"
    assert "did not sign that of CN=Test Issuing CA 02" in verdict.message


def test_a_new_key_of_the_issuer_is_looked_for_before_anyone_is_called_hostile() -> None:
    """A CA may go on under the same name: what is at hand then has another key identifier than the leaf names."""
    stale = issue("Test Issuing CA 02", make_key("other issuing"), hierarchy().new_root, ca=True)
    network = Network("fetched", hierarchy().issuing)
    assert judge(docs.document(), intermediates=[stale, hierarchy().cross], fetch=network).verified
    verdict = judge(docs.document(), intermediates=[stale, hierarchy().cross])
    assert verdict.reason == "chain_invalid"
    assert "which names another key" in verdict.message
    assert ISSUING_URL in verdict.remedy


def test_an_expired_anchor_makes_nobody_hostile() -> None:
    times: Any = {"not_before": NOW - 4000 * DAY, "not_after": NOW - DAY}
    stale = issue("Test Old Root", make_key("old root"), ca=True, **times)
    verdict = judge(docs.document(), anchors=[stale], fetch=Network("no answer"))
    assert verdict.reason == "certificate_not_current"
    assert "CN=Test Old Root is valid from" in verdict.message
    assert "anchors" in verdict.remedy
    assert "hostile" not in verdict.remedy
    assert judge(docs.document(), anchors=[stale, hierarchy().old_root]).verified


def chain_under(name: str, *more: Party, **options: Any) -> Verdict:
    _root, issuing, leaf = under_name_of(name)
    return judge(docs.document(signer=leaf), intermediates=[issuing, *more], **options)


@pytest.mark.parametrize("root", ROOTS, ids=lambda root: root.name)
def test_a_missing_root_is_never_cured_by_intermediates(root: Any) -> None:
    verdict = chain_under(root.subject, builtin=True)
    assert verdict.reason == "missing_root"
    assert root.sha256 in verdict.message
    assert "in none of the controller's CA bundles" in verdict.message
    assert f"download {root.url}".lower() in verdict.remedy.lower()
    assert "anchors" in verdict.remedy
    assert "intermediates," not in verdict.remedy
    assert verdict.details["root"] == root.name


def test_the_bundles_that_lack_a_root_are_named() -> None:
    verdict = chain_under(ROOTS[0].subject, builtin=True, bundles=("/etc/a.pem", "/etc/b.pem"))
    assert "(/etc/a.pem, /etc/b.pem)" in verdict.message
    assert verdict.details["bundles"] == ["/etc/a.pem", "/etc/b.pem"]


def test_a_missing_root_that_may_not_be_trusted() -> None:
    verdict = chain_under(ROOTS[0].subject)
    assert verdict.reason == "untrusted_root"
    assert "builtin_anchors is false" in verdict.message


def test_a_namesake_of_a_builtin_root_is_hostile() -> None:
    namesake = under_name_of(ROOTS[0].subject)[0]
    verdict = chain_under(ROOTS[0].subject, namesake, builtin=True)
    assert verdict.reason == "untrusted_root"
    assert "but is not that root" in verdict.message
    assert "hostile" in verdict.remedy


def test_a_builtin_root_is_known_by_its_fingerprint_wherever_it_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the document, among the user's files, from the network: the fingerprint decides."""
    root, issuing, leaf = under_name_of(ROOTS[0].subject)
    mine = ROOTS[0]._replace(sha256=root.certificate.fingerprint(hashes.SHA256()).hex())
    monkeypatch.setattr(
        "ansible_collections.imds.azure.plugins.plugin_utils._attestation.chain.BY_FINGERPRINT", {mine.sha256: mine}
    )
    body = docs.content()
    bag = docs.envelope(body, [leaf.der, issuing.der, root.der], [docs.signer_info(leaf, body)])
    assert judge(bag, builtin=True).verified
    assert judge(docs.document(signer=leaf), builtin=True, intermediates=[issuing, root]).verified
    network = Network("fetched", root)
    assert judge(docs.document(signer=leaf), builtin=True, intermediates=[issuing], fetch=network).verified
    assert judge(docs.document(signer=leaf), builtin=True, anchors=[], intermediates=[issuing, root]).verified
    monkeypatch.setattr(
        "ansible_collections.imds.azure.plugins.plugin_utils._attestation.gaps.BY_SUBJECT", {mine.subject: mine}
    )
    assert judge(bag).reason == "untrusted_root"
    assert "builtin_anchors is false" in judge(bag).message


def test_names_in_messages_are_harmless() -> None:
    leaf = make_leaf(issuer=issue("Issuer \x1b[31m\u202e", make_key("odd"), hierarchy().old_root, ca=True))
    verdict = judge(docs.document(signer=leaf), intermediates=[])
    assert "\\x1b[31m\\u202e" in verdict.message
    assert verdict.message.isprintable()
    assert verdict.remedy.isprintable()


def test_the_table_by_subject_and_by_fingerprint() -> None:
    assert len(BY_FINGERPRINT) == len(BY_SUBJECT) == len(ROOTS)
