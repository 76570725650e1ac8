# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One HTTP answer, byte by byte, and what a client makes of it."""

from __future__ import annotations

import os

from ..scripted_server import (
    Step,
    hold,
    http,
    reset,
    send,
)

# Generous, because the machine may be busy: a deadline that is not kept is missed by far more.
SLACK = 3.0

JSON = b'{"compute":{"name":"web-1"}}'
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

COMPLETE: dict[str, tuple[bytes, bytes]] = {
    "content-length": (http(JSON), JSON),
    "content-length, and more than that": (http(JSON) + b"HTTP/1.1 500", JSON),
    "content-length 0": (http(b""), b""),
    "content-length with leading zeros": (b"HTTP/1.1 200 OK\r\nContent-Length: 0002\r\n\r\n{}", b"{}"),
    "until close": (b"HTTP/1.1 200 OK\r\nServer: IMDS\r\n\r\n" + JSON, JSON),
    "until close, nothing": (b"HTTP/1.1 200 OK\r\n\r\n", b""),
    "HTTP/1.0 without a reason phrase": (b"HTTP/1.0 200\r\n\r\n" + JSON, JSON),
    "chunked": (CHUNKED + b'5\r\n{"a":\r\n3\r\n 1}\r\n0\r\n\r\n', b'{"a": 1}'),
    "chunked, upper-case size": (CHUNKED + b"A\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
    "chunked, extension and trailer": (CHUNKED + b"2;x=y\r\n{}\r\n0\r\nX-Trailer: 1\r\n\r\n", b"{}"),
    "chunked beats content-length": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"{}",
    ),
    "many small chunks": (CHUNKED + b"1\r\nx\r\n" * 20000 + b"0\r\n\r\n", b"x" * 20000),
    "several receives": (http(b"x" * 512 * 1024), b"x" * 512 * 1024),
}

# name: (what the server does, kind, whether not one byte came)
FAILURES: dict[str, tuple[Step, str, bool]] = {
    "closed before the answer": (send(b""), "reset", True),
    "reset before the answer": (reset(), "reset", True),
    "silence": (hold(), "read_timeout", True),
    "silence within the head": (hold(b"HTTP/1.1 200 OK\r\nServer"), "read_timeout", False),
    "silence within the body": (hold(http(JSON)[:-3]), "read_timeout", False),
    "silence within a chunk": (hold(CHUNKED + b"5\r\n{}"), "read_timeout", False),
    "until close, but never closed": (hold(b"HTTP/1.1 200 OK\r\n\r\n" + JSON), "read_timeout", False),
    "closed within the head": (send(b"HTTP/1.1 200 OK\r\nServer"), "malformed", False),
    "closed within the body": (send(http(JSON)[:-3]), "malformed", False),
    "closed within a chunk": (send(CHUNKED + b"5\r\n{}"), "malformed", False),
    "closed before the last chunk": (send(CHUNKED + b"2\r\n{}\r\n"), "malformed", False),
    "garbage": (send(os.urandom(64).replace(b"\r\n\r\n", b"") + b"\r\n\r\n"), "malformed", False),
    "another protocol": (send(b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n"), "malformed", False),
    "HTTP/2": (send(b"HTTP/2 200\r\n\r\n"), "malformed", False),
    "a status of letters": (send(b"HTTP/1.1 abc X\r\n\r\n"), "malformed", False),
    "a status of superscripts": (send(b"HTTP/1.1 \xb2\xb2\xb2 X\r\n\r\n"), "malformed", False),
    "a status of four digits": (send(b"HTTP/1.1 2000 X\r\n\r\n"), "malformed", False),
    "an empty head": (send(b"\r\n\r\n"), "malformed", False),
    "a length below zero": (send(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), "malformed", False),
    "a length with a sign": (send(b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n{}"), "malformed", False),
    "a length with an underscore": (send(b"HTTP/1.1 200 OK\r\nContent-Length: 0_2\r\n\r\n{}"), "malformed", False),
    "a length of superscripts": (send(b"HTTP/1.1 200 OK\r\nContent-Length: \xb2\r\n\r\n{}"), "malformed", False),
    "a length of nothing": (send(b"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n{}"), "malformed", False),
    "a length of thousands of digits": (
        send(b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 9999 + b"\r\n\r\n"),
        "malformed",
        False,
    ),
    "a chunk size with 0x": (send(CHUNKED + b"0x2\r\n{}\r\n0\r\n\r\n"), "malformed", False),
    "a chunk size of nothing": (send(CHUNKED + b"\r\n{}\r\n0\r\n\r\n"), "malformed", False),
    "a chunk longer than it says": (send(CHUNKED + b"2\r\n{   }\r\n0\r\n\r\n"), "malformed", False),
    "a chunk without its end": (send(CHUNKED + b"2\r\n{}xx0\r\n\r\n"), "malformed", False),
    "too large, announced": (send(b"HTTP/1.1 200 OK\r\nContent-Length: 524289\r\n\r\n"), "too_large", False),
    "too large, one chunk": (send(CHUNKED + b"80001\r\n"), "too_large", False),
    "too large, many chunks": (
        send(CHUNKED + b"20000\r\n" + (b"x" * 0x20000 + b"\r\n20000\r\n") * 5),
        "too_large",
        False,
    ),
    "too large, until close": (send(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 524_289), "too_large", False),
    "a head without end": (send(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 140_000), "too_large", False),
    "a head too large, with an end": (
        send(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 66_000 + b"\r\n\r\n"),
        "too_large",
        False,
    ),
    "a chunk extension without end": (send(CHUNKED + b"2;" + b"x" * 140_000), "too_large", False),
}

LONG = http(b"x" * 5000)

DRIPS = {
    "head": LONG[:60],
    "body": LONG,
    "chunks": CHUNKED + b"1\r\nx\r\n" * 1000,
    "until close": b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 5000,
}
