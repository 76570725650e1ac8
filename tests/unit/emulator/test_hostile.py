# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests that no honest client sends, and connections that no honest client makes."""

from __future__ import annotations

import socket
from typing import Any

import pytest

GET = b"GET /metadata/versions HTTP/1.1\r\nMetadata: true\r\n"


@pytest.fixture(autouse=True)
def _still_alive(imds: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Short waits, and after each test the emulator still answers and no thread has died of an exception."""
    crashes: list[Any] = []
    monkeypatch.setattr("azure_imds_emulator.server.IDLE", 0.3)
    monkeypatch.setattr("azure_imds_emulator.body.DEADLINE", 0.3)
    monkeypatch.setattr("azure_imds_emulator.server.traceback.print_exc", lambda: crashes.append("crash"))
    yield
    assert imds.get("/metadata/versions").status == 200
    assert not crashes


@pytest.mark.parametrize(
    "line",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
        b"GET",
        b"GET /metadata/versions HTTP/9.9",
        b"GET /metadata/versions HTTP/x",
        b"GET  /metadata/versions  HTTP/1.1 x",
        b"\x00\xff\xfe nonsense",
        b"SSH-2.0-OpenSSH_9.9",
        b"PRI * HTTP/2.0",
        b"POST /old",
    ],
)
def test_garbage_gets_an_error_of_the_front_end(imds: Any, line: bytes) -> None:
    reply = imds.raw(line + b"\r\n\r\n")
    assert reply is not None
    assert reply.names[:2] == ["Content-Type", "Server"]
    assert reply.header("Server") == "Microsoft-IIS/10.0"
    assert reply.status >= 400
    assert imds.requests()[0]["status"] == reply.status


def test_request_line_too_long(imds: Any) -> None:
    assert imds.raw(b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n").status == 414


@pytest.mark.parametrize("headers", [b"A: " + b"x" * 70_000 + b"\r\n", b"".join(b"H%d: x\r\n" % i for i in range(150))])
def test_huge_headers(imds: Any, headers: bytes) -> None:
    assert imds.raw(GET + headers + b"\r\n").status == 431


def test_long_but_legal_request(imds: Any) -> None:
    assert imds.get("/metadata/versions?" + "a" * 60_000).status == 200


@pytest.mark.parametrize("sent", [b"", b"\r\n", b"GET /metadata/ver", GET, GET + b"Half: he"])
@pytest.mark.parametrize("closing", [True, False])
def test_nothing_or_half_a_request(imds: Any, sent: bytes, closing: bool) -> None:
    with imds.connect() as connection:
        connection.send(sent)
        if closing:
            connection.socket.shutdown(socket.SHUT_WR)
        answer = connection.rest()  # ends: the emulator closes
    assert b" 200 " not in answer or closing


def test_an_empty_line_before_a_request(imds: Any) -> None:
    assert imds.raw(b"\r\n" + GET + b"\r\n").status == 200


def test_pipelined_requests_are_answered_in_order(imds: Any) -> None:
    with imds.connect() as connection:
        connection.send((GET + b"\r\n") * 5 + b"GET /nothing HTTP/1.1\r\n\r\n" + GET + b"Connection: close\r\n\r\n")
        assert [connection.reply().status for _ignored in range(7)] == [200] * 5 + [404, 200]
        assert connection.reply() is None


@pytest.mark.parametrize(
    "body",
    [
        b"Content-Length: 44\r\n\r\n" + b"GET /metadata/instance HTTP/1.1\r\nEvil: true\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;ext=1\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n",
        b"Transfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n",
        b"Content-Length: 0\r\n\r\n",
    ],
)
@pytest.mark.parametrize("method", [b"GET", b"POST", b"PUT"])
def test_unread_bodies_are_not_the_next_request(imds: Any, body: bytes, method: bytes) -> None:
    with imds.connect() as connection:
        connection.send(method + b" /metadata/versions HTTP/1.1\r\nMetadata: true\r\n" + body + GET + b"\r\n")
        assert connection.reply().status == (200 if method == b"GET" else 405)
        assert connection.reply().status == 200
    assert len(imds.requests()) == 2


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"Content-Length: -1\r\n\r\n", 400),
        (b"Content-Length: x\r\n\r\n", 400),
        (b"Content-Length: 1_0\r\n\r\n", 400),
        (b"Content-Length: 10\r\n\r\nshort", 400),
        (b"Content-Length: 99999999999\r\n\r\n", 413),
        (b"Content-Length: 999999999999999999999999\r\n\r\n", 400),
        (b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"Transfer-Encoding: chunked\r\n\r\n\r\n", 400),
        (b"Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n", 400),
        (b"Transfer-Encoding: chunked\r\n\r\nffffffff\r\nhello", 413),
        (b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel", 400),
    ],
)
def test_bad_bodies(imds: Any, body: bytes, status: int) -> None:
    with imds.connect() as connection:
        connection.send(GET + body)
        assert connection.reply().status == status
        assert connection.reply() is None


def test_a_large_body_that_is_read(imds: Any) -> None:
    size = 1024 * 1024
    with imds.connect() as connection:
        connection.send(GET + b"Content-Length: %d\r\n\r\n" % size + b"x" * size + GET + b"\r\n")
        assert [connection.reply().status for _ignored in range(2)] == [200, 200]


def test_expect_continue(imds: Any) -> None:
    with imds.connect() as connection:
        connection.send(GET + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        interim = connection.socket.recv(1000)
        assert interim == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.send(b"xx")
        assert connection.reply().status == 200


@pytest.mark.parametrize("version", [b"HTTP/1.0", b"HTTP/1.0\r\nConnection: close"])
def test_old_clients(imds: Any, version: bytes) -> None:
    with imds.connect() as connection:
        connection.send(b"GET /metadata/versions " + version + b"\r\nMetadata: true\r\n\r\n")
        reply = connection.reply()
        assert (reply.status_line, reply.header("Connection")) == ("HTTP/1.1 200 OK", "close")
        assert connection.reply() is None


@pytest.mark.parametrize("header", [b"keep-alive", b"Keep-Alive, TE"])
def test_old_clients_that_want_to_stay_are_told_so(imds: Any, header: bytes) -> None:
    with imds.connect() as connection:
        for _ignored in range(2):
            connection.send(b"GET /metadata/versions HTTP/1.0\r\nMetadata: true\r\nConnection: " + header + b"\r\n\r\n")
            assert connection.reply().header("Connection") == "keep-alive"


@pytest.mark.parametrize("header", [b"close", b"Close", b"TE, close", b"TE\r\nConnection: close"])
def test_close_among_other_words(imds: Any, header: bytes) -> None:
    with imds.connect() as connection:
        connection.send(GET + b"Connection: " + header + b"\r\n\r\n")
        assert connection.reply().header("Connection") == "close"
        assert connection.reply() is None


def test_headers_without_colon(imds: Any) -> None:
    assert imds.raw(b"GET /metadata/versions HTTP/1.1\r\nnonsense\r\nMetadata: true\r\n\r\n").status in (200, 400)


def test_many_idle_connections(imds: Any) -> None:
    connections = [imds.connect() for _ignored in range(40)]
    try:
        assert imds.get("/metadata/versions").status == 200
    finally:
        for connection in connections:
            connection.close()


def test_a_client_that_goes_away(imds: Any) -> None:
    imds.fault(delay=0.05, count=5)
    for _ignored in range(5):
        with imds.connect() as connection:
            connection.send(GET + b"\r\n")
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
