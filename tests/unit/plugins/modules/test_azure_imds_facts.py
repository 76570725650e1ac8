# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import socket
import time
from typing import Any, Callable

import pytest
import yaml
from ansible_collections.imds.azure.plugins.module_utils._imds import platform
from ansible_collections.imds.azure.plugins.module_utils._imds.blank import blank
from ansible_collections.imds.azure.plugins.module_utils._imds.reasons import REASONS
from ansible_collections.imds.azure.plugins.modules import azure_imds_facts
from ansible_collections.imds.azure.tests.scenarios.imds.documents import (
    DOCUMENTS,
    KEY,
    USER_DATA,
)
from ansible_collections.imds.azure.tests.scenarios.module_runner import (
    assert_documented,
    assert_options_are_documented,
    run,
)
from ansible_collections.imds.azure.tests.scenarios.scripted_server import (
    ScriptedServer,
    Step,
    document,
    drip,
    hold,
    http,
    reset,
    send,
)

DOCUMENT = DOCUMENTS["2025-04-07"]
ELSEWHERE = {"chassis_asset_tag": "Default string"}

Gather = Callable[..., dict[str, Any]]


@pytest.fixture
def gather(capsys: pytest.CaptureFixture[str]) -> Gather:
    """Run the module with options; give the fact, or the whole result where there is none."""

    def gathered(**options: Any) -> dict[str, Any]:
        result = run(capsys, azure_imds_facts, **options)
        if result.get("failed"):
            return result
        assert list(result["ansible_facts"]) == ["azure_imds"]
        fact: dict[str, Any] = result["ansible_facts"]["azure_imds"]
        return {**fact, "warnings": result["warnings"]} if "warnings" in result else fact

    return gathered


@pytest.fixture
def no_network(monkeypatch: Any) -> None:
    """Whoever so much as makes a socket ends the test."""

    def explode(*_arguments: Any, **_options: Any) -> None:
        pytest.fail("something was about to be sent")

    monkeypatch.setattr(socket, "socket", explode)
    monkeypatch.setattr(socket, "create_connection", explode)


# --- on Azure -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("check", [False, True], ids=["run", "check mode"])
def test_facts_cost_one_request(gather: Gather, check: bool) -> None:
    with ScriptedServer(send(document(DOCUMENT))) as server:
        fact = gather(endpoint=server.endpoint, detect="force", check=check)
    assert (fact["available"], fact["reason"], fact["remedy"], fact["name"]) == (True, "ok", None, "web-1")
    assert "warnings" not in fact
    assert fact["meta"]["requests"] == server.connections == 1
    assert server.requests[0].startswith(b"GET /metadata/instance?api-version=2025-04-07 HTTP/1.1\r\n")


def test_the_asset_tag_is_enough(gather: Gather) -> None:
    with ScriptedServer(send(document({"compute": {"name": "web-1"}}))) as server:
        fact = gather(endpoint=server.endpoint, chassis_asset_tag=platform.AZURE_CHASSIS_ASSET_TAG)
    assert fact["available"]
    assert fact["meta"]["detection"]["mode"] == "auto"


def test_api_version_pins(gather: Gather) -> None:
    with ScriptedServer(send(document(DOCUMENT))) as server:
        fact = gather(endpoint=server.endpoint, detect="force", api_version="2021-12-13")
    assert fact["api_version"] == "2021-12-13"
    assert b"api-version=2021-12-13" in server.requests[0]


@pytest.mark.parametrize(
    ("option", "told", "kept"),
    [
        (None, None, [USER_DATA, KEY]),
        ("include_user_data", USER_DATA, [KEY]),
        ("include_public_keys", KEY, [USER_DATA]),
    ],
)
def test_secrets_come_only_where_asked_for(
    gather: Gather, option: str | None, told: str | None, kept: list[str]
) -> None:
    with ScriptedServer(send(document(DOCUMENT))) as server:
        fact = gather(endpoint=server.endpoint, detect="force", **({option: True} if option else {}))
    text = json.dumps(fact)
    assert told is None or told in text
    assert not [secret for secret in kept if secret in text]


def test_the_load_balancers_address(gather: Gather) -> None:
    address = {"privateIpAddress": "10.1.0.4", "publicIpAddress": ""}
    instance = {"network": {"interface": [{"macAddress": "000D3A000001", "ipv4": {"ipAddress": [address]}}]}}
    balancer = {
        "loadbalancer": {"publicIpAddresses": [{"frontendIpAddress": "198.51.100.9", "privateIpAddress": "10.1.0.4"}]}
    }
    with ScriptedServer(send(document(instance)), send(document(balancer))) as server:
        fact = gather(endpoint=server.endpoint, detect="force", load_balancer=True)
    assert (fact["public_ip"], fact["public_ip_source"], server.connections) == ("198.51.100.9", "load_balancer", 2)


