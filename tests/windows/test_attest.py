# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""An attestation from end to end, but for PowerShell: fetched by the C# core, verified by the action plugin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible_collections.imds.azure.plugins.action import azure_imds_attest as action
from ansible_collections.imds.azure.plugins.module_utils._imds import versions
from ansible_collections.imds.azure.plugins.modules import azure_imds_attest
from ansible_collections.imds.azure.tests.scenarios.module_runner import argument_spec
from ansible_collections.imds.azure.tests.scenarios.running_emulator import Connection, Running, start
from ansible_collections.imds.azure.tests.windows.core import Core
from azure_imds_emulator.vms import build

WEB = {"name": "web-1", "limiter": False}
VM_ID = build(WEB).compute["vmId"]
UNSET = {name: option.get("default") for name, option in argument_spec(azure_imds_attest).items()}

Attest = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def imds() -> Iterator[Running]:
    """One emulator for all: the keys of its CA take a while."""
    with start([WEB]) as running:
        yield running


@pytest.fixture
def attest(core: Core, imds: Running, tmp_path: Path) -> Attest:
    """Run the task on a Windows host with these options, against the emulated VM; its result."""
    imds.control("DELETE", "/faults")
    trust = {}
    for option, name in (("anchors", "root"), ("intermediates", "intermediate")):
        with Connection(imds.control_address) as connection:
            connection.send(f"GET /ca/{name}.pem HTTP/1.1\r\n\r\n".encode())
            reply = connection.reply()
        assert reply is not None
        trust[option] = str(tmp_path / f"{name}.pem")
        (tmp_path / f"{name}.pem").write_bytes(reply.body)

    def execute_module(_name: str, arguments: dict[str, Any], **_more: Any) -> dict[str, Any]:
        found = core("module", name="azure_imds_attest", params={**UNSET, **arguments})
        failure = {"failed": True, "msg": found["failure"]} if found["failure"] else {}
        return {"changed": False, **found["result"], **failure}

    def run(switches: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
        imds.emulator.vms.replace([{**WEB, "attested": switches or {}}])
        closed = {"builtin_anchors": False, "fetch_intermediates": "never"}
        task = SimpleNamespace(
            args={"endpoint": imds.url, "detect": "force", **trust, **closed, **options},
            action=action.MODULE,
            async_val=0,
            check_mode=False,
            get_search_path=lambda: [str(tmp_path)],
        )
        connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir="there"))
        plugin = action.ActionModule(task, connection, SimpleNamespace(), DataLoader(), None, None)
        plugin._execute_module = execute_module
        result: dict[str, Any] = plugin.run(task_vars={})
        return result

    return run


@pytest.mark.parametrize("version", [None, *(name for name in versions.LADDER if name >= versions.ATTESTED_SINCE)])
def test_the_evidence_is_accepted(attest: Attest, version: str | None) -> None:
    result = attest(expected_vm_id=VM_ID, **({"api_version": version} if version else {}))
    assert (result["verified"], result["reason"], result["identity_bound"]) == (True, "ok", True), result["msg"]
    assert result["api_version"] == (version or versions.LADDER[0])
    assert result["document"]["nonce"] == result["nonce"]
    assert [attempt["outcome"] for attempt in result["attempts"]] == ["ok"]


def test_it_can_be_kept_and_verified_again(attest: Attest) -> None:
    kept = attest()
    again = attest(document=kept["evidence"], nonce=kept["nonce"], verify_at=kept["verified_at"])
    assert (again["verified"], again["document"]) == (True, kept["document"])


@pytest.mark.parametrize(
    ("switches", "reason"),
    [
        ({"altered": True}, "bad_signature"),
        ({"wrong_name": True}, "wrong_name"),
        ({"age": 1200}, "too_old"),
        ({"cached_nonce": True}, "nonce_mismatch"),
    ],
    ids=str,
)
def test_bad_evidence_is_refused(attest: Attest, switches: dict[str, Any], reason: str) -> None:
    attest()  # a nonce to be cached
    result = attest(switches, expected_vm_id=VM_ID)
    assert (result["failed"], result["verified"], result["reason"]) == (True, False, reason)


def test_another_vm_is_refused(attest: Attest) -> None:
    result = attest(expected_vm_id="11111111-2222-3333-4444-555555555555")
    assert (result["failed"], result["reason"], result["document"]) == (True, "identity_mismatch", None)


def test_a_reason_of_imds_arrives(attest: Attest, imds: Running) -> None:
    attest()
    imds.fault(path="/metadata/attested/document", status=403)
    result = attest()
    assert (result["failed"], result["step"], result["reason"]) == (True, "request", "forbidden")
    assert "No attested document: " in result["msg"]


def test_off_azure_nothing_is_asked(attest: Attest, imds: Running) -> None:
    imds.control("DELETE", "/requests")
    result = attest(detect="auto", chassis_asset_tag="elsewhere")
    assert (result["failed"], result["reason"]) == (True, "not_azure")
    assert not imds.requests()
