# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._imds import transport
from ansible_collections.imds.azure.tests.scenarios.imds.environments import ENVIRONMENTS
from ansible_collections.imds.azure.tests.scenarios.imds.wire import COMPLETE, DRIPS, FAILURES, JSON, SLACK
from ansible_collections.imds.azure.tests.scenarios.scripted_server import (
    ScriptedServer,
    document,
    drip,
    hold,
    http,
    reset,
    send,
)


def get(server: ScriptedServer, read_timeout: float = 5.0, timeout: float = 5.0) -> transport.Response:
    return transport.get(server.address, "/metadata/instance", {"Metadata": "true"}, 2.0, read_timeout, timeout)


@pytest.mark.parametrize("name", COMPLETE)
def test_complete_answers(name: str) -> None:
    sent, body = COMPLETE[name]
    with ScriptedServer(send(sent)) as server:
        response = get(server)
    assert (response.status, response.body, response.local_address) == (200, body, "127.0.0.1")


def test_a_post() -> None:
    with ScriptedServer(send(http(b""))) as server:
        host, port = server.address
        response = transport.post(server.address, "/x", {"Metadata": "true"}, b'{"a":1}', 2.0, 5.0, 5.0)
    assert (response.status, response.body) == (200, b"")
    (request,) = server.requests
    head, body = request.split(b"\r\n\r\n")
    assert head.decode().split("\r\n") == [
        "POST /x HTTP/1.1",
        f"Host: {host}:{port}",
        "Metadata: true",
        "Content-Length: 7",
        "Connection: close",
    ]
    assert body == b'{"a":1}'


@pytest.mark.parametrize("name", ["content-length", "content-length 0", "chunked", "chunked, extension and trailer"])
def test_does_not_wait_for_the_end_of_the_connection(name: str) -> None:
    sent, body = COMPLETE[name]
    with ScriptedServer(hold(sent)) as server:
        assert get(server).body == body


@pytest.mark.parametrize("name", ["content-length", "until close", "chunked"])
def test_bytes_may_come_one_by_one(name: str) -> None:
    sent, body = COMPLETE[name]
    with ScriptedServer(drip(sent, 0)) as server:
        assert get(server).body == body


@pytest.mark.parametrize("status", [204, 304])
def test_statuses_without_a_body_are_complete_with_their_head(status: int) -> None:
    with ScriptedServer(hold(f"HTTP/1.1 {status} X\r\nContent-Length: 5\r\n\r\n".encode())) as server:
        response = get(server)
    assert (response.status, response.body) == (status, b"")


def test_headers_are_found_by_lower_case_names_and_the_last_one_wins() -> None:
    head = b"HTTP/1.1 200 OK\r\nX-MS-Request-Id:  a \r\nx-ms-request-id: b\r\nServer: IMDS/1:2\r\nRetry-After:\r\n\r\n"
    with ScriptedServer(send(head)) as server:
        headers = get(server).headers
    assert headers == {"x-ms-request-id": "b", "server": "IMDS/1:2", "retry-after": ""}


def test_the_request_is_written_as_http_demands() -> None:
    with ScriptedServer(send(http())) as server:
        transport.get(server.address, "/x?y=z", {"Metadata": "true", "Accept": "*/*"}, 2, 5, 5)
    host = f"127.0.0.1:{server.address[1]}"
    assert server.requests == [
        f"GET /x?y=z HTTP/1.1\r\nHost: {host}\r\nMetadata: true\r\nAccept: */*\r\nConnection: close\r\n\r\n".encode()
    ]


def test_host_header_names_no_port_where_it_is_80() -> None:
    request = transport.written(("169.254.169.254", 80), "/", {})
    assert b"\r\nHost: 169.254.169.254\r\n" in request


def test_a_server_on_ipv6_is_asked() -> None:
    try:
        server = ScriptedServer(send(http(JSON)), host="::1")
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with server:
        response = get(server)
    assert (response.body, response.local_address) == (JSON, "::1")
    assert f"\r\nHost: [::1]:{server.address[1]}\r\n".encode() in server.requests[0]


def test_binds_to_the_source_that_it_is_told() -> None:
    with ScriptedServer(send(http(JSON))) as server:
        response = transport.get(server.address, "/", {}, 2, 5, 5, source="127.0.0.2")
    assert response.local_address == "127.0.0.2"


def test_redirects_are_an_answer_like_any_other() -> None:
    target = ScriptedServer(send(http()))
    with target, ScriptedServer(send(http(status="302 Found", Location=target.endpoint + "/"))) as server:
        response = get(server)
    assert (response.status, response.headers["location"]) == (302, target.endpoint + "/")
    assert (server.connections, target.connections) == (1, 0)


@pytest.mark.parametrize("name", FAILURES)
def test_each_failure_has_its_kind(name: str) -> None:
    step, kind, silent = FAILURES[name]
    started = time.monotonic()
    read_timeout = 0.3 if kind == "read_timeout" else 10
    with ScriptedServer(step) as server, pytest.raises(transport.TransportError) as caught:
        get(server, read_timeout=read_timeout, timeout=10)
    assert (caught.value.kind, caught.value.silent) == (kind, silent)
    assert caught.value.local_address == "127.0.0.1"
    assert str(caught.value)
    assert time.monotonic() - started < read_timeout + SLACK


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("too large, announced", "the body of the answer is larger than 512 KiB"),
        ("too large, one chunk", "the body of the answer is larger than 512 KiB"),
        ("too large, many chunks", "the body of the answer is larger than 512 KiB"),
        ("too large, until close", "the body of the answer is larger than 512 KiB"),
        ("a head without end", "the head of the answer is larger than 64 KiB"),
        ("a head too large, with an end", "the head of the answer is larger than 64 KiB"),
        ("a chunk extension without end", "the head of a chunk is larger than 64 KiB"),
    ],
)
def test_what_is_too_large_is_named(name: str, part: str) -> None:
    with ScriptedServer(FAILURES[name][0]) as server, pytest.raises(transport.TransportError) as caught:
        get(server)
    assert str(caught.value) == part


