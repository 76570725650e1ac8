# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
from typing import Any, Callable

import pytest
import yaml
from ansible_collections.imds.azure.plugins.modules import azure_imds_info
from ansible_collections.imds.azure.tests.scenarios.module_runner import (
    assert_documented,
    assert_options_are_documented,
    run,
)
from ansible_collections.imds.azure.tests.scenarios.scripted_server import ScriptedServer, document, http, send

ELSEWHERE = {"chassis_asset_tag": "Default string"}
REJECTED = send(http(b'{ "error": "Bad request" }', "400 Bad Request"))
MISSING = send(http(b'{ "error": "Not found" }', "404 Not Found"))

Read = Callable[..., dict[str, Any]]


@pytest.fixture
def read_path(capsys: pytest.CaptureFixture[str]) -> Read:
    """Run the module with options; whatever happens, the documented values are there."""

    def result(**options: Any) -> dict[str, Any]:
        found = run(capsys, azure_imds_info, **options)
        documented = yaml.safe_load(azure_imds_info.RETURN)
        if "reason" in found or not found.get("failed"):
            assert set(documented) <= set(found)
            for name, value in documented.items():
                assert_documented(found[name], value, name)
        return found

    return result


@pytest.mark.parametrize(
    ("path", "content", "target"),
    [
        ("instance", {"compute": {"name": "web-1"}}, "/metadata/instance?api-version=2025-04-07"),
        ("/instance/", {"network": {}}, "/metadata/instance?api-version=2025-04-07"),
        (
            "instance/network/interface/0",
            {"macAddress": "x"},
            "/metadata/instance/network/interface/0?api-version=2025-04-07",
        ),
        (
            "instance/compute/tagsList",
            [{"name": "a", "value": ""}],
            "/metadata/instance/compute/tagsList?api-version=2025-04-07",
        ),
        ("versions", {"apiVersions": ["2025-04-07"]}, "/metadata/versions"),
        ("loadbalancer", {"loadbalancer": {"inboundRules": []}}, "/metadata/loadbalancer?api-version=2025-04-07"),
        ("attested/document", {"encoding": "pkcs7"}, "/metadata/attested/document?api-version=2025-04-07"),
    ],
)
@pytest.mark.parametrize("check", [False, True], ids=["run", "check mode"])
def test_content_comes_as_it_is(read_path: Read, path: str, content: Any, target: str, check: bool) -> None:
    with ScriptedServer(send(document(content))) as server:
        result = read_path(path=path, endpoint=server.endpoint, detect="force", check=check)
    assert result["content"] == content
    assert (result["available"], result["reason"], result["remedy"]) == (True, "ok", None)
    assert result["path"] == path.strip("/")
    assert result["api_version"] == (None if path == "versions" else "2025-04-07")
    assert [request.split(b" ")[1].decode() for request in server.requests] == [target]


def test_the_instance_document_is_the_default(read_path: Read) -> None:
    with ScriptedServer(send(document({"compute": {}}))) as server:
        assert read_path(endpoint=server.endpoint, detect="force")["path"] == "instance"


def test_a_single_value(read_path: Read) -> None:
    with ScriptedServer(send(http(b"2", Content_Type="text/plain; charset=utf-8"))) as server:
        result = read_path(path="instance/compute/zone", endpoint=server.endpoint, detect="force")
    assert result["content"] == "2"
    (request,) = server.requests
    assert b"&format=text " in request


def test_a_single_value_that_is_not_documented(read_path: Read) -> None:
    with ScriptedServer(REJECTED, send(http(b"x", Content_Type="text/plain; charset=utf-8"))) as server:
        result = read_path(path="instance/compute/newKey", endpoint=server.endpoint, detect="force")
    assert result["content"] == "x"
    assert b"&format=text " in server.requests[1]


@pytest.mark.parametrize("required", [False, True])
def test_what_is_not_there(read_path: Read, required: bool) -> None:
    with ScriptedServer(MISSING) as server:
        result = read_path(path="loadbalancer", endpoint=server.endpoint, detect="force", required=required)
    assert (result["available"], result["reason"], result["content"]) == (False, "not_found", None)
    assert result.get("failed", False) is required
    assert not required or result["remedy"] in result["msg"]
    assert len(result["attempts"]) == 1


def test_required_is_the_default(read_path: Read) -> None:
    with ScriptedServer(MISSING) as server:
        assert read_path(path="loadbalancer", endpoint=server.endpoint, detect="force")["failed"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\xff", "malformed"),
        (b'{"a":NaN}', "malformed"),
        (b"[" * 100_000 + b"]" * 100_000, "malformed"),
        (b"<html>Log in</html>", "malformed"),
        (b"x" * 525_000, "too_large"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_bad_answers_are_a_reason(read_path: Read, body: bytes, reason: str) -> None:
    with ScriptedServer(send(http(body))) as server:
        result = read_path(
            path="instance/compute", endpoint=server.endpoint, detect="force", required=False, timeout=0.9
        )
    assert result["reason"] == reason


@pytest.fixture
def no_network(monkeypatch: Any) -> None:
    """Whoever so much as makes a socket ends the test."""

    def explode(*_arguments: Any, **_options: Any) -> None:
        pytest.fail("something was about to be sent")

    monkeypatch.setattr(socket, "socket", explode)
    monkeypatch.setattr(socket, "create_connection", explode)


@pytest.mark.parametrize("required", [False, True])
@pytest.mark.usefixtures("no_network")
def test_off_azure_nothing_is_sent(read_path: Read, required: bool) -> None:
    result = read_path(required=required, **ELSEWHERE)
    assert (result["available"], result["reason"], result["attempts"]) == (False, "not_azure", [])
    assert result.get("failed", False) is required


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"path": "instance/../identity/oauth2/token"}, "path"),
        ({"path": "instance?api-version=2017-04-02"}, "path"),
        ({"path": "instance/%2e%2e/identity"}, "path"),
        ({"path": "instance\\compute"}, "path"),
        ({"path": "Identity/oauth2/token"}, "path"),
        ({"path": "scheduledevents"}, "path"),
        ({"path": ""}, "path"),
        ({"api_version": "2020-13-01"}, "api_version"),
        ({"endpoint": "http://10.0.0.1"}, "endpoint"),
        ({"timeout": -1}, "timeout"),
    ],
    ids=str,
)
@pytest.mark.usefixtures("no_network")
def test_bad_input_is_refused_by_name(read_path: Read, options: dict[str, Any], names: str) -> None:
    result = read_path(**ELSEWHERE, **options)
    assert result["failed"]
    assert names in result["msg"]


def test_options_are_documented() -> None:
    assert_options_are_documented(azure_imds_info)
