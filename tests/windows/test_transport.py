# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One GET by either core: the same server, byte by byte, and the same response or error."""

from __future__ import annotations

import socket
import time
from typing import Any, Optional

import pytest
from ansible_collections.imds.azure.plugins.module_utils._imds import transport
from ansible_collections.imds.azure.tests.scenarios.imds.wire import (
    COMPLETE,
    DRIPS,
    FAILURES,
    JSON,
    SLACK,
)
from ansible_collections.imds.azure.tests.scenarios.scripted_server import ScriptedServer, drip, hold, http, reset, send
from ansible_collections.imds.azure.tests.windows.core import Core, comparable
from ansible_collections.imds.azure.tests.windows.csharp_get import Limits, csharp_get, request


def python_get(address: tuple[str, int], limits: Limits, source: Optional[str] = None) -> dict[str, Any]:
    headers = {"Metadata": "true", "Accept": "*/*"}
    try:
        return vars(transport.get(address, "/x?y=z", headers, *limits, source))
    except transport.TransportError as error:
        return {
            "kind": error.kind,
            "detail": str(error),
            "local_address": error.local_address,
            "silent": error.silent,
            "peer": error.peer,
        }


def both(
    core: Core, server: ScriptedServer, limits: Limits = (2, 5, 5), source: Optional[str] = None
) -> dict[str, Any]:
    expected = python_get(server.address, limits, source)
    found = csharp_get(core, server.address, limits, source)
    assert comparable(found) == comparable(expected)
    return found


@pytest.mark.parametrize("name", COMPLETE)
def test_complete_answers(core: Core, name: str) -> None:
    sent, body = COMPLETE[name]
    with ScriptedServer(send(sent)) as server:
        found = both(core, server)
    assert (found["status"], found["body"], found["local_address"]) == (200, body, "127.0.0.1")
    assert server.requests[0] == server.requests[1]


@pytest.mark.parametrize("name", ["content-length", "content-length 0", "chunked", "chunked, extension and trailer"])
def test_does_not_wait_for_the_end_of_the_connection(core: Core, name: str) -> None:
    with ScriptedServer(hold(COMPLETE[name][0])) as server:
        assert both(core, server)["body"] == COMPLETE[name][1]


@pytest.mark.parametrize("name", ["content-length", "until close", "chunked"])
def test_bytes_may_come_one_by_one(core: Core, name: str) -> None:
    with ScriptedServer(drip(COMPLETE[name][0], 0)) as server:
        assert both(core, server)["body"] == COMPLETE[name][1]


@pytest.mark.parametrize("name", FAILURES)
def test_each_failure_is_of_the_same_kind(core: Core, name: str) -> None:
    step, kind, silent = FAILURES[name]
    limit = 0.3 if kind == "read_timeout" else 10
    with ScriptedServer(step) as server:
        found = both(core, server, (2, limit, 10))
    assert (found["kind"], found["silent"]) == (kind, silent)


def test_a_reset_in_the_middle(core: Core) -> None:
    # The client may see the bytes before the reset, or only the reset.
    with ScriptedServer(reset(http(JSON)[:-3])) as server:
        assert csharp_get(core, server.address, (2, 5, 5))["kind"] == "reset"


@pytest.mark.parametrize("name", DRIPS)
@pytest.mark.parametrize("limits", [(2, 0.3, 5), (2, 5, 0.3)], ids=["read_timeout", "timeout"])
def test_a_drip_does_not_outlast_the_deadline(core: Core, name: str, limits: Limits) -> None:
    started = time.monotonic()
    with ScriptedServer(drip(DRIPS[name], 0.02)) as server:
        found = csharp_get(core, server.address, limits)
        elapsed = time.monotonic() - started
    assert found["kind"] == "read_timeout"
    assert 0.29 < elapsed < 0.3 + SLACK


@pytest.mark.parametrize("status", [204, 304])
def test_statuses_without_a_body(core: Core, status: int) -> None:
    with ScriptedServer(hold(f"HTTP/1.1 {status} X\r\nContent-Length: 5\r\n\r\n".encode())) as server:
        assert both(core, server)["body"] == b""


def test_headers_are_read_alike(core: Core) -> None:
    head = b"HTTP/1.1 200 OK\r\nX-A:  a \r\nx-a: b\r\nServer: IMDS/1:2\r\nRetry-After:\r\nbare\r\nX-\xe9: \xe9\r\n\r\n"
    with ScriptedServer(send(head)) as server:
        assert both(core, server)["headers"]["x-a"] == "b"


def test_redirects_are_an_answer_like_any_other(core: Core) -> None:
    target = ScriptedServer(send(http()))
    with target, ScriptedServer(send(http(status="302 Found", Location=target.endpoint + "/"))) as server:
        assert both(core, server)["status"] == 302
    assert target.connections == 0


def test_binds_to_the_source_that_it_is_told(core: Core) -> None:
    with ScriptedServer(send(http(JSON))) as server:
        assert both(core, server, source="127.0.0.2")["local_address"] == "127.0.0.2"
        # The same, though the runtimes have other words for it.
        elsewhere = (server.address, (2, 5, 5), "192.0.2.1")
        assert csharp_get(core, *elsewhere)["kind"] == python_get(*elsewhere)["kind"] == "no_route"


def test_both_cores_ask_over_ipv6(core: Core) -> None:
    try:
        server = ScriptedServer(send(http(JSON)), host="::1")
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with server:
        assert both(core, server)["local_address"] == "::1"
    assert server.requests[0] == server.requests[1]


def test_both_cores_are_refused_by_a_closed_port(core: Core) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = taken.getsockname()
        assert csharp_get(core, address, (2, 5, 5)) == python_get(address, (2, 5, 5))
        assert csharp_get(core, address, (2, 5, 5))["kind"] == "refused"


@pytest.mark.parametrize("limits", [(0.3, 5, 5), (5, 5, 0.3)], ids=["connect_timeout", "timeout"])
def test_nothing_accepts_the_connection(core: Core, limits: Limits) -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        # With these two the queue is full, and the system lets the next one wait.
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        expected = python_get(full.getsockname(), limits)
        assert expected["kind"] == "connect_timeout"
        assert comparable(csharp_get(core, full.getsockname(), limits)) == comparable(expected)


@pytest.mark.parametrize("address", [("169.254.169.254", 80), ("127.0.0.1", 8169), ("::1", 80), ("fd00::1", 8080)])
def test_both_cores_write_the_same_request(core: Core, address: tuple[str, int]) -> None:
    headers = {"Metadata": "true", "Accept": "*/*"}
    written = core("written", **request(address, (1, 1, 1)))
    assert written.encode() == transport.written(address, "/x?y=z", headers)
