# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server on loopback that does byte by byte what a test tells it to."""

from __future__ import annotations

import json
import socket
import struct
import threading
from typing import Any, Callable

# Gets the connection, and an event that is set when the test is over.
Step = Callable[[socket.socket, threading.Event], None]


class ScriptedServer:
    """Context manager. The first connection gets the first step, and so on; the last step serves all that follow.

    requests: the head of each request, as received; connections: how many there were.
    """

    def __init__(self, *script: Step, host: str = "127.0.0.1") -> None:
        self._script = script
        self._over = threading.Event()
        self._listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        self._listener.bind((host, 0))
        self._listener.listen(16)
        self._listener.settimeout(0.02)
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        self.requests: list[bytes] = []
        self.connections = 0

    @property
    def endpoint(self) -> str:
        host, port = self.address
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def __enter__(self) -> ScriptedServer:
        self._threads[0].start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(5)
        self._listener.close()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                connection, _peer = self._listener.accept()
            except socket.timeout:
                continue
            step = self._script[min(self.connections, len(self._script) - 1)]
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection, step), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, step: Step) -> None:
        with connection:
            connection.settimeout(5)
            try:
                head = b""
                while b"\r\n\r\n" not in head:
                    data = connection.recv(4096)
                    if not data:
                        return
                    head += data
                self.requests.append(head)
                step(connection, self._over)
            except OSError:
                pass  # the client has gone, as it may


def send(data: bytes) -> Step:
    """Send all of it, and close."""
    return lambda connection, _over: connection.sendall(data)


def hold(data: bytes = b"") -> Step:
    """Send all of it, and keep the connection open without another word."""

    def step(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(data)
        over.wait(10)

    return step


def drip(data: bytes, pause: float) -> Step:
    """Send byte by byte."""

    def step(connection: socket.socket, over: threading.Event) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for position in range(len(data)):
            connection.sendall(data[position : position + 1])
            if over.wait(pause):
                return

    return step


def reset(data: bytes = b"") -> Step:
    """Send all of it, and close with RST instead of FIN."""

    def step(connection: socket.socket, _over: threading.Event) -> None:
        connection.sendall(data)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return step


def http(body: bytes = b"", status: str = "200 OK", **headers: str) -> bytes:
    """A response in IMDS' manner. Header names are given with underscores."""
    given = {"Content_Type": "application/json; charset=utf-8", "Server": "IMDS/150.870.65.1854", **headers}
    lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in given.items())]
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def document(content: Any) -> bytes:
    """A successful response with a document."""
    return http(json.dumps(content, separators=(",", ":")).encode())
