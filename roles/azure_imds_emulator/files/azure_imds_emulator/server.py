# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP server: sockets in, requests and bytes out. It knows nothing of Azure.

Python's http.server reads requests; all that it would say by itself (its headers, error pages, 501) is replaced.
Each answer is one write, with Nagle's algorithm off: else it waits 40 ms for the client's delayed ACK.
"""

from __future__ import annotations

import contextlib
import email.utils
import re
import socket
import struct
import sys
import time
import traceback
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any, Optional

from . import body, unevidenced
from .message import Answer, Envelope, Request, encode, split_target

IDLE = 60.0  # seconds that a connection may stay without a request
LINGER = 1.0  # seconds in which a closing connection still reads, so that a client that sends on gets its answer
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]+[ \t]*")
NEWEST_BUILD = 1854  # seen in 2026; ends the Server header


class Channel:
    """What may be done with the connection of the request at hand."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    def encode(self, answer: Answer) -> bytes:
        """The answer's bytes for this request."""
        handler = self._handler
        envelope = Envelope(
            date=email.utils.formatdate(usegmt=True),
            request_id=str(uuid.uuid4()),
            build=handler.server.build,
            connection=handler.says_of_connection(),
            head_only=handler.command == "HEAD",
        )
        return encode(answer, envelope)

    def send(self, data: bytes) -> None:
        """Write at once."""
        self._handler.connection.sendall(data)

    def close(self) -> None:
        """Close after what was sent."""
        self._handler.close_connection = True

    def reset(self) -> None:
        """Abort: the peer gets a RST."""
        handler = self._handler
        handler.close_connection = True
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.rfile.close()
        handler.connection.close()

    def stay_silent(self, seconds: float) -> None:
        """Keep the connection open without a word, until the peer gives up or the time is over."""
        self._handler.close_connection = True
        _read_away(self._handler.connection, seconds)


class Handler(BaseHTTPRequestHandler):
    """One connection: reads requests, hands each to the server's service."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE
    server: Server

    def handle_one_request(self) -> None:
        """Read one request and serve it; sets ``close_connection`` where none may follow."""
        self.command, self.path, self.headers = "", "", None  # type: ignore[assignment]
        self.close_connection = True
        self.connection.settimeout(IDLE)
        self.raw_requestline = self.rfile.readline(65537)
        if self.raw_requestline in (b"\r\n", b"\n"):  # one empty line before a request is harmless
            self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline:
            return
        self.requestline, self.request_version = "", ""
        if len(self.raw_requestline) > 65536:
            self.send_error(414)
        elif self.parse_request():
            self._serve()

    def _serve(self) -> None:
        self._heed_connection_header()
        headers = {name.lower(): value for name, value in self._fields()}
        try:
            content = body.read_body(self.rfile, self.connection, headers)
        except body.BodyError as error:
            self.send_error(error.status)
            return
        self.connection.settimeout(IDLE)
        self.server.service.exchange(self._request(content), Channel(self))

    def _fields(self) -> Iterator[tuple[str, str]]:
        """The headers, each on one line and without control characters (RFC 9112, 5.2), so that it can be sent back."""
        for name, value in self.headers.items():
            yield name, _CONTROL.sub(" ", str(value))

    def _heed_connection_header(self) -> None:
        """A list of words, of which http.server knows only one that stands alone."""
        words = [word.strip().lower() for line in self.headers.get_all("Connection", []) for word in line.split(",")]
        if "close" in words:
            self.close_connection = True
        elif "keep-alive" in words:
            self.close_connection = False

    def says_of_connection(self) -> Optional[str]:
        """The Connection header of the answer. A client of HTTP/1.0 waits for the end unless it is told otherwise."""
        if self.close_connection:
            return "close"
        return "keep-alive" if self.request_version == "HTTP/1.0" else None

    def _request(self, content: bytes = b"") -> Request:
        path, query = split_target(self.path)
        headers = tuple(self._fields()) if self.headers else ()
        local = self.connection.getsockname()
        source = str(self.client_address[0])
        return Request(self.command or "", path, query, headers, content, source, (local[0], local[1]))

    def send_error(self, code: int, *_args: Any, **_more: Any) -> None:
        """Answer what is not a request, in our own words; then the connection ends."""
        self.close_connection = True
        self.server.service.malformed(self._request(), unevidenced.malformed(int(code)), Channel(self))

    def handle_expect_100(self) -> bool:
        """Let a client that asks first send its body."""
        self.connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        return True

    def finish(self) -> None:
        """Close in the order that lets the last answer arrive."""
        with contextlib.suppress(OSError, ValueError):
            self.connection.shutdown(socket.SHUT_WR)
            _read_away(self.connection, LINGER)
        with contextlib.suppress(OSError, ValueError):
            super().finish()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing: the request log is the log."""


def _read_away(connection: socket.socket, seconds: float) -> None:
    """Read and forget until the peer closes, or the time is over."""
    until = time.monotonic() + seconds
    with contextlib.suppress(OSError):
        while True:
            left = until - time.monotonic()
            if left <= 0:
                return
            connection.settimeout(left)
            if not connection.recv(65536):
                return


class Server(ThreadingHTTPServer):
    """One listening socket; a thread for each connection."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], service: Any, build: int = NEWEST_BUILD) -> None:
        """``service``: ``exchange(request, channel)`` and ``malformed(request, answer, channel)``.

        :raises OSError: if the system refuses
        """
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.service = service
        self.build = build
        super().__init__(address, Handler)

    @property
    def address(self) -> tuple[str, int]:
        """Where it really listens."""
        return str(self.server_address[0]), int(self.server_address[1])

    def server_bind(self) -> None:
        """Bind without the name lookup that http.server makes."""
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[0], self.server_address[1]  # type: ignore[assignment]

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """A peer that went away is not an error; a fault of ours is, and goes to stderr."""
        error = sys.exc_info()[1]
        if not isinstance(error, (ConnectionError, TimeoutError, socket.timeout)):
            traceback.print_exc()
