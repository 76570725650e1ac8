# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller's part, with a host that is played by the test."""

from __future__ import annotations

import base64
import copy
import functools
import json
import os
import platform
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.parsing.dataloader import DataLoader
from ansible_collections.imds.azure.plugins.action import azure_imds_attest as action
from ansible_collections.imds.azure.plugins.module_utils import _attest, _module
from ansible_collections.imds.azure.plugins.module_utils._imds.reasons import REASONS as IMDS_REASONS
from ansible_collections.imds.azure.plugins.modules import azure_imds_attest
from ansible_collections.imds.azure.plugins.plugin_utils._attestation import anchors, policy
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.dependencies import DependencyError
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.verify import verify
from ansible_collections.imds.azure.tests.scenarios.attestation.authority import NOW, hierarchy
from ansible_collections.imds.azure.tests.scenarios.attestation.documents import (
    SUBSCRIPTION_ID,
    VM_ID,
    content,
    document,
    text,
)
from ansible_collections.imds.azure.tests.scenarios.module_runner import assert_documented

SOON = NOW + timedelta(seconds=60)
OTHER_ID = "11111111-2222-3333-4444-555555555555"
NESTED = {"document.other", "unverified.document", "unverified.signer"}
FLAGS = ("signature_verified", "chain_verified", "nonce_verified", "identity_bound", "revocation_checked")

Host = Callable[[dict[str, Any]], dict[str, Any]]


def answer(evidence: Any, **more: Any) -> dict[str, Any]:
    """What the module returns."""
    return {"changed": False, "evidence": evidence, "api_version": "2025-04-07", "attempts": [{}], **more}


def attested(nonce: str, **changes: Any) -> dict[str, str]:
    """IMDS' answer to a nonce."""
    return {"encoding": "pkcs7", "signature": text(document(content(nonce=nonce, **changes)))}


def genuine(arguments: dict[str, Any]) -> dict[str, Any]:
    """A host that is what it should be."""
    return answer(attested(arguments["nonce"]))


def nobody(_arguments: dict[str, Any]) -> dict[str, Any]:
    pytest.fail("the host is contacted")


class Controller:
    """Runs the action plugin. calls: the arguments of each module run."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.calls: list[dict[str, Any]] = []
        tree = hierarchy()
        (directory / "root.pem").write_bytes(tree.old_root.pem)
        (directory / "between.pem").write_bytes(tree.cross.pem + tree.issuing.pem)
        self.trust: dict[str, Any] = {
            "anchors": "root.pem",
            "builtin_anchors": False,
            "intermediates": ["between.pem"],
            "fetch_intermediates": "never",
        }

    def run(
        self,
        host: Host = genuine,
        *,
        called: str = action.MODULE,
        check_mode: bool = False,
        async_val: int = 0,
        **args: Any,
    ) -> dict[str, Any]:
        task = SimpleNamespace(
            args={**self.trust, **args},
            action=called,
            async_val=async_val,
            check_mode=check_mode,
            get_search_path=lambda: [str(self.directory)],
        )
        loader = DataLoader()
        loader.set_basedir(str(self.directory))
        connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir="there"))
        plugin = action.ActionModule(task, connection, SimpleNamespace(), loader, None, None)

        def execute_module(module_name: str, module_args: dict[str, Any], **_more: Any) -> dict[str, Any]:
            assert module_name == called
            self.calls.append(module_args)
            return host(module_args)

        plugin._execute_module = execute_module
        result: dict[str, Any] = plugin.run(task_vars={})
        json.dumps(result)
        return result


@pytest.fixture
def controller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Controller:
    """A controller at the time at which the test's documents are fresh."""
    at_soon: Any = lambda evidence, asked, sources: verify(evidence, asked, sources, now=SOON)  # noqa: E731
    monkeypatch.setattr(action, "verify", at_soon)
    return Controller(tmp_path)


