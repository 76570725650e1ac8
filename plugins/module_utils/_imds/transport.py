# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One HTTP request over one TCP connection. Knows HTTP, but nothing about Azure.

It talks to an address, never to a name, so there is nothing to resolve and no proxy, netrc or redirect to obey. One
deadline covers the whole exchange: a server that drips bytes can't outlast it. Importing http.client would cost more
time on the target than the exchange itself (it is recompiled for every module run that imports it, and so is email).
"""

from __future__ import annotations

import errno
import os
import socket
import time

# Linux' numbers, for which Python has names only there.
_SO_BINDTODEVICE = 25
_SO_MARK = 36

MAX_HEAD = 64 * 1024
MAX_BODY = 512 * 1024

# How the system reports a failed connection; any other error means that there is no route to the address.
_CONNECT_ERRORS: dict[int | None, str] = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "refused",
    errno.EPIPE: "refused",
    errno.ETIMEDOUT: "connect_timeout",
    errno.EACCES: "route_prohibited",  # a prohibit route
    errno.EPERM: "route_prohibited",  # a firewall
    errno.EINVAL: "route_prohibited",  # a blackhole route
}
_DIGITS = {10: frozenset(b"0123456789"), 16: frozenset(b"0123456789abcdefABCDEF")}


class Response:
    """status, headers (names in lower case, the last one of a name wins), body, and the address it was received on.

    peer: IP:port at the other end, which is another than asked where the system redirects the connection.
    """

    def __init__(self, status: int, headers: dict[str, str], body: bytes, local_address: str, peer: str = "") -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.local_address = local_address
        self.peer = peer


class TransportError(Exception):
    """No complete HTTP response.

    :param kind: no_route, route_prohibited, connect_timeout, read_timeout, refused, reset, malformed or too_large
    :param local_address: the address the connection was made from, once there was one
    :param silent: the connection was established, but not a single byte arrived
    :param peer: IP:port at the other end, once there was one
    """

    def __init__(
        self, kind: str, detail: str, local_address: str | None = None, silent: bool = False, peer: str = ""
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.local_address = local_address
        self.silent = silent
        self.peer = peer


def get(
    address: tuple[str, int],
    target: str,
    headers: dict[str, str],
    connect_timeout: float,
    read_timeout: float,
    timeout: float,
    source: str | None = None,
    device: str | None = None,
    mark: int | None = None,
) -> Response:
    """GET target from address (IP, port).

    :param connect_timeout: seconds to wait for the TCP connection
    :param read_timeout: seconds to wait for the whole response after that
    :param timeout: seconds for both together, if that is less than their sum
    :param source: local IP address to bind to instead of the one that the system would choose
    :param device: interface to bind to as well, whatever the routes say; left out where the system does not allow it
    :param mark: firewall mark of the connection, which only root may set
    :raises TransportError: for everything but a complete HTTP response
    """
    request = written(address, target, headers)
    return _exchange(address, request, connect_timeout, read_timeout, timeout, source, device, mark)


def post(
    address: tuple[str, int],
    target: str,
    headers: dict[str, str],
    body: bytes,
    connect_timeout: float,
    read_timeout: float,
    timeout: float,
    source: str | None = None,
    mark: int | None = None,
) -> Response:
    """POST a body to target. As get, of which the other parameters are.

    :raises TransportError: for everything but a complete HTTP response; the request may have arrived all the same
    """
    headers = {**headers, "Content-Length": str(len(body))}
    request = written(address, target, headers, "POST") + body
    return _exchange(address, request, connect_timeout, read_timeout, timeout, source, None, mark)


def _exchange(
    address: tuple[str, int],
    request: bytes,
    connect_timeout: float,
    read_timeout: float,
    timeout: float,
    source: str | None,
    device: str | None,
    mark: int | None,
) -> Response:
    end = time.monotonic() + timeout
    connection = _connect(address, min(connect_timeout, timeout), source, device, mark)
    with connection:
        return exchange(connection, request, min(read_timeout, end - time.monotonic()))


def exchange(connection: socket.socket, request: bytes, limit: float) -> Response:
    """Send a request over a connection, and read the response.

    :param limit: seconds for both together
    :raises TransportError: for everything but a complete HTTP response
    """
    reader = _Reader(connection, limit)
    try:
        reader.send(request)
        return _read_response(reader)
    except socket.timeout:
        raise reader.error("read_timeout", f"no complete answer within {max(limit, 0):.3g} s") from None
    except OSError as error:
        raise reader.error("reset", _describe(error)) from None


def _connect(
    address: tuple[str, int], timeout: float, source: str | None, device: str | None, mark: int | None
) -> socket.socket:
    """A connection.

    Not socket.create_connection: it resolves even an address, which loads the tables for international names.
    """
    connection = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout)
        if mark is not None:
            connection.setsockopt(socket.SOL_SOCKET, _SO_MARK, mark)
        if device:
            _bind_to_device(connection, device)
        if source:
            connection.bind((source, 0))
        connection.connect(address)
        return connection
    except OSError as error:
        connection.close()
        if isinstance(error, socket.timeout):
            raise TransportError("connect_timeout", f"no connection within {timeout:.3g} s") from None
        raise TransportError(_CONNECT_ERRORS.get(error.errno, "no_route"), _describe(error)) from None


def _bind_to_device(connection: socket.socket, device: str) -> None:
    try:  # noqa: SIM105 - contextlib would be loaded for this alone
        connection.setsockopt(socket.SOL_SOCKET, _SO_BINDTODEVICE, os.fsencode(device) + b"\0")
    except PermissionError:
        pass  # kernels before 5.7 leave this to root


def _peer(connection: socket.socket) -> str:
    try:
        host, port = connection.getpeername()[:2]
    except OSError:
        return ""
    return f"{host}:{port}"


def _describe(error: OSError) -> str:
    return error.strerror or str(error)


def written(address: tuple[str, int], target: str, headers: dict[str, str], verb: str = "GET") -> bytes:
    """A request as it is sent, without a body."""
    host, port = address
    host = f"[{host}]" if ":" in host else host
    lines = [f"{verb} {target} HTTP/1.1", f"Host: {host}" if port == 80 else f"Host: {host}:{port}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += ["Connection: close", "", ""]
    return "\r\n".join(lines).encode("ascii")


class _Reader:
    """Reads from a socket under one deadline, with size limits."""

    def __init__(self, connection: socket.socket, timeout: float) -> None:
        self._connection = connection
        self._deadline = time.monotonic() + timeout
        self._buffer = bytearray()
        self._received = False
        self.local_address: str = connection.getsockname()[0]
        self.peer = _peer(connection)

    def error(self, kind: str, detail: str) -> TransportError:
        return TransportError(kind, detail, self.local_address, not self._received, self.peer)

    def _arm(self) -> None:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise socket.timeout
        self._connection.settimeout(remaining)

    def send(self, data: bytes) -> None:
        self._arm()
        self._connection.sendall(data)

    def _more(self) -> bool:
        self._arm()
        data = self._connection.recv(65536)
        self._received = self._received or bool(data)
        self._buffer += data
        return bool(data)

    def _limit(self, size: int, limit: int, part: str = "the body of the answer") -> None:
        if size > limit:
            raise self.error("too_large", f"{part} is larger than {limit // 1024} KiB")

    def _take(self, size: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def until(self, end: bytes, part: str = "the head of the answer") -> bytes:
        """All bytes before end, which is discarded; part names them in error messages."""
        while True:
            position = self._buffer.find(end)
            self._limit(len(self._buffer) if position < 0 else position, MAX_HEAD, part)
            if position >= 0:
                return self._take(position + len(end))[:position]
            if not self._more():
                if self._received:
                    raise self.error("malformed", "the connection closed in the middle of the answer's head")
                raise self.error("reset", "the connection closed without an answer")

    def exactly(self, size: int) -> bytes:
        self._limit(size, MAX_BODY)
        while len(self._buffer) < size:
            if not self._more():
                raise self.error("malformed", f"the answer ends after {len(self._buffer)} of {size} bytes")
        return self._take(size)

    def rest(self) -> bytes:
        while self._more():
            self._limit(len(self._buffer), MAX_BODY)
        return self._take(len(self._buffer))

    def chunks(self) -> bytes:
        body = bytearray()
        while True:
            size = self._number(self.until(b"\r\n", "the head of a chunk").split(b";", 1)[0], 16)
            if size == 0:
                return bytes(body)
            self._limit(len(body) + size, MAX_BODY)
            body += self.exactly(size)
            if self.exactly(2) != b"\r\n":
                raise self.error("malformed", "a chunk is longer than it says")

    def _number(self, text: bytes, base: int) -> int:
        """A length. Digits only: int() would also accept signs, underscores and 0x."""
        digits = text.strip(b" \t")
        if not 0 < len(digits) <= 18 or not set(digits) <= _DIGITS[base]:
            raise self.error("malformed", "the answer states no valid length")
        return int(digits, base)

    def body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return self.chunks()
        if "content-length" in headers:
            return self.exactly(self._number(headers["content-length"].encode("latin-1"), 10))
        return self.rest()


def _read_response(reader: _Reader) -> Response:
    head = reader.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
    parts = head[0].split(" ", 2)
    # Not isdigit, which accepts a superscript two.
    if len(parts) < 2 or not parts[0].startswith("HTTP/1.") or len(parts[1]) != 3 or not parts[1].isdecimal():
        raise reader.error("malformed", "the answer is not HTTP")
    headers = {}
    for line in head[1:]:
        name, _colon, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    status = int(parts[1])
    body = b"" if status in (204, 304) else reader.body(headers)
    return Response(status, headers, body, reader.local_address, reader.peer)
