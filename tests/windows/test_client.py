# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client of both cores, in a world with its own clock: any answers end the same way, after the same waits."""

from __future__ import annotations

import types
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._imds import client as client_module
from ansible_collections.imds.azure.plugins.module_utils._imds import guest, options, platform
from ansible_collections.imds.azure.plugins.module_utils._imds.paths import path
from ansible_collections.imds.azure.plugins.module_utils._imds.reasons import ImdsError
from ansible_collections.imds.azure.tests.scenarios.imds.conversations import (
    ANYTHING,
    BAD_BODIES,
    MORE_VALUES,
    MOST_VALUES,
    OLD_STYLE,
    REJECTED,
    RETRIES,
)
from ansible_collections.imds.azure.tests.scenarios.imds.world import (
    ADDRESS,
    OK,
    ScriptedAnswer,
    World,
    failed,
    said,
    silence,
    version_error,
)
from ansible_collections.imds.azure.tests.windows.core import Core, as_scripted, comparable, encoded
from ansible_collections.imds.azure.tests.windows.firmware import system, table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def python_result(world: World, params: Any, asked: str) -> Any:
    client = world.client(options.settings(params))
    result: dict[str, Any] = {}
    try:
        if asked == "instance":
            answer = client.instance()
        else:
            what, _space, rest = asked.partition(" ")
            ask = {"fetch": lambda: client.fetch(path(rest)), "attested": lambda: client.attested(rest)}
            answer = ask.get(what, client.load_balancer)()
        result["answer"] = list(vars(answer).values())
    except ImdsError as error:
        result["error"] = [error.reason.code, error.message]
    result["attempts"] = client.attempts
    result["count"] = client.requests
    result["requests"] = [[each.at, each.target, each.source, list(each.headers)] for each in world.requests]
    result["sleeps"] = world.sleeps
    result["warnings"] = client.long_waits()
    return result


def rounded(value: Any) -> Any:
    """Sums of seconds, without the last bits."""
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    return [rounded(inner) for inner in value] if isinstance(value, list) else value


