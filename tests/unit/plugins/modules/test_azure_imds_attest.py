# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host's part: one request, and the answer handed back as it is, verified by nobody."""

from __future__ import annotations

import functools
import re
from typing import Any, Callable

import pytest
from ansible_collections.imds.azure.plugins.module_utils._imds import client, versions
from ansible_collections.imds.azure.plugins.modules import azure_imds_attest
from ansible_collections.imds.azure.tests.scenarios import module_runner
from ansible_collections.imds.azure.tests.scenarios.scripted_server import ScriptedServer, document, http, send

NONCE = "0123456789abcdef0123456789ABCDEF"
ANSWER = {"encoding": "pkcs7", "signature": "AAAA"}


Run = Callable[..., dict[str, Any]]


@pytest.fixture(name="run")
def _run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the module with options, and give its JSON."""
    monkeypatch.setattr(client, "PACE", 0.0)
    return functools.partial(module_runner.run, capsys, azure_imds_attest)


def targets(server: ScriptedServer) -> list[str]:
    return [head.split()[1].decode() for head in server.requests]


@pytest.mark.parametrize("check", [False, True])
def test_one_request_and_the_answer(run: Run, check: bool) -> None:
    with ScriptedServer(send(document(ANSWER))) as server:
        result = run(check=check, endpoint=server.endpoint, detect="force", nonce=NONCE)
    newest = versions.LADDER[0]
    assert targets(server) == [f"/metadata/attested/document?api-version={newest}&nonce={NONCE}"]
    assert (result["evidence"], result["api_version"]) == (ANSWER, newest)
    assert len(result["attempts"]) == 1


def test_it_never_says_that_anything_is_verified(run: Run) -> None:
    with ScriptedServer(send(document({**ANSWER, "verified": True}))) as server:
        result = run(endpoint=server.endpoint, detect="force", nonce=NONCE)
    assert result["verified"] is False
    assert not {"signature_verified", "document", "reason", "ansible_facts"} & result.keys()


def test_the_version_ladder_ends_where_attestation_began(run: Run) -> None:
    refusal = http(b'{"error":"Bad request. api-version is invalid or was not specified"}', "400 Bad Request")
    with ScriptedServer(send(refusal)) as server:
        result = run(endpoint=server.endpoint, detect="force", nonce=NONCE)
    asked = [re.findall("api-version=([0-9-]+)", target)[0] for target in targets(server)]
    assert asked == [version for version in versions.LADDER if version >= versions.ATTESTED_SINCE]
    assert all(target.endswith(f"&nonce={NONCE}") for target in targets(server))
    assert (result["failed"], result["reason"]) == (True, "bad_version")


def test_off_azure_nothing_is_sent(run: Run) -> None:
    with ScriptedServer(send(document(ANSWER))) as server:
        result = run(endpoint=server.endpoint, chassis_asset_tag="none", nonce=NONCE)
    assert (result["failed"], result["reason"], server.connections) == (True, "not_azure", 0)


@pytest.mark.parametrize("body", [b"[]", b"MIIL", b""])
def test_what_is_no_object_is_malformed(run: Run, body: bytes) -> None:
    with ScriptedServer(send(http(body))) as server:
        result = run(endpoint=server.endpoint, detect="force", nonce=NONCE, timeout=2)
    assert (result["failed"], result["reason"]) == (True, "malformed")
    assert "evidence" not in result


@pytest.mark.parametrize("options", [{}, {"document": "AAAA"}, {"document": "AAAA", "nonce": NONCE}], ids=str)
def test_without_the_action_plugin_it_fails(run: Run, options: dict[str, Any]) -> None:
    with ScriptedServer(send(document(ANSWER))) as server:
        result = run(endpoint=server.endpoint, detect="force", **options)
    assert result["failed"]
    assert "verified on the controller" in result["msg"]
    assert server.connections == 0


@pytest.mark.parametrize(
    ("option", "value"),
    [("nonce", "a&b=c"), ("nonce", "x" * 33), ("nonce", ""), ("nonce", "a\r\nb"), ("endpoint", "http://imds.example")],
)
def test_a_bad_option_is_named(run: Run, option: str, value: str) -> None:
    with ScriptedServer(send(document(ANSWER))) as server:
        result = run(**{"endpoint": server.endpoint, "detect": "force", "nonce": NONCE, option: value})
    assert result["failed"]
    assert result["msg"].startswith(f"{option}: ")
    assert server.connections == 0


def test_options_are_documented() -> None:
    module_runner.assert_options_are_documented(azure_imds_attest)