# --- accepted -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_genuine_document(controller: Controller, check_mode: bool) -> None:
    result = controller.run(check_mode=check_mode, expected_vm_id=VM_ID.upper())
    assert not result.get("failed")
    assert (result["changed"], result["verified"], result["reason"], result["step"]) == (False, True, "ok", "done")
    assert {flag: result[flag] for flag in FLAGS} == {**dict.fromkeys(FLAGS, True), "revocation_checked": False}
    assert result["document"]["vm_id"] == VM_ID
    assert result["document"]["created_on"] == "2026-08-01T12:00:00Z"
    assert (result["cloud"], result["signer"]["san"]) == ("public", "eastus.metadata.azure.com")
    assert [link["subject"] for link in result["chain"]][-1] == "CN=Test Old Root"
    assert (result["verified_on"], result["verified_at"]) == (platform.node(), "2026-08-01T12:01:00Z")
    assert (result["warnings"], result["unverified"]) == ([], None)
    assert (result["api_version"], result["attempts"]) == ("2025-04-07", [{}])


def test_the_twin_called_by_its_own_name(controller: Controller) -> None:
    assert controller.run(called=f"{action.MODULE}_windows")["verified"]


def test_the_host_gets_a_fresh_nonce_and_what_concerns_it(controller: Controller) -> None:
    for _run in range(2):
        controller.run(expected_vm_id=VM_ID, timeout=5)
    first, second = (call.pop("nonce") for call in controller.calls)
    assert re.fullmatch("[0-9a-f]{32}", first)
    assert first != second
    for call in controller.calls:
        assert call.keys() <= _module.argument_spec().keys()
        assert call["timeout"] == 5


def test_without_expected_identity_there_is_a_warning(controller: Controller) -> None:
    result = controller.run()
    assert result["verified"]
    assert not result["identity_bound"]
    assert "expected_vm_id" in result["warnings"][0]
    assert controller.run(expected_sku="2022-datacenter")["warnings"] == result["warnings"]


@pytest.mark.parametrize(
    "expected",
    [
        {"expected_vm_id": [OTHER_ID, VM_ID]},
        {"expected_vm_id": f"{OTHER_ID},{VM_ID}"},
        {"expected_subscription_id": SUBSCRIPTION_ID},
        {"expected_vm_id": VM_ID, "expected_plan": {"name": "p"}},
        {"expected_vm_id": VM_ID, "expected_plan": [{"name": "x"}, {"name": "p", "product": "q"}]},
        {"expected_vm_id": VM_ID, "expected_sku": ["x", "2022-datacenter"]},
    ],
    ids=str,
)
def test_lists_and_single_values(controller: Controller, expected: dict[str, Any]) -> None:
    result = controller.run(**expected)
    assert result["verified"], result["msg"]
    assert result["identity_bound"]


# --- the nonce ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stale", range(policy.NONCE_RETRIES + 2))
def test_a_cached_nonce_is_asked_again(controller: Controller, stale: int) -> None:
    def cached(arguments: dict[str, Any]) -> dict[str, Any]:
        return answer(attested(arguments["nonce"] if len(controller.calls) > stale else "0" * 32))

    result = controller.run(cached, expected_vm_id=VM_ID)
    nonces = [call["nonce"] for call in controller.calls]
    assert len(nonces) == len(set(nonces)) == min(stale, policy.NONCE_RETRIES) + 1
    assert len(result["attempts"]) == len(nonces)
    assert result["nonce"] == nonces[-1]
    assert result["verified"] == result["nonce_verified"] == (stale <= policy.NONCE_RETRIES)
    assert result["reason"] == ("ok" if result["verified"] else "nonce_mismatch")
    assert result.get("failed", False) != result["verified"]


def test_an_own_nonce_is_asked_for_once(controller: Controller) -> None:
    assert controller.run(nonce="mine")["verified"]
    result = controller.run(lambda _arguments: answer(attested("not-mine")), nonce="mine")
    assert result["reason"] == "nonce_mismatch"
    assert [call["nonce"] for call in controller.calls] == ["mine", "mine"]


def test_any_other_refusal_is_final(controller: Controller) -> None:
    result = controller.run(expected_vm_id=OTHER_ID)
    assert (result["reason"], len(controller.calls)) == ("identity_mismatch", 1)


