# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Receives what watchers post: an HTTP server for small JSON documents, and nothing more."""

from __future__ import annotations

import asyncio
import hmac
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

from . import message
from .options import ReceiveOptions
from .repeats import Repeats

# Seconds for a whole request.
DEADLINE = 10.0
MAX_HEAD = 16 * 1024
MAX_BODY = 1024 * 1024
# Connections at the same time; each may hold MAX_BODY.
MAX_CONNECTIONS = 64

Emit = Callable[[dict[str, Any]], Awaitable[None]]

_PHRASES = {
    204: "No Content",
    400: "Bad Request",
    401: "Unauthorized",
    405: "Method Not Allowed",
    408: "Request Timeout",
    411: "Length Required",
    413: "Content Too Large",
    503: "Service Unavailable",
}


class _RefusedError(Exception):
    def __init__(self, status: int, text: str = "") -> None:
        super().__init__(text)
        self.status = status


class Receiver:
    """One server. ``emit`` gets every message that is new."""

    def __init__(self, options: ReceiveOptions, emit: Emit, deadline: float = DEADLINE) -> None:
        self._options = options
        self._emit = emit
        self._deadline = deadline
        self._repeats = Repeats()
        self._connections = 0

    async def start(self) -> asyncio.Server:
        """Listen.

        :raises OSError: the address is taken, or the certificate can't be read
        """
        context = None
        if self._options.certfile:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(self._options.certfile, self._options.keyfile)
        host, port = self._options.address
        return await asyncio.start_server(self._serve, host, port, limit=MAX_HEAD, ssl=context)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        try:
            answer, complete = await self._answer(reader)
            writer.write(answer)
            await asyncio.wait_for(writer.drain(), self._deadline)
            if not complete:
                # What is closed with unread data resets the connection, and the answer would be lost.
                await asyncio.wait_for(reader.read(MAX_BODY), self._deadline)
        except (OSError, asyncio.TimeoutError):
            pass  # whoever has gone needs no answer
        finally:
            self._connections -= 1
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[bytes, bool]:
        """The answer to a request, and whether all of the request was read."""
        try:
            if self._connections > MAX_CONNECTIONS:
                raise _RefusedError(503, "too many connections")
            received = await asyncio.wait_for(self._read(reader), self._deadline)
        except _RefusedError as refusal:
            return _answer(refusal.status, str(refusal)), False
        except asyncio.TimeoutError:
            return _answer(408, "the request was not complete in time"), True
        if self._repeats.is_new(received):
            await self._emit(received)
        return _answer(204), True

    async def _read(self, reader: asyncio.StreamReader) -> dict[str, Any]:
        """The message of one request; the token is checked before the body is read.

        :raises _RefusedError: with the status of the answer
        """
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            raise _RefusedError(400, "the head of the request is incomplete or too long") from None
        headers = {}
        for line in head[1:]:
            name, _colon, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        self._authorize(headers.get("authorization", ""))
        if not head[0].startswith("POST "):
            raise _RefusedError(405, "post a message")
        length = headers.get("content-length", "")
        if not length.isdecimal() or not length.isascii() or len(length) > 18:
            raise _RefusedError(411, "Content-Length is required")
        if int(length) > MAX_BODY:
            raise _RefusedError(413, f"at most {MAX_BODY} bytes are accepted")
        try:
            return message.parse(await reader.readexactly(int(length)))
        except asyncio.IncompleteReadError:
            raise _RefusedError(400, "the body is incomplete") from None
        except message.MessageError as error:
            raise _RefusedError(400, str(error)) from None

    def _authorize(self, given: str) -> None:
        """:raises _RefusedError: the token is missing or wrong"""
        if self._options.token is None:
            return
        expected = f"Bearer {self._options.token}"
        if not hmac.compare_digest(given.encode("latin-1"), expected.encode("utf-8")):
            raise _RefusedError(401, "the token is missing or wrong")


def _answer(status: int, text: str = "") -> bytes:
    body = f"{text}\n".encode() if text else b""
    lines = [f"HTTP/1.1 {status} {_PHRASES[status]}", "Connection: close"]
    if status == 401:
        lines.append("WWW-Authenticate: Bearer")
    if status != 204:
        lines += ["Content-Type: text/plain; charset=utf-8", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body
