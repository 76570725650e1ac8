# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An emulator that runs inside the test, and a client that sends bytes and returns bytes."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Optional

from azure_imds_emulator import tls
from azure_imds_emulator.control import Control
from azure_imds_emulator.emulator import Emulator
from azure_imds_emulator.server import Server

TIMEOUT = 10.0
NEWEST = "2025-04-07"


@dataclass
class Reply:
    """One answer as it came over the wire. ``headers`` in order, as spelled."""

    status_line: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def status(self) -> int:
        return int(self.status_line.split(" ")[1])

    @property
    def names(self) -> list[str]:
        return [name for name, _value in self.headers]

    def header(self, name: str) -> Optional[str]:
        """The value of a header spelled exactly so."""
        return dict(self.headers).get(name)

    def json(self) -> Any:
        return json.loads(self.body)


class Connection:
    """One TCP connection."""

    def __init__(self, address: tuple[str, int], source: str = "") -> None:
        self.socket = socket.create_connection(address, TIMEOUT, (source, 0) if source else None)
        self._stream = self.socket.makefile("rb")

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def reply(self, head: bool = False) -> Optional[Reply]:
        """The next answer, None where the connection ends before one."""
        start = self._stream.readline()
        if not start:
            return None
        headers = []
        for raw in iter(self._stream.readline, b"\r\n"):
            assert raw, "the connection ended inside the headers"
            name, _ignored, value = raw.decode("latin-1").rstrip("\r\n").partition(": ")
            headers.append((name, value))
        length = int(dict(headers)["Content-Length"])
        return Reply(start.decode("latin-1").rstrip("\r\n"), headers, b"" if head else self._stream.read(length))

    def rest(self) -> bytes:
        """Everything until the peer closes."""
        return self._stream.read()

    def close(self) -> None:
        self._stream.close()
        self.socket.close()

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()


class Running:
    """A started emulator."""

    def __init__(
        self,
        emulator: Emulator,
        imds: Server,
        control: Server,
        vault: Optional[Server] = None,
        arc: Optional[Server] = None,
    ) -> None:
        self.emulator = emulator
        self.address = imds.address
        self.vault_address = vault.address if vault else ("", 0)
        self.arc_address = arc.address if arc else ("", 0)
        self.control_address = control.address

    @property
    def url(self) -> str:
        return f"http://{self.address[0]}:{self.address[1]}"

    def connect(self, source: str = "") -> Connection:
        return Connection(self.address, source)

    def raw(self, request: bytes, source: str = "") -> Optional[Reply]:
        """Send bytes on a connection of their own; the first answer."""
        with self.connect(source) as connection:
            connection.send(request)
            return connection.reply(head=request.startswith(b"HEAD "))

    def get(self, target: str, source: str = "", method: str = "GET", **headers: str) -> Reply:
        """A request with ``Metadata: true``; ``headers`` with an underscore for each dash."""
        sent = {"Host": "imds", "Metadata": "true", **{name.replace("_", "-"): text for name, text in headers.items()}}
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {text}" for name, text in sent.items()), "", ""]
        reply = self.raw("\r\n".join(lines).encode("latin-1"), source)
        assert reply is not None, "no answer"
        return reply

    def instance(self, route: str = "", version: str = NEWEST, more: str = "", source: str = "") -> Reply:
        return self.get(f"/metadata/instance{route}?api-version={version}{more}", source)

    def control(self, method: str, path: str, document: Any = None) -> tuple[int, Any]:
        """Status and parsed body of a control request; ``document`` is sent as JSON, bytes as they are."""
        body = document if isinstance(document, bytes) or document is None else json.dumps(document)
        connection = http.client.HTTPConnection(*self.control_address, timeout=TIMEOUT)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def fault(self, **fault: Any) -> None:
        status, answer = self.control("POST", "/faults", fault)
        assert status == 200, answer

    def requests(self) -> list[dict[str, Any]]:
        return list(self.control("GET", "/requests")[1])


@contextmanager
def start(
    vms: Any = None,
    build: int = 1854,
    control_hosts: Iterable[str] = (),
    with_vault: bool = False,
    with_arc: bool = False,
    **options: Any,
) -> Iterator[Running]:
    """Start an emulator and its control endpoint; ``options`` are those of Emulator.

    ``with_vault``: also its key vaults, over HTTPS on ``localhost``. ``with_arc``: also the agent of Arc machines.
    """
    emulator = Emulator(vms, **options)
    with ExitStack() as stack:

        def serve(server: Server) -> Server:
            stack.enter_context(server)
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
            stack.callback(server.shutdown)
            return server

        where = ("127.0.0.1", 0)
        imds, control = (serve(Server(where, each, build)) for each in (emulator, Control(emulator, control_hosts)))
        vault = arc = None
        if with_vault:
            vault = serve(tls.TlsServer(where, emulator.key_vault, tls.context(emulator.authority, []), build))
        if with_arc:
            arc = serve(Server(where, emulator.arc_agent, build))
        yield Running(emulator, imds, control, vault, arc)