# --- refused --------------------------------------------------------------------------------------------------------


def altered(arguments: dict[str, Any]) -> dict[str, Any]:
    blob = document(content(nonce=arguments["nonce"])).replace(VM_ID[:8].encode(), b"12aab8a4")
    return answer({"encoding": "pkcs7", "signature": text(blob)})


def old(arguments: dict[str, Any]) -> dict[str, Any]:
    return answer(attested(arguments["nonce"], created=NOW - timedelta(hours=1)))


REFUSED: list[tuple[str, Host, dict[str, Any]]] = [
    ("identity_mismatch", genuine, {"expected_vm_id": OTHER_ID}),
    ("identity_mismatch", genuine, {"expected_vm_id": VM_ID, "expected_plan": {"name": "other"}}),
    ("bad_signature", altered, {"expected_vm_id": OTHER_ID}),
    ("too_old", old, {}),
    ("wrong_cloud", genuine, {"clouds": ["china", "germany"]}),
    ("missing_issuer", genuine, {"intermediates": []}),
]


@pytest.mark.parametrize(("reason", "host", "args"), REFUSED)
def test_nothing_that_is_refused_stands_outside_of_unverified(
    controller: Controller, reason: str, host: Host, args: dict[str, Any]
) -> None:
    result = controller.run(host, **args)
    assert (result["failed"], result["verified"], result["reason"]) == (True, False, reason)
    assert result["msg"].startswith(f"{reason}: ")
    assert result["remedy"]
    assert result["remedy"] in result["msg"]
    assert result["identity_bound"] is False
    assert result["unverified"].pop("document")["subscription_id"] == SUBSCRIPTION_ID
    assert result["document"] is result["cloud"] is result["signer"] is None
    assert result["chain"] == []
    del result["unverified"], result["evidence"]
    shown = json.dumps(result)
    for value in (VM_ID, "12aab8a4", SUBSCRIPTION_ID, "2022-datacenter", "2026-08-01T12:00:00Z", "18:00:00Z"):
        assert value not in shown


def test_a_missing_issuer_is_named_with_its_cure(controller: Controller) -> None:
    result = controller.run(intermediates=None)
    for part in ("CN=Test Issuing CA 02", "http://www.microsoft.com/pkiops/certs/", "intermediates"):
        assert part in result["remedy"] + result["msg"]
    assert result["unverified"]["details"]["issuer"] == "CN=Test Issuing CA 02"


@pytest.mark.parametrize(
    "evidence", [None, [], 7, "", {}, {"encoding": "pkcs7"}, "QUJD", {"signature": "QUJD"}], ids=repr
)
def test_a_host_may_hand_back_anything(controller: Controller, evidence: Any) -> None:
    result = controller.run(lambda _arguments: answer(evidence))
    assert (result["failed"], result["verified"], result["document"]) == (True, False, None)


def genuine_with(more: dict[Any, Any], arguments: dict[str, Any]) -> dict[Any, Any]:
    return {**genuine(arguments), **more}


def handing_back(evidence: Any, _arguments: dict[str, Any]) -> dict[str, Any]:
    return answer(evidence)


def nested(depth: int) -> Any:
    value: Any = 1
    for _level in range(depth):
        value = {"a": value}
    return value


HOSTILE: dict[str, dict[Any, Any]] = {
    "attempts are a number": {"attempts": 5},
    "attempts are numbers": {"attempts": [5, None, "x", [[]]]},
    "attempts are many": {"attempts": [{"detail": "x"}] * 10**5},
    "attempts are deep": {"attempts": [{"detail": nested(5000), "path": nested(5000)}]},
    "attempts have other keys": {"attempts": [{5: 6, (1, 2): 3, "path": "p"}]},
    "version is a list": {"api_version": ["2025-04-07"]},
    "version is text": {"api_version": "\x1b[2J" * 10**5},
    "keys are numbers": {5: 6, None: 7},
    "terminal escapes": {"msg": "\x1b[2J", "reason": "\x1b[2J"},
    "evidence is deep": {"evidence": nested(5000)},
    "evidence is huge": {"evidence": {"encoding": "x" * 10**6, "signature": "A" * 10**6}},
    "evidence has other keys": {"evidence": {"encoding": "pkcs7", "signature": "QUJD", 5: nested(5000)}},
    "half a surrogate pair": {"evidence": {"encoding": "\ud800", "signature": "\ud800"}},
    "a number that is none": {"attempts": [{"wait": float("nan"), "status": float("inf")}]},
}


