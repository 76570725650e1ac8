# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a request's body, whether anybody wants it or not: what stays unread would be taken for the next request."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from io import BufferedIOBase

LARGEST = 1024 * 1024
DEADLINE = 5.0  # seconds for the whole body


class BodyError(ValueError):
    """The body cannot be read; ``status`` is the answer's."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def read_body(stream: BufferedIOBase, connection: socket.socket, headers: Mapping[str, str]) -> bytes:
    """The body that these headers (names in lower case) announce.

    :raises BodyError: if there is no such body
    """
    reader = _Reader(stream, connection)
    if headers.get("transfer-encoding", "identity").strip().lower() != "identity":
        return reader.chunked()
    length = headers.get("content-length", "0").strip()
    if not (length.isascii() and length.isdigit() and len(length) < 20):
        raise BodyError(400)
    return reader.exactly(int(length))


class _Reader:
    def __init__(self, stream: BufferedIOBase, connection: socket.socket) -> None:
        self._stream = stream
        self._connection = connection
        self._until = time.monotonic() + DEADLINE
        self._total = 0

    def exactly(self, length: int) -> bytes:
        self._total += length
        if self._total > LARGEST:
            raise BodyError(413)
        parts = []
        while length:
            part = self._some(length)
            length -= len(part)
            parts.append(part)
        return b"".join(parts)

    def chunked(self) -> bytes:
        parts = []
        while True:
            size = self._line().partition(b";")[0].strip()
            if not size or len(size) > 8 or not all(digit in b"0123456789abcdefABCDEF" for digit in size):
                raise BodyError(400)
            if not int(size, 16):
                break
            parts.append(self.exactly(int(size, 16)))
            if self._line():
                raise BodyError(400)
        while self._line():  # trailers: bounded by LARGEST
            pass
        return b"".join(parts)

    def _line(self) -> bytes:
        line = b""
        while not line.endswith(b"\n"):
            line += self._some(1)
            self._total += 1
            if self._total > LARGEST:
                raise BodyError(413)
        return line.strip()

    def _some(self, length: int) -> bytes:
        """At least one byte, at most ``length``, before the deadline."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise BodyError(400)
        self._connection.settimeout(left)
        try:
            part = self._stream.read1(length)
        except socket.timeout:
            raise BodyError(400) from None
        if not part:
            raise BodyError(400)
        return bytes(part)