def test_tags_that_can_not_be_split_are_warned_of(gather: Gather) -> None:
    with ScriptedServer(send(document({"compute": {"tags": "a:1;2"}}))) as server:
        fact = gather(endpoint=server.endpoint, detect="force")
    assert fact["tags"] == {"a": "1;2"}
    assert len(fact["warnings"]) == 1


# --- elsewhere ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("check", [False, True], ids=["run", "check mode"])
@pytest.mark.usefixtures("no_network")
def test_off_azure_nothing_is_sent(gather: Gather, check: bool) -> None:
    fact = gather(check=check, load_balancer=True, **ELSEWHERE)
    assert (fact["available"], fact["reason"], fact["meta"]["requests"]) == (False, "not_azure", 0)
    assert {name: fact[name] for name in blank()} == blank()


@pytest.mark.usefixtures("no_network")
def test_off_azure_nothing_is_sent_to_an_emulator_either(gather: Gather) -> None:
    assert gather(endpoint="http://127.0.0.1:8169", **ELSEWHERE)["reason"] == "not_azure"


@pytest.mark.usefixtures("no_network")
def test_required_fails_off_azure(gather: Gather) -> None:
    result = gather(required=True, **ELSEWHERE)
    assert result["failed"]
    assert result["reason"] == "not_azure"
    assert result["remedy"] in result["msg"]
    assert result["attempts"] == []


def test_required_fails_with_the_reason(gather: Gather) -> None:
    with ScriptedServer(send(http(status="403 Forbidden"))) as server:
        result = gather(endpoint=server.endpoint, detect="force", required=True)
    assert (result["failed"], result["reason"], len(result["attempts"])) == (True, "forbidden", 1)
    assert REASONS["forbidden"].meaning in result["msg"]
    assert REASONS["forbidden"].remedy in result["msg"]


def test_required_does_nothing_where_there_are_facts(gather: Gather) -> None:
    with ScriptedServer(send(document(DOCUMENT))) as server:
        assert gather(endpoint=server.endpoint, detect="force", required=True)["available"]


# --- bad input ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"api_version": "2020-13-01"}, "api_version"),
        ({"api_version": "latest"}, "api_version"),
        ({"detect": "never"}, "detect"),
        ({"endpoint": "169.254.169.254"}, "endpoint"),
        ({"endpoint": "https://169.254.169.254"}, "endpoint"),
        ({"endpoint": "http://metadata.azure.internal"}, "endpoint"),
        ({"endpoint": "http://127.0.0.1:99999"}, "endpoint"),
        ({"endpoint": "http://10.0.0.1"}, "endpoint"),
        ({"connect_timeout": -1}, "connect_timeout"),
        ({"read_timeout": 0}, "read_timeout"),
        ({"timeout": "-0.5"}, "timeout"),
        ({"timeout": "soon"}, "timeout"),
        ({"updating_timeout": 1e9}, "updating_timeout"),
        ({"required": "perhaps"}, "required"),
        ({"no_such_option": 1}, "no_such_option"),
    ],
    ids=str,
)
@pytest.mark.usefixtures("no_network")
def test_bad_input_is_refused_by_name(gather: Gather, options: dict[str, Any], names: str) -> None:
    result = gather(**ELSEWHERE, **options)
    assert result["failed"]
    assert names in result["msg"]


def test_an_endpoint_elsewhere_says_what_to_do(gather: Gather) -> None:
    assert "detect to force" in gather(endpoint="http://10.0.0.1", **ELSEWHERE)["msg"]


# --- bad answers ----------------------------------------------------------------------------------------------------

