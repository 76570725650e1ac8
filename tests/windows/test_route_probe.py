# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The proof on both systems: the same answers, the same verdict, in the same words, after the same tries."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._imds.transport import Response, TransportError
from ansible_collections.imds.azure.plugins.module_utils._routes.host import probe
from ansible_collections.imds.azure.tests.scenarios.imds.world import (
    ADDRESS,
    ScriptedAnswer,
    World,
    failed,
    said,
    silence,
)
from ansible_collections.imds.azure.tests.windows.core import Core, as_scripted
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

MAC = "00:0d:3a:12:34:56"


def network(*macs: Any) -> Any:
    return {"interface": [{"macAddress": mac, "ipv4": {"ipAddress": [{"privateIpAddress": ADDRESS}]}} for mac in macs]}


OURS = said(200, network("000D3A999999", "000D3A123456"))
ELSEWHERE = ScriptedAnswer(Response(200, {}, OURS.result.body, "10.9.9.9"))  # type: ignore[union-attr]
ANSWERS = [
    OURS,
    ELSEWHERE,
    said(200, network("00-0D-3A-12-34-56")),
    said(200, network("000D3AFFFFFF")),
    said(200, network("no MAC", None, 5)),
    said(200, network()),
    said(200, {"interface": [{}]}),
    said(200, {"interface": 5}),
    said(200, {"interface": [{"macAddress": "000D3A123456", "ipv4": {"ipAddress": []}}]}),
    said(200, []),
    said(200, b"<html>"),
    said(200, b"\xff"),
    said(200, b"[" * 200),
    said(302, b"", location="http://127.0.0.1/"),
    said(403, {}),
    said(404, {}),
    said(404, b""),
    said(404, b"<html>"),
    said(408, {}),
    *(said(status, {}) for status in (410, 429, 500, 503)),
    *(failed(kind) for kind in ("no_route", "connect_timeout", "refused", "reset", "malformed")),
    silence(),
    # Who sent it, and over which peer.
    *(
        ScriptedAnswer(Response(status, server, OURS.result.body if status == 200 else b"{}", address, peer))  # type: ignore[union-attr]
        for status in (200, 401, 403, 404, 410, 421, 429, 503)
        for server in ({}, {"server": "IMDS/150.870.65.2030"}, {"server": "Microsoft-HTTPAPI/2.0"}, {"server": "nginx"})
        for address, peer in (
            (ADDRESS, "169.254.169.254:80"),
            ("127.0.0.1", "127.0.0.1:3080"),
            (ADDRESS, "10.244.0.5:8181"),
            ("169.254.169.254", "169.254.169.254:80"),
        )
    ),
    ScriptedAnswer(TransportError("read_timeout", "as told", ADDRESS, True, "10.244.0.5:8181")),
    *(said(status, b"", server="") for status in (403, 421)),
    said(200, network("000D3A123456"), x_ms_azure_host_authorization="Azure-HMAC-SHA256 x"),
    said(200, network("000D3AFFFFFF"), x_ms_azure_host_authorization="Azure-HMAC-SHA256 x"),
    said(200, {"network": network("000D3A123456")}),
    said(200, {"interface": network("000D3A123456")["interface"], "network": 5}),
]
OPTIONS = {"connect_timeout": 2.0, "read_timeout": 3.0, "timeout": 5.0}


def both(core: Core, answers: list[ScriptedAnswer], address: str = ADDRESS, mac: str = MAC, retries: int = 2) -> Any:
    """The proof, after a look that it is the same."""
    world = World(answers)
    way = probe.Way(("169.254.169.254", 80), *OPTIONS.values())
    expected: dict[str, Any] = {
        "proof": probe.prove(way, {"address": address, "mac": mac}, retries, world.get, world.sleep),
        "asked": probe.ask(way, get=world.get)._asdict(),
        "sleeps": world.sleeps,
    }
    expected["asked"]["interfaces"] = [[known, list(own)] for known, own in expected["asked"]["interfaces"]]
    requests = [[each.target, each.source, list(each.headers)] for each in world.requests]
    found = core(
        "probe",
        answers=[as_scripted(answer) for answer in answers],
        params=OPTIONS,
        address=address,
        mac=mac,
        retries=retries,
    )
    assert [request[1:] for request in found.pop("requests")] == requests
    assert found == expected
    return found["proof"]


@pytest.mark.parametrize("answer", ANSWERS, ids=range(len(ANSWERS)))
@pytest.mark.parametrize("retries", [0, 2])
def test_every_answer(core: Core, answer: ScriptedAnswer, retries: int) -> None:
    both(core, [answer], retries=retries)


@given(st.lists(st.sampled_from(ANSWERS), min_size=1, max_size=6), st.integers(0, 4), st.sampled_from(("", MAC)))
@settings(deadline=None, database=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_answers(core: Core, answers: list[ScriptedAnswer], retries: int, mac: str) -> None:
    both(core, answers, mac=mac, retries=retries)


def test_a_proof_and_none(core: Core) -> None:
    assert both(core, [OURS])["verified"]
    assert both(core, [silence(), OURS])["tries"] == 2
    assert "not the primary address" in both(core, [ELSEWHERE])["detail"]
    assert "bound to" in both(core, [silence(), silence(), silence(), OURS])["detail"]