@pytest.mark.parametrize("report", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("failed", [False, True])
def test_a_hostile_host_causes_a_reason_and_nothing_else(
    controller: Controller, report: dict[Any, Any], failed: bool
) -> None:
    more = {"failed": True, "reason": "not_azure", **report} if failed else report
    result = controller.run(lambda _arguments: {**answer("QUJD"), **more})
    assert result["failed"] is True
    assert result.get("verified", False) is False
    assert result["msg"]
    shown = json.dumps(result, allow_nan=False, ensure_ascii=False)
    shown.encode("utf-8")
    assert "\x1b" not in result["msg"]
    assert len(shown) < 50_000


def test_a_genuine_document_counts_whatever_stands_around_it(controller: Controller) -> None:
    for report in HOSTILE.values():
        if "evidence" not in report:
            result = controller.run(functools.partial(genuine_with, report))
            assert result["verified"], report


@pytest.mark.parametrize("error", [RecursionError, TypeError, ValueError, KeyError])
def test_a_report_that_ansible_cannot_read(controller: Controller, error: type[Exception]) -> None:
    def unreadable(_arguments: dict[str, Any]) -> dict[str, Any]:
        raise error("deep inside")

    result = controller.run(unreadable)
    assert (result["failed"], result["reason"]) == (True, "bad_envelope")
    assert "deep inside" in result["warnings"][0]


def test_a_lost_connection_is_ansibles(controller: Controller) -> None:
    def lost(_arguments: dict[str, Any]) -> dict[str, Any]:
        raise AnsibleConnectionFailure("no route")

    with pytest.raises(AnsibleConnectionFailure):
        controller.run(lost)


def test_a_host_cannot_vouch_for_itself(controller: Controller) -> None:
    claims = {"verified": True, "reason": "ok", "identity_bound": True, "ansible_facts": {"a": 1}, "document": {}}
    for host in (
        lambda _arguments: answer("QUJD", **claims),
        lambda _arguments: {**claims, "failed": True, "msg": "all is well"},
        lambda _arguments: {**claims, "failed": True, "reason": ["ok"], "msg": "all is well"},
    ):
        result = controller.run(host)
        assert result["failed"]
        assert not result.get("verified")
        assert result.get("reason") != "ok"
        assert not result.get("identity_bound")
        assert not result.get("document")
        assert "ansible_facts" not in result


@pytest.mark.parametrize("code", [code for code in IMDS_REASONS if code != "ok"])
def test_a_host_without_imds_fails_with_its_reason(controller: Controller, code: str) -> None:
    failure = {"failed": True, "msg": "nothing came", "reason": code, "attempts": [{}, {}]}
    result = controller.run(lambda _arguments: failure, expected_vm_id=VM_ID)
    assert (result["failed"], result["verified"], result["reason"], result["step"]) == (True, False, code, "request")
    assert (result["msg"], result["remedy"]) == ("nothing came", IMDS_REASONS[code].remedy)
    assert {result[flag] for flag in FLAGS} == {False}
    assert result["attempts"] == [{}, {}]


def unanswered(_arguments: dict[str, Any]) -> dict[str, Any]:
    return {"failed": True, "msg": "nothing came", "reason": "no_route"}


@pytest.mark.parametrize("host", [genuine, unanswered], ids=["document", "no document"])
def test_warnings_of_the_host_are_handed_on(controller: Controller, host: Any) -> None:
    """Before ansible-core 2.19 they are only in what the module returns. A host must not control the terminal."""
    said = ["took 70 s", "\x1b[2J", 5, ""] * 9
    warnings = controller.run(lambda arguments: {**host(arguments), "warnings": said})["warnings"]
    assert "took 70 s" in warnings
    assert all(warning and warning.isprintable() for warning in warnings)
    assert len(warnings) < 10


def test_a_module_that_does_not_run(controller: Controller) -> None:
    result = controller.run(lambda _arguments: {"failed": True, "msg": "MODULE FAILURE", "rc": 127})
    assert (result["failed"], result["msg"], result["rc"]) == (True, "MODULE FAILURE", 127)
    assert "reason" not in result


# --- stored evidence ------------------------------------------------------------------------------------------------

STORED = attested("abc")


@pytest.mark.parametrize("form", [STORED, json.dumps(STORED), STORED["signature"]], ids=["dict", "JSON", "base64"])
def test_stored_evidence_needs_no_host(controller: Controller, monkeypatch: pytest.MonkeyPatch, form: Any) -> None:
    monkeypatch.setattr(action, "verify", verify)  # the time is the option's
    result = controller.run(nobody, document=form, verify_at="2026-08-01 13:00:00", expected_vm_id=VM_ID)
    assert result["verified"], result["msg"]
    assert (result["verified_at"], result["nonce_verified"], result["nonce"]) == ("2026-08-01T13:00:00Z", False, None)
    assert controller.run(nobody, document=form, verify_at="2026-08-01T13:00:00Z", nonce="abc")["nonce_verified"]
    late = controller.run(nobody, document=form, verify_at="2026-08-01T19:00:00Z")
    assert (late["failed"], late["reason"]) == (True, "expired")


def test_what_a_task_returns_can_be_verified_again(controller: Controller) -> None:
    first = controller.run(expected_vm_id=VM_ID)
    again = controller.run(
        nobody,
        document=first["evidence"],
        verify_at=first["verified_at"],
        nonce=first["nonce"],
        expected_vm_id=VM_ID,
    )
    assert again["nonce_verified"]
    assert again["document"] == first["document"]


PEM = "-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----"


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        ("no base64!", "not_base64"),
        ({"encoding": "pkcs8", "signature": "AAAA"}, "wrong_encoding"),
        ("0" * 2**20, "too_large"),
        (base64.b64encode(bytes(2**20)).decode(), "too_large"),
        (PEM, "pem_evidence"),
        (base64.b64encode(PEM.encode()).decode(), "pem_evidence"),
        ("", "bad_envelope"),
        ('{"encoding": "pkcs7"', "bad_envelope"),
    ],
)
def test_evidence_that_is_none(controller: Controller, evidence: Any, reason: str) -> None:
    result = controller.run(nobody, document=evidence)
    assert (result["failed"], result["reason"]) == (True, reason)
    assert "document" in result["msg"]
    assert result["remedy"]


