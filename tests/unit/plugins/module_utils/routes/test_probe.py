# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof, against a server that answers as the test says."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._imds.transport import Response
from ansible_collections.imds.azure.plugins.module_utils._routes.host import probe
from ansible_collections.imds.azure.plugins.module_utils._routes.reply import AGENT, ImdsReply, parse_reply
from ansible_collections.imds.azure.tests.scenarios.scripted_server import (
    ScriptedServer,
    Step,
    document,
    hold,
    http,
    send,
)

MAC = "00:0d:3a:12:34:56"
EXPECT = {"address": "127.0.0.1", "mac": MAC}


def network(*macs: str) -> bytes:
    return document(
        {"interface": [{"macAddress": mac, "ipv4": {"ipAddress": [{"privateIpAddress": "10.0.0.4"}]}} for mac in macs]}
    )


OURS = network("000D3A999999", "000D3A123456")


def prove(*script: Step, retries: int = 2, **expect: str) -> tuple[dict[str, Any], ScriptedServer]:
    with ScriptedServer(*script) as server:
        way = probe.Way(server.address, 1.0, 0.3, 1.0)
        pauses: list[float] = []
        proof = probe.prove(way, {**EXPECT, **expect}, retries, sleep=pauses.append)
        assert len(pauses) == proof["tries"] - 1
        return proof, server


def test_an_answer_for_the_primary_address_is_a_proof() -> None:
    proof, server = prove(send(OURS))
    reply = proof.pop("reply")
    assert parse_reply(reply).interfaces[1][0] == MAC
    assert reply["peer"] == f"127.0.0.1:{server.address[1]}"
    assert proof == {
        "verified": True,
        "undecided": False,
        "outcome": "ok",
        "detail": "HTTP 200",
        "local_address": "127.0.0.1",
        "tries": 1,
    }
    assert server.requests[0].startswith(b"GET /metadata/instance/network?api-version=")
    assert b"\r\nMetadata: true\r\n" in server.requests[0]


@pytest.mark.parametrize(
    "status", ["404 Not Found", "410 Gone", "429 Too Many Requests", "500 Internal Server Error", "503 Busy"]
)
def test_a_busy_imds_is_tried_again_and_then_believed(status: str) -> None:
    proof, server = prove(send(http(b"{}", status)))
    assert (proof["verified"], proof["outcome"], proof["tries"], server.connections) == (True, "busy", 3, 3)
    proof, _server = prove(send(http(b"{}", status)), send(OURS))
    assert (proof["verified"], proof["outcome"], proof["tries"]) == (True, "ok", 2)