HUGE = b'{"compute":{"name":"' + b"x" * 525_000 + b'"}}'
ANSWERS: dict[str, tuple[Step, str]] = {
    "closed": (send(b""), "refused"),
    "reset": (reset(), "refused"),
    "silent": (hold(), "read_timeout"),
    "slow": (drip(document(DOCUMENT), 0.05), "read_timeout"),
    "truncated": (send(document(DOCUMENT)[:-1]), "malformed"),
    "not HTTP": (send(b"220 mail.example.org ESMTP\r\n"), "malformed"),
    "not UTF-8": (send(http(b'{"compute":{"name":"\xff"}}')), "malformed"),
    "not JSON": (send(http(b"compute")), "malformed"),
    "a list": (send(http(b"[]")), "malformed"),
    "a string": (send(http(b'"compute"')), "malformed"),
    "nothing": (send(http(b"")), "malformed"),
    "neither compute nor network": (send(http(b"{}")), "malformed"),
    "half a character": (send(http(b'{"compute":{"name":"\\udc00"}}')), "malformed"),
    "deep": (send(http(b'{"compute":' + b"[" * 100_000 + b"]" * 100_000 + b"}")), "malformed"),
    "deep objects": (send(http(b'{"compute":' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"}")), "malformed"),
    "huge": (send(http(HUGE)), "too_large"),
    "many values": (send(http(b'{"compute":{},"x":[' + b",".join([b"{}"] * 20_000) + b"]}")), "too_large"),
    "huge, not announced": (send(b"HTTP/1.1 200 OK\r\n\r\n" + HUGE), "too_large"),
    "page": (send(http(b"<html>Log in</html>", Content_Type="text/html", Server="squid")), "intercepted"),
    "redirect": (send(http(status="302 Found", Location="http://192.0.2.1/")), "intercepted"),
    "400": (send(http(b"{}", "400 Bad Request")), "rejected"),
    "401": (send(http(b"", "401 Unauthorized")), "forbidden"),
    "404": (send(http(b'{ "error": "Not found" }', "404 Not Found")), "not_found"),
    "410": (send(http(b"", "410 Gone")), "updating"),
    "429": (send(http(b"Too many requests", "429 Too Many Requests")), "throttled"),
    "500": (send(http(b"", "500 Internal Server Error")), "server_error"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_bad_answers_are_a_reason(gather: Gather, name: str) -> None:
    step, reason = ANSWERS[name]
    # Short enough that there is no second try, which comes after a second at the earliest.
    times = {"read_timeout": 0.3, "timeout": 0.9, "updating_timeout": 0.9}
    if reason != "read_timeout":
        times["read_timeout"] = 0.8
    started = time.monotonic()
    with ScriptedServer(step) as server:
        fact = gather(endpoint=server.endpoint, detect="force", **times)
        elapsed = time.monotonic() - started
    assert (fact["available"], fact["reason"], fact["remedy"]) == (False, reason, REASONS[reason].remedy)
    assert {name: fact[name] for name in blank()} == blank()
    assert len(fact["meta"]["attempts"]) == server.connections == 1
    assert elapsed < 0.9 + 3


def test_what_passes_is_waited_for(gather: Gather) -> None:
    throttled = http(b"Too many requests", "429 Too Many Requests", Retry_After="0")
    with ScriptedServer(send(throttled), send(document(DOCUMENT))) as server:
        fact = gather(endpoint=server.endpoint, detect="force")
    assert fact["available"]
    assert [attempt["outcome"] for attempt in fact["meta"]["attempts"]] == ["throttled", "ok"]


def test_a_closed_port_is_the_reason_refused(gather: Gather) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        fact = gather(endpoint=f"http://127.0.0.1:{taken.getsockname()[1]}", detect="force", timeout=0.9)
    assert fact["reason"] == "refused"


# --- documentation --------------------------------------------------------------------------------------------------


def test_options_are_documented() -> None:
    assert_options_are_documented(azure_imds_facts)


FULL = {
    "compute": {**DOCUMENT["compute"], "customData": USER_DATA, "priority": "Spot", "azEnvironment": "AzureChinaCloud"},
    "network": DOCUMENT["network"],
}


# Their keys are the user's, or those of Azure Resource Manager.
FREE = {
    "azure_imds.network.primary",
    "azure_imds.storage.data_disks",
    "azure_imds.storage.image_reference",
    "azure_imds.storage.os_disk",
    "azure_imds.storage.resource_disk",
    "azure_imds.tags",
}


@pytest.mark.parametrize("content", [FULL, {"compute": {}}, None], ids=["everything", "nothing", "off Azure"])
def test_return_values_are_documented(gather: Gather, content: Any) -> None:
    with ScriptedServer(send(document(content))) as server:
        where = ELSEWHERE if content is None else {"detect": "force"}
        fact = gather(endpoint=server.endpoint, **where)
    documented = yaml.safe_load(azure_imds_facts.RETURN)["ansible_facts"]["contains"]["azure_imds"]
    assert list(documented["contains"]) == list(fact)
    assert_documented(fact, documented, "azure_imds", FREE)