def test_evidence_is_kept_and_verified_years_later(controller: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the host, without the intermediates, and without a time given."""
    first = controller.run(expected_vm_id=VM_ID, dest="evidence/web-1.json")
    path = controller.directory / "evidence" / "web-1.json"
    assert (first["changed"], first["dest"]) == (True, str(path))
    assert first["chain_pem"].count("BEGIN CERTIFICATE") == len(first["chain"])
    kept = json.loads(path.read_text())
    assert (kept["verdict"]["document"], kept["chain_pem"]) == (first["document"], first["chain_pem"])
    monkeypatch.setattr(action, "verify", verify)  # the clock says another year
    for form in ("evidence/web-1.json", str(path), path.read_text(), kept):
        again = controller.run(nobody, document=form, expected_vm_id=VM_ID, intermediates=[])
        assert again["verified"], again["msg"]
        assert (again["verified_at"], again["verified_at_source"]) == (first["verified_at"], "file")
        assert any("recorded in the file" in warning for warning in again["warnings"])
        assert again["changed"] is False
    assert controller.run(nobody, document=kept, expected_vm_id=OTHER_ID)["reason"] == "identity_mismatch"


def test_stored_evidence_can_be_made_self_contained(controller: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(action, "verify", verify)
    controller.run(nobody, document=STORED, verify_at="2026-08-01T13:00:00Z", dest="old.json")
    again = controller.run(nobody, document="old.json", intermediates=[])
    assert (again["verified"], again["verified_at"]) == (True, "2026-08-01T13:00:00Z")


def test_check_mode_writes_nothing(controller: Controller) -> None:
    result = controller.run(check_mode=True, dest="evidence/web-1.json")
    assert (result["changed"], result["verified"]) == (True, True)
    assert not (controller.directory / "evidence").exists()


def test_what_is_refused_is_not_kept(controller: Controller) -> None:
    path = controller.directory / "web-1.json"
    path.write_text("what was verified before")
    result = controller.run(expected_vm_id=OTHER_ID, dest=str(path))
    assert result["changed"] is False
    assert "dest" not in result
    assert path.read_text() == "what was verified before"


def test_a_full_disk_takes_nothing_from_the_verdict(controller: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    result = controller.run(dest="web-1.json")
    assert (result["failed"], result["verified"], result["changed"]) == (True, True, False)
    assert "dest: " in result["msg"]
    assert "No space left on device" in result["msg"]


@pytest.mark.parametrize("document", ["nowhere/web-1.json", "/nowhere/x.json"])
def test_a_file_that_is_not_there(controller: Controller, document: str) -> None:
    result = controller.run(nobody, document=document)
    assert result["reason"] == "not_base64"
    assert "names no file" in result["msg"]


def test_a_host_names_no_files_on_the_controller(controller: Controller) -> None:
    """Only the option does."""
    (controller.directory / "secret.json").write_text(json.dumps(STORED))
    for evidence in ("secret.json", str(controller.directory / "secret.json")):
        assert controller.run(functools.partial(handing_back, evidence))["reason"] == "not_base64"


# --- bad options ----------------------------------------------------------------------------------------------------

BAD: list[tuple[str, Any]] = [
    ("nonce", ""),
    ("nonce", "x" * 33),
    ("nonce", "20260801-180000"),
    ("clouds", "moon"),
    ("clouds", []),
    ("expected_vm_id", ""),
    ("expected_vm_id", []),
    ("expected_vm_id", None),
    ("expected_vm_id", [None]),
    ("expected_vm_id", "web-1"),
    ("expected_subscription_id", None),
    ("expected_subscription_id", "*"),
    ("expected_sku", ""),
    ("expected_license_type", None),
    ("expected_plan", None),
    ("expected_plan", "name"),
    ("expected_plan", {"name": ""}),
    ("max_age", "5m"),
    ("max_age", -1),
    ("clock_skew", 100000),
    ("anchors", "nowhere.pem"),
    ("anchors", "/nowhere/root.pem"),
    ("anchors", "empty.pem"),
    ("anchors", "leaf.pem"),
    ("anchors", "text.pem"),
    ("anchors", "."),
    ("anchors", []),  # and no built-in ones
    ("intermediates", ["between.pem", "nowhere.pem"]),
    ("intermediates", "empty.pem"),
    ("builtin_anchors", "perhaps"),
    ("fetch_intermediates", "always"),
    ("document", None),
    ("document", "."),
    ("dest", "."),
    ("dest", "root.pem/x.json"),
    ("verify_at", "2026-08-01T12:00:00Z"),  # without document
    ("endpoint", "http://imds.example"),
    ("endpoint", "http://10.0.0.1"),
    ("timeout", 0),
    ("api_version", "2026-13-01"),
    ("detect", "maybe"),
    ("expected_vmid", VM_ID),
]


@pytest.mark.parametrize(("option", "value"), BAD, ids=[f"{option}={value!r}" for option, value in BAD])
def test_a_bad_option_is_named_and_nobody_is_asked(controller: Controller, option: str, value: Any) -> None:
    (controller.directory / "empty.pem").touch()
    (controller.directory / "leaf.pem").write_bytes(hierarchy().leaf.pem)
    (controller.directory / "text.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    with pytest.raises(AnsibleActionFail, match=rf"\b{option}\b"):
        controller.run(nobody, **{option: value})


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_named(controller: Controller) -> None:
    (controller.directory / "root.pem").chmod(0)
    with pytest.raises(AnsibleActionFail, match=r"anchors: .*root\.pem cannot be read"):
        controller.run(nobody)


def test_verify_at_is_checked(controller: Controller) -> None:
    with pytest.raises(AnsibleActionFail, match="verify_at: takes an ISO 8601 time"):
        controller.run(nobody, document=STORED, verify_at="yesterday")


def test_it_is_not_started_asynchronously(controller: Controller) -> None:
    with pytest.raises(AnsibleActionFail, match="async"):
        controller.run(nobody, async_val=60)


def test_a_controller_without_cryptography(controller: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise DependencyError("install cryptography")

    monkeypatch.setattr(anchors, "require_cryptography", missing)
    with pytest.raises(AnsibleActionFail, match="install cryptography"):
        controller.run(nobody)


# --- documentation --------------------------------------------------------------------------------------------------

NOT_OF_STORED = {"evidence", "api_version", "attempts", "dest", "meta"}
MISS = {"failed": True, "msg": "nothing came", "reason": "not_azure", "attempts": []}


@pytest.mark.parametrize(
    ("host", "args", "absent"),
    [
        (genuine, {}, {"dest"}),
        (genuine, {"dest": "web-1.json"}, set()),
        (genuine, {"expected_vm_id": OTHER_ID}, {"dest"}),
        (nobody, {"document": STORED, "verify_at": "2026-08-01T13:00:00Z"}, NOT_OF_STORED),
        (nobody, {"document": ""}, NOT_OF_STORED),
        (lambda _arguments: MISS, {}, {"evidence", "api_version", "verified_at", "verified_at_source", "dest"}),
    ],
    ids=["accepted", "kept", "refused", "stored", "nothing stored", "no answer"],
)
def test_return_values_are_documented(
    controller: Controller, host: Host, args: dict[str, Any], absent: set[str]
) -> None:
    result = controller.run(host, **args)
    documented = yaml.safe_load(azure_imds_attest.RETURN)
    assert set(result) - {"changed", "failed", "msg", "warnings"} == set(documented) - absent
    for name in set(documented) - absent - {"chain", "attempts"}:
        assert_documented(result[name], documented[name], name, {"unverified.details", *NESTED})
    for link in result["chain"]:
        assert link.keys() == documented["signer"]["contains"].keys() - {"san"}
    refused = result["unverified"] or {}
    for name in ("document", "signer"):
        assert_documented(refused.get(name), documented[name], name, NESTED)


# --- small things ---------------------------------------------------------------------------------------------------


def test_files_are_looked_for_in_files_too(controller: Controller) -> None:
    files = controller.directory / "files"
    files.mkdir()
    (controller.directory / "root.pem").rename(files / "root.pem")
    assert controller.run()["verified"]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"XDG_CACHE_HOME": "/c"}, "/c/imds.azure/intermediates"),
        ({"XDG_CACHE_HOME": ""}, "/home/me/.cache/imds.azure/intermediates"),
        ({}, "/home/me/.cache/imds.azure/intermediates"),
        ({"XDG_CACHE_HOME": "relative"}, None),
    ],
)
def test_the_cache_is_the_users(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], expected: str | None
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert action.default_cache_dir(environment) == expected


@pytest.mark.parametrize(("given", "used"), [("/somewhere", "/somewhere"), (None, "/c/imds.azure/intermediates")])
def test_the_cache_can_be_elsewhere(
    controller: Controller, monkeypatch: pytest.MonkeyPatch, given: str | None, used: str
) -> None:
    seen: list[Any] = []

    def load_sources(**options: Any) -> anchors.Sources:
        seen.append(options["cache_dir"])
        return anchors.load_sources(**options)

    monkeypatch.setenv("XDG_CACHE_HOME", "/c")
    monkeypatch.setattr(action, "load_sources", load_sources)
    controller.run(cache_dir=given)
    assert seen == [used]


def test_the_spec_says_what_the_policy_does() -> None:
    spec = copy.deepcopy(_attest.argument_spec())
    assert spec["clouds"]["choices"] == list(policy.CLOUDS)
    assert spec["clock_skew"]["default"] == policy.CLOCK_SKEW