@pytest.mark.parametrize(
    "answer",
    [
        http(b"<html>", "200 OK"),
        http(b'{"interface": [{}]}'),
        http(b'{"interface": 5}'),
        http(b"[]"),
        http(b"\xff"),
        http(b"{}", "403 Forbidden", Server="squid/5.7"),
        http(b"", "302 Found", Location="http://127.0.0.1/"),
        http(b"<html>no such site", "404 Not Found", Server="Microsoft-HTTPAPI/2.0"),
        http(b"", "404 Not Found"),
        http(b"{}", "404 Not Found", Server="nginx"),
        # A proxy's own errors, not IMDS'.
        http(b"<html>busy", "503 Service Unavailable", Server="nginx"),
        http(b"busy", "503 Service Unavailable", Server="squid/5.7"),
        http(b"{}", "503 Service Unavailable", Via="1.1 proxy"),
        http(b"{}", "429 Too Many Requests", Server="envoy"),
        b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_what_is_not_imds_is_no_proof(answer: bytes) -> None:
    proof, _server = prove(send(answer), retries=0)
    assert (proof["verified"], proof["outcome"]) == (False, "foreign")


def test_another_machines_metadata_are_no_proof() -> None:
    proof, _server = prove(send(network("000D3AFFFFFF")))
    assert (proof["verified"], proof["tries"]) == (False, 1)
    assert MAC in proof["detail"]


def test_another_local_address_is_no_proof() -> None:
    proof, _server = prove(send(OURS), address="127.0.0.2")
    assert not proof["verified"]
    assert "127.0.0.1" in proof["detail"]
    assert "127.0.0.2" in proof["detail"]


def test_silence_is_tried_again_and_then_bound() -> None:
    proof, server = prove(hold(), retries=1)
    assert (proof["verified"], proof["outcome"], proof["tries"]) == (False, "read_timeout", 2)
    assert server.connections == 3
    assert "bound" not in proof["detail"]


def test_silence_unless_bound_is_told() -> None:
    proof, _server = prove(hold(), hold(), send(OURS), retries=1)
    assert not proof["verified"]
    assert "bound to 127.0.0.1 it is answered" in proof["detail"]


def test_refused_connection_is_no_proof() -> None:
    with ScriptedServer(send(OURS)) as server:
        address = server.address
    proof = probe.prove(probe.Way(address, 1.0, 1.0, 1.0), EXPECT, 0)
    assert (proof["verified"], proof["outcome"], proof["local_address"]) == (False, "refused", "")


def test_imds_own_refusal_proves_the_path() -> None:
    proof, _server = prove(send(http(b'{"error": "forbidden"}', "403 Forbidden")), retries=0)
    assert (proof["verified"], proof["outcome"]) == (True, "forbidden")


@pytest.mark.parametrize("status", ["403 Forbidden", "421 Misdirected Request"])
def test_wordless_refusal_is_the_guest_agents_and_decides_nothing(status: str) -> None:
    refusal = f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode()
    proof, server = prove(send(refusal))
    assert (proof["verified"], proof["undecided"], proof["outcome"]) == (False, True, "agent_refused")
    assert server.connections == 1


@pytest.mark.parametrize(
    ("body", "headers", "outcome"),
    [
        (b"", {}, "agent_failed"),
        (b"", {"server": "IMDS/150.870.65.1854"}, "busy"),
        (b"", {"x-ms-azure-host-authorization": "Azure-HMAC-SHA256 x"}, "busy"),
    ],
)
def test_agent_that_does_not_reach_imds_is_no_answer(body: bytes, headers: dict[str, str], outcome: str) -> None:
    response = Response(502, headers, body, "127.0.0.1", AGENT)
    found = probe.ask(probe.Way(), get=lambda *_given: response)
    assert found.outcome == outcome
    assert found.served is (outcome == "busy")
    assert found.judge("", "")
    assert found.undecided is (outcome == "busy")


def test_answer_that_the_agent_passed_on_proves_the_vm_not_the_address() -> None:
    passed = {"x_ms_azure_host_authorization": "Azure-HMAC-SHA256 x"}
    body = OURS.partition(b"\r\n\r\n")[2]
    proof, _server = prove(send(http(body, **passed)), address="10.9.9.9")
    assert proof["verified"]
    assert parse_reply(proof["reply"]).via_agent
    stranger = network("000D3AFFFFFF").partition(b"\r\n\r\n")[2]
    assert not prove(send(http(stranger, **passed)))[0]["verified"]


def test_redirected_connection_is_named() -> None:
    def get(address: Any, target: str, *_more: Any) -> Response:
        del address, target
        return Response(200, {"server": "IMDS/1"}, OURS.partition(b"\r\n\r\n")[2], "10.0.0.4", "10.244.0.5:8080")

    reply = probe.ask(probe.Way(), get=get)
    assert reply.outcome == "redirected"
    assert "10.244.0.5:8080" in reply.judge("10.0.0.4", MAC)


def test_differing_mac_is_forgiven_where_the_vm_is_the_same() -> None:
    for same, expected in ((True, ""), (None, ""), (False, "another machine")):
        reply = ImdsReply("ok", "HTTP 200", "10.0.0.4", (("00:0d:3a:ff:ff:ff", ("10.0.0.4",)),), same_machine=same)
        assert expected in reply.judge("10.0.0.4", MAC)
        assert bool(reply.judge("10.0.0.4", MAC)) is bool(expected)


def test_ask_reads_all_interfaces() -> None:
    get = partial(_answer, OURS.partition(b"\r\n\r\n")[2])
    answer = probe.ask(probe.Way(), get=get)
    assert answer.interfaces[0] == ("00:0d:3a:99:99:99", ("10.0.0.4",))
    assert answer.interfaces[1][0] == MAC


def _answer(body: bytes, *_arguments: object) -> Response:
    return Response(200, {}, body, "10.0.0.4")