def both(
    core: Core,
    answers: list[ScriptedAnswer],
    asked: str = "instance",
    addresses: tuple[str, ...] = (),
    same: bool | None = None,
    vm_uuid: bytes | None = None,
    **params: Any,
) -> Any:
    """The result of both cores, after a look that it is the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(guest, "addresses", lambda: list(addresses))
        patch.setattr(platform, "same_machine", lambda _vm_id: same)
        # No chance: no jitter.
        patch.setattr(client_module, "os", types.SimpleNamespace(urandom=bytes))
        expected = python_result(World(answers), params, asked)
    found = core(
        "client",
        answers=[as_scripted(answer) for answer in answers],
        path=asked,
        params=params,
        interfaces=[{"name": "eth0", "mac": "", "up": True, "addresses": list(addresses)}],
        firmware=encoded(table(system(vm_uuid))) if vm_uuid else None,
    )
    assert rounded(comparable(found)) == rounded(comparable(expected))
    return expected


@pytest.mark.parametrize("name", RETRIES)
@pytest.mark.parametrize("passes", [False, True])
def test_every_row_of_the_retry_table(core: Core, name: str, passes: bool) -> None:
    answer, code, waits = RETRIES[name]
    found = both(core, [answer, OK] if passes else [answer])
    if passes and waits:
        assert "answer" in found
    else:
        assert found["error"][0] == code
        assert found["sleeps"] == waits


@pytest.mark.parametrize("name", BAD_BODIES)
def test_unusable_documents(core: Core, name: str) -> None:
    assert both(core, [said(200, BAD_BODIES[name])])["error"][0] == "malformed"


def test_the_number_of_values(core: Core) -> None:
    assert "answer" in both(core, [said(200, MOST_VALUES)])
    assert both(core, [said(200, MORE_VALUES)])["error"][0] == "too_large"


SEQUENCES: dict[str, tuple[list[ScriptedAnswer], dict[str, Any]]] = {
    "throttled": ([said(429, b"Too many requests")], {}),
    "retry after": ([said(429, retry_after="3"), OK], {}),
    "retry after 0": ([said(429, retry_after="0")], {}),
    "retry after, too late": ([said(429, retry_after="31")], {}),
    "retry after, never": ([said(429, retry_after="9" * 500)], {}),
    "silence": ([silence()], {}),
    "a short deadline": ([said(503, after=0.04)], {"timeout": 0.3, "updating_timeout": 0.3}),
    "an update": ([*[said(410)] * 7, OK], {}),
    "an update that lasts": ([said(410)], {"updating_timeout": 45}),
    "an update with a short deadline": ([said(410), said(410), OK], {"timeout": 30, "updating_timeout": 5}),
    "an update, then an error": ([*[said(410)] * 4, said(503), OK], {}),
    "an update, then the ladder": ([*[said(410)] * 4, version_error("2024-07-17"), OK], {}),
    "no time for a step down": ([*[silence()] * 2, version_error("2024-07-17")._replace(after=7.95), OK], {}),
    "the newest that is offered": ([version_error("2020-07-15", "2020-10-01", "2020-09-01"), OK], {}),
    "the ladder": ([OLD_STYLE] * 3 + [OK], {}),
    "the whole ladder": ([OLD_STYLE], {}),
    "pinned": ([version_error("2020-10-01")], {"api_version": "2024-07-17"}),
    "pinned and known": ([OK], {"api_version": "2019-06-04"}),
    "many versions offered": (
        [version_error(*[f"2020-{number:05}" for number in range(500)])],
        {"api_version": "2024-07-17"},
    ),
    "each outcome by itself": ([said(500), failed("refused"), said(500), failed("refused"), said(500), OK], {}),
    "text in the answer": ([said(400, "  größer \U0001f600 ".encode())], {}),
    "broken text in the answer": ([said(403, b"\xff")], {}),
    "what does not print": ([said(403, "\x1b[2J\x9b\u202e\\ \r\n\t\x00 \U0001f600 \U000e0041 \xa0".encode())], {}),
}


@pytest.mark.parametrize("name", SEQUENCES)
def test_sequences_of_answers_end_alike(core: Core, name: str) -> None:
    answers, params = SEQUENCES[name]
    both(core, answers, **params)


@pytest.mark.parametrize(
    "asked", ["fetch instance/compute/name", "fetch instance/compute/new", "fetch instance/compute", "fetch versions"]
)
@pytest.mark.parametrize(
    "answers",
    [
        [REJECTED, said(200, b"web-1", content_type="text/plain")],
        [REJECTED],
        [said(200, [1, {"a": None}])],
        [said(200, b"1.5")],
        [said(404, {"error": "Not found"})],
        [OLD_STYLE],
        [REJECTED, said(200, b"\xff")],
    ],
    ids=range(7),
)
def test_paths_are_fetched_alike(core: Core, asked: str, answers: list[ScriptedAnswer]) -> None:
    both(core, answers, asked)


@pytest.mark.parametrize(
    "answer", [said(200, {"loadbalancer": {}}), said(404), said(200, b"[]"), OLD_STYLE], ids=range(4)
)
def test_the_load_balancer_is_asked_alike(core: Core, answer: ScriptedAnswer) -> None:
    both(core, [answer], "loadbalancer")


NONCE = "0123456789abcdef0123456789ABCD-_"


@pytest.mark.parametrize(
    "answers",
    [
        [said(200, {"encoding": "pkcs7", "signature": "MII="})],
        [said(429), said(200, {"signature": 1})],
        [version_error("2020-10-01"), said(200, {})],
        [OLD_STYLE],
        [REJECTED],
        [said(404)],
        [said(200, b"[]")],
        [said(200, b"MII=")],
        [silence()],
    ],
    ids=range(9),
)
@pytest.mark.parametrize("api_version", [None, "2018-10-01"])
def test_evidence_is_fetched_alike(core: Core, answers: list[ScriptedAnswer], api_version: str | None) -> None:
    both(core, answers, f"attested {NONCE}", api_version=api_version)


HERE = (ADDRESS, "10.0.0.5", "10.0.0.6", "10.0.0.7", "10.0.0.8")


@pytest.mark.parametrize("other", [silence(), failed("no_route"), failed("refused"), said(429), OK], ids=range(5))
@pytest.mark.parametrize("endpoint", ["http://169.254.169.254", "http://127.0.0.1:8169"])
def test_the_source_address(core: Core, other: ScriptedAnswer, endpoint: str) -> None:
    both(core, [silence(), silence(), other, other, silence()], addresses=HERE, endpoint=endpoint)


VM_ID = "8e0d3a54-6a3c-4b0e-9a43-5f6f3c1f0e77"


@pytest.mark.parametrize("detect", ["auto", "force"])
@pytest.mark.parametrize(("uuid", "same"), [(bytes.fromhex(VM_ID.replace("-", "")), True), (b"x" * 16, False)])
def test_the_document_of_another_machine(core: Core, uuid: bytes, same: bool, detect: str) -> None:
    found = both(core, [OK], same=same, vm_uuid=uuid, detect=detect)
    assert ("answer" in found) == (same or detect == "force")


TIMES = st.floats(0.05, 60).map(lambda seconds: round(seconds, 3))


@given(
    st.lists(ANYTHING, min_size=1, max_size=12),
    st.fixed_dictionaries({f"{name}timeout": TIMES for name in ("connect_", "read_", "", "updating_")}),
    st.sampled_from(
        [
            "instance",
            "loadbalancer",
            "attested x",
            "fetch instance/compute/name",
            "fetch instance/new",
            "fetch versions",
        ]
    ),
    st.integers(0, 5),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_sequence(core: Core, answers: list[ScriptedAnswer], params: Any, asked: str, addresses: int) -> None:
    both(core, answers, asked, HERE[:addresses], **params)