def test_a_reset_in_the_middle_is_an_error_too() -> None:
    # The client may see the bytes before the reset, or only the reset.
    with ScriptedServer(reset(http(JSON)[:-3])) as server, pytest.raises(transport.TransportError) as caught:
        get(server)
    assert caught.value.kind == "reset"


@pytest.mark.parametrize("name", DRIPS)
@pytest.mark.parametrize("limits", [{"read_timeout": 0.3}, {"timeout": 0.3}], ids=["read_timeout", "timeout"])
def test_a_drip_does_not_outlast_the_deadline(name: str, limits: dict[str, float]) -> None:
    started = time.monotonic()
    with ScriptedServer(drip(DRIPS[name], 0.02)) as server:
        with pytest.raises(transport.TransportError) as caught:
            get(server, **limits)
        elapsed = time.monotonic() - started
    assert caught.value.kind == "read_timeout"
    assert 0.29 < elapsed < 0.3 + SLACK


def test_a_closed_port_refuses_the_connection() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(transport.TransportError) as caught:
            transport.get(taken.getsockname(), "/", {}, 2, 5, 5)
    assert (caught.value.kind, caught.value.local_address, caught.value.silent) == ("refused", None, False)


def test_a_source_that_the_host_does_not_have() -> None:
    with ScriptedServer(send(http())) as server, pytest.raises(transport.TransportError) as caught:
        transport.get(server.address, "/", {}, 2, 5, 5, source="192.0.2.1")
    assert caught.value.kind == "no_route"
    assert server.connections == 0


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "no_route"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "no_route"),
        (OSError(errno.EACCES, "Permission denied"), "route_prohibited"),  # ip route add prohibit
        (OSError(errno.EPERM, "Operation not permitted"), "route_prohibited"),  # iptables
        (OSError(errno.EINVAL, "Invalid argument"), "route_prohibited"),  # ip route add blackhole
        (OSError(errno.ECONNREFUSED, "Connection refused"), "refused"),
        (OSError(errno.ECONNRESET, "Connection reset by peer"), "refused"),
        (OSError(errno.ETIMEDOUT, "Connection timed out"), "connect_timeout"),
        (socket.timeout("timed out"), "connect_timeout"),
        (OSError("no number at all"), "no_route"),
    ],
    ids=repr,
)
def test_what_the_system_says_about_a_connection(monkeypatch: Any, error: OSError, kind: str) -> None:
    def fail(_self: socket.socket, _address: Any) -> None:
        raise error

    monkeypatch.setattr(socket.socket, "connect", fail)
    with pytest.raises(transport.TransportError) as caught:
        transport.get(("169.254.169.254", 80), "/", {}, 2, 5, 5)
    assert caught.value.kind == kind
    assert str(caught.value)


def test_connecting_has_no_more_time_than_the_whole(monkeypatch: Any) -> None:
    seen = []

    def fail(self: socket.socket, _address: Any) -> None:
        seen.append(self.gettimeout())
        raise socket.timeout

    monkeypatch.setattr(socket.socket, "connect", fail)
    for timeout in (0.5, 9.0):
        with pytest.raises(transport.TransportError):
            transport.get(("127.0.0.1", 1), "/", {}, 2, 5, timeout)
    assert seen == [0.5, 2]


def test_the_address_is_not_resolved(monkeypatch: Any) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", None)
    with ScriptedServer(send(http(JSON))) as server:
        assert get(server).body == JSON


# As plain files, without anything of Ansible: as the local fact script runs it.
PROGRAM = """
import json, sys
sys.path.insert(0, sys.argv[1])
from _imds.gather import gather
from _imds.options import settings
print(json.dumps(gather(settings({"endpoint": sys.argv[2], "detect": "force", "timeout": 10}))[0]))
"""


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_hostile_environments_change_nothing(name: str, tmp_path: Path) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login spy password secret\ndefault login spy password secret\n")
    netrc.chmod(0o600)
    package = Path(transport.__file__).parent.parent
    proxy = ScriptedServer(send(http(b"<html>proxy</html>", Content_Type="text/html")))
    hostile = {key: value.replace("PROXY", proxy.endpoint) for key, value in ENVIRONMENTS[name].items()}
    with proxy, ScriptedServer(send(document({"compute": {"name": "web-1"}}))) as server:
        done = subprocess.run(
            [sys.executable, "-B", "-c", PROGRAM, str(package), server.endpoint],
            env={"PATH": os.environ.get("PATH", ""), "HOME": str(tmp_path), "NETRC": str(netrc), **hostile},
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
    assert '"name": "web-1"' in done.stdout
    assert proxy.connections == 0
    assert len(server.requests) == 1
    head = server.requests[0].decode()
    assert head.startswith("GET /metadata/instance?api-version=")
    assert "authorization" not in head.lower()
    assert "forwarded" not in head.lower()
