# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The project's verifier judges the emulator's documents. The two share no code: they meet on the wire."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

if sys.version_info < (3, 11):
    pytest.skip("the verifier runs on a controller: Python 3.11 or newer", allow_module_level=True)
pytest.importorskip("cryptography")
pytest.importorskip("requests")

from ansible_collections.imds.azure.plugins.plugin_utils._attestation.anchors import load_sources
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.policy import build_policy, draw_nonce
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.verify import Verdict, verify
from ansible_collections.imds.azure.tests.scenarios.running_emulator import NEWEST, Connection, Running, start
from azure_imds_emulator.attested_spec import SWITCHES
from azure_imds_emulator.vms import build

HONEST = {"name": "honest", "sources": ["127.0.0.11"]}
VM_ID = build({"name": "web1"}).compute["vmId"]


@pytest.fixture(name="shared", scope="module")
def _shared() -> Iterator[Running]:
    """One emulator for the whole file: the keys of its CA take a while."""
    with start() as started:
        yield started


@pytest.fixture(name="attesting")
def _attesting(shared: Running, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Running:
    """The shared emulator as the controller's proxy; its root lies in a file."""
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, shared.url)
    for name in ("no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("root", "intermediate"):
        with Connection(shared.control_address) as connection:
            connection.send(f"GET /ca/{name}.pem HTTP/1.1\r\n\r\n".encode())
            reply = connection.reply()
        assert reply is not None
        (tmp_path / f"{name}.pem").write_bytes(reply.body)
    shared.control("DELETE", "/requests")
    return shared


def judge(imds: Running, tmp_path: Path, source: str = "", closed: bool = False, **options: Any) -> Verdict:
    """Challenge the VM, judge its answer; ``closed``: a network in which no issuer can be fetched."""
    nonce = draw_nonce()
    reply = imds.get(f"/metadata/attested/document?api-version={NEWEST}&nonce={nonce}", source)
    sources = load_sources(
        anchors=str(tmp_path / "root.pem"),
        builtin_anchors=False,
        intermediates=str(tmp_path / "intermediate.pem") if closed else None,
        fetch_intermediates="never" if closed else "auto",
    )
    return verify(reply.json(), build_policy(stored=False, nonce=nonce, **options), sources)


def put(imds: Running, **vm: Any) -> None:
    status, answer = imds.control("PUT", "/vms", [{"name": "web1", **vm}, HONEST])
    assert status == 200, answer


EXPECTED: dict[str, list[tuple[Any, str]]] = {
    "cached_nonce": [(True, "nonce_mismatch")],
    "relayed_from": [("honest", "identity_mismatch")],
    "age": [(60, "ok"), (1200, "too_old"), (7 * 3600, "expired")],
    "altered": [(True, "bad_signature")],
    "wrong_signer": [(True, "bad_signature")],
    "genuine_first": [(True, "wrong_name")],
    "expired_leaf": [(True, "certificate_not_current")],
    "future_leaf": [(True, "certificate_not_current")],
    "wrong_name": [(True, "wrong_name")],
    "untrusted_root": [(True, "untrusted_root")],
    "missing_issuer": [(True, "missing_issuer")],
}


def test_every_switch_is_expected_to_do_something() -> None:
    assert set(EXPECTED) == set(SWITCHES)


def test_a_good_document(attesting: Any, tmp_path: Path) -> None:
    put(attesting)
    verdict = judge(attesting, tmp_path, expected_vm_id=VM_ID)
    assert verdict.verified, verdict.message
    assert (verdict.cloud, verdict.nonce_verified, verdict.identity_bound) == ("public", True, True)
    assert [certificate["subject"].partition(",")[0] for certificate in verdict.chain] == [
        "CN=metadata.azure.com",
        "CN=Azure IMDS Emulator RSA CA 02",
        "CN=Azure IMDS Emulator Root",
    ]
    fetched = [entry["path"] for entry in attesting.requests() if entry["path"].startswith("/pkiops/")]
    assert fetched == ["/pkiops/certs/Azure%20IMDS%20Emulator%20RSA%20CA%2002.crt"]


def test_a_closed_network(attesting: Any, tmp_path: Path) -> None:
    put(attesting)
    assert judge(attesting, tmp_path, closed=True).verified
    assert not any(entry["path"].startswith("/pkiops/") for entry in attesting.requests())


@pytest.mark.parametrize(
    ("switch", "setting", "reason"),
    [(switch, setting, reason) for switch, cases in EXPECTED.items() for setting, reason in cases],
)
def test_each_switch_is_noticed_by_the_verifier(
    attesting: Any, tmp_path: Path, switch: str, setting: Any, reason: str
) -> None:
    put(attesting, attested={switch: setting})
    assert judge(attesting, tmp_path, expected_vm_id=VM_ID).reason == reason
    assert judge(attesting, tmp_path, source="127.0.0.11").reason == "ok", "the other VM suffers, too"
    put(attesting)
    assert judge(attesting, tmp_path, expected_vm_id=VM_ID).reason == "ok", "it does not end"


def test_a_missing_issuer_was_asked_for(attesting: Any, tmp_path: Path) -> None:
    put(attesting, attested={"missing_issuer": True})
    judge(attesting, tmp_path)
    asked = [entry["status"] for entry in attesting.requests() if "Missing" in entry["path"]]
    assert asked == [404, 404]
    assert judge(attesting, tmp_path, closed=True).reason == "ok", "the file has it"


def test_asking_again_gets_past_a_cached_nonce(attesting: Any, tmp_path: Path) -> None:
    put(attesting, attested={"cached_nonce": 2})
    assert [judge(attesting, tmp_path).reason for _time in range(3)] == ["nonce_mismatch", "nonce_mismatch", "ok"]


@pytest.mark.parametrize(
    ("environment", "cloud"),
    [("AzureUSGovernmentCloud", "us_government"), ("AzureChinaCloud", "china"), ("AzureGermanCloud", "germany")],
)
def test_clouds(attesting: Any, tmp_path: Path, environment: str, cloud: str) -> None:
    put(attesting, overrides={"compute": {"azEnvironment": environment}})
    assert judge(attesting, tmp_path).reason == "wrong_cloud"
    assert judge(attesting, tmp_path, clouds=cloud).cloud == cloud


def test_a_classic_vm(attesting: Any, tmp_path: Path) -> None:
    put(attesting, classic=True)
    verdict = judge(attesting, tmp_path, expected_vm_id=VM_ID)
    assert verdict.verified, verdict.message
    assert verdict.document is not None
    assert verdict.document["subscription_id"] is None


@pytest.mark.parametrize("version", ["2018-10-01", "2019-04-30", "2019-11-01", "2020-09-01"])
def test_documents_of_every_version_are_verified(attesting: Any, tmp_path: Path, version: str) -> None:
    put(attesting)
    evidence = attesting.get(f"/metadata/attested/document?api-version={version}").json()
    sources = load_sources(anchors=str(tmp_path / "root.pem"), builtin_anchors=False)
    assert verify(evidence, build_policy(stored=True, expected_vm_id=VM_ID), sources).reason == "ok"
