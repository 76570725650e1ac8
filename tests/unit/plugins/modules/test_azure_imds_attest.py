# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host's part: one request, and the answer handed back as it is, verified by nobody."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.imds.azure.plugins.module_utils._attest import argument_spec
from ansible_collections.imds.azure.plugins.module_utils._imds import client, versions
from ansible_collections.imds.azure.plugins.modules import azure_imds_attest
from ansible_collections.imds.azure.tests.unit.scripted_server import ScriptedServer, document, http, send

NONCE = "0123456789abcdef0123456789ABCDEF"
ANSWER = {"encoding": "pkcs7", "signature": "AAAA"}


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run the module with options, and give its JSON."""
    monkeypatch.setattr(client, "PACE", 0.0)

    def run_module(check: bool = False, **options: Any) -> dict[str, Any]:
        arguments = {**options, "_ansible_check_mode": check, "_ansible_remote_tmp": str(tmp_path)}
        with patch_module_args(arguments), pytest.raises(SystemExit):
            azure_imds_attest.main()
        result: dict[str, Any] = json.loads(capsys.readouterr().out)
        return result

    return run_module


def targets(server: ScriptedServer) -> list[str]:
    return [head.split()[1].decode() for head in server.requests]


@pytest.mark.parametrize("check", [False, True])
def test_one_request_and_the_answer(run: Any, check: bool) -> None:
    with ScriptedServer(send(document(ANSWER))) as server:
        result = run(check=check, endpoint=server.endpoint, detect="force", nonce=NONCE)
    newest = versions.LADDER[0]
    assert targets(server) == [f"/metadata/attested/document?api-version={newest}&nonce={NONCE}"]
    assert (result["evidence"], result["api_version"]) == (ANSWER, newest)
    assert len(result["attempts"]) == 1


def test_it_never_says_that_anything_is_verified(run: Any) -> None:
    with ScriptedServer(send(document({**ANSWER, "verified": True}))) as server:
        result = run(endpoint=server.endpoint, detect="force", nonce=NONCE)
    assert result["verified"] is False
    assert not {"signature_verified", "document", "reason", "ansible_facts"} & result.keys()


def test_the_version_ladder_ends_where_attestation_began(run: Any) -> None:
    refusal = http(b'{"error":"Bad request. api-version is invalid or was not specified"}', "400 Bad Request")
    with ScriptedServer(send(refusal)) as server:
        result = run(endpoint=server.endpoint, detect="force", nonce=NONCE)
    asked = [re.findall("api-version=([0-9-]+)", target)[0] for target in targets(server)]
    assert asked == [version for version in versions.LADDER if version >= versions.ATTESTED_SINCE]
    assert all(target.endswith(f"&nonce={NONCE}") for target in targets(server))
    assert (result["failed"], result["reason"]) == (True, "bad_version")


def test_off_azure_nothing_is_sent(run: Any) -> None:
    with ScriptedServer(send(document(ANSWER))) as server:
        result = run(endpoint=server.endpoint, chassis_asset_tag="none", nonce=NONCE)
    assert (result["failed"], result["reason"], server.connections) == (True, "not_azure", 0)


@pytest.mark.parametrize("body", [b"[]", b"MIIL", b""])
def test_what_is_no_object_is_malformed(run: Any, body: bytes) -> None:
    with ScriptedServer(send(http(body))) as server:
        result = run(endpoint=server.endpoint, detect="force", nonce=NONCE, timeout=2)
    assert (result["failed"], result["reason"]) == (True, "malformed")
    assert "evidence" not in result


@pytest.mark.parametrize("options", [{}, {"document": "AAAA"}, {"document": "AAAA", "nonce": NONCE}], ids=str)
def test_without_the_action_plugin_it_fails(run: Any, options: dict[str, Any]) -> None:
    with ScriptedServer(send(document(ANSWER))) as server:
        result = run(endpoint=server.endpoint, detect="force", **options)
    assert result["failed"]
    assert "verified on the controller" in result["msg"]
    assert server.connections == 0


@pytest.mark.parametrize(
    ("option", "value"),
    [("nonce", "a&b=c"), ("nonce", "x" * 33), ("nonce", ""), ("nonce", "a\r\nb"), ("endpoint", "http://imds.example")],
)
def test_a_bad_option_is_named(run: Any, option: str, value: str) -> None:
    with ScriptedServer(send(document(ANSWER))) as server:
        result = run(**{"endpoint": server.endpoint, "detect": "force", "nonce": NONCE, option: value})
    assert result["failed"]
    assert result["msg"].startswith(f"{option}: ")
    assert server.connections == 0


def test_the_options_are_the_documented_ones() -> None:
    documented: dict[str, Any] = {}
    documentation = yaml.safe_load(azure_imds_attest.DOCUMENTATION)
    for fragment in documentation["extends_documentation_fragment"]:
        name = fragment.split(".")[2]
        module = importlib.import_module(f"ansible_collections.imds.azure.plugins.doc_fragments.{name}")
        documented.update(yaml.safe_load(module.ModuleDocFragment.DOCUMENTATION)["options"])
    documented.update(documentation["options"])
    facets = ("type", "elements", "choices", "default", "required")
    assert {name: {facet: option.get(facet) for facet in facets} for name, option in documented.items()} == {
        name: {facet: option.get(facet) for facet in facets} for name, option in argument_spec().items()
    }
