# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the operations run: the emulator on loopback, one fault at a time, and a clock that is turned, not waited for.

Requests are real, by the transport that a stage is given. Only the time that they may take is not: a request whose
answer comes too late is cut off after a moment, and the clock turned by as long as it would have taken.
"""

from __future__ import annotations

import base64
import http.client
import os
import socket
import ssl
import sys
import time
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

from ansible_collections.imds.azure.plugins.module_utils._identity import https, vault
from ansible_collections.imds.azure.plugins.module_utils._imds import client as client_module
from ansible_collections.imds.azure.plugins.module_utils._imds import guest, transport
from ansible_collections.imds.azure.plugins.module_utils._imds.client import Client
from ansible_collections.imds.azure.plugins.module_utils._imds.options import Settings
from ansible_collections.imds.azure.plugins.module_utils._imds.transport import Response, TransportError
from ansible_collections.imds.azure.tests.scenarios.scripted_server import ScriptedServer
from ansible_collections.imds.azure.tests.scenarios.tls_server import tunnel_to

from .faults import Fault

# The emulator is a package of its own.
_EMULATOR = Path(__file__).resolve().parents[2] / "roles" / "azure_imds_emulator" / "files"
# What a program of the user's would not have either.
_PROXIES = tuple(f"{scheme}_proxy" for scheme in ("http", "https", "all", "no"))

VAULT_NAME = "kv-web"
SECRET_NAME = "db-password"
VM = {
    "name": "vm1",
    "sources": ["127.0.0.1"],
    "scheduled_events": {"domain": "web"},
    "identity": {"system_assigned": False, "user_assigned": ["id-web"]},
    "limiter": False,
}
VAULT = {"name": VAULT_NAME, "readers": ["id-web"], "secrets": {SECRET_NAME: "not-for-logs"}}
EVENT = "0A1B2C3D-4E5F-6071-8293-A4B5C6D7E8F9"
START = 1_700_000_000.0

# Seconds that a slow answer is really waited for, and any other.
_MOMENT = 0.03
_PATIENCE = 60.0

# (address, method, target, headers, body, seconds for the answer) -> the answer; raises TransportError
Send = Callable[["tuple[str, int]", str, str, "dict[str, str]", "bytes | None", float], Response]
# (vault, target, headers, what is trusted, seconds for everything) -> the answer; raises VaultError
AskVault = Callable[[vault.Location, str, "dict[str, str]", ssl.SSLContext, float], vault.Answer]
_T = TypeVar("_T")


def send_from_python(
    address: tuple[str, int], method: str, target: str, headers: dict[str, str], body: bytes | None, seconds: float
) -> Response:
    """By the transport of the Python core."""
    times = (_PATIENCE, seconds, _PATIENCE)
    if method == "POST":
        return transport.post(address, target, headers, body or b"", *times)
    return transport.get(address, target, headers, *times)


class Stage:
    """A VM, its IMDS and a key vault. now: Unix seconds, by everybody's clock.

    send, ask_vault: by which requests to IMDS and to the vault are sent; those of the Python core at first.

    :param imds: the emulator
    :param ca: a file with the CA certificate that vouches for the vault
    :param proxy: a proxy that the environment may name
    :param clock: has the time that the emulator goes by as now
    """

    def __init__(self, imds: Any, ca: Path, proxy: ScriptedServer, clock: types.SimpleNamespace) -> None:
        self.imds = imds
        self.ca = ca
        self.send: Send = send_from_python
        self.ask_vault: AskVault = https.get
        self._proxy = proxy
        self._clock = clock
        self._fault = Fault()
        self._concerns: Callable[[str, str], bool] = lambda _method, _target: False
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._closed_port: int = free.getsockname()[1]

    @property
    def now(self) -> float:
        return float(self._clock.now)

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.turn(self.now + seconds)

    def turn(self, now: float) -> None:
        """Set everybody's clock."""
        self._clock.now = now

    def client(self, settings: Settings) -> Client:
        """What the Python core asks with."""
        return Client(settings, self.get, self.clock, self.sleep, post=self.post)

    @contextmanager
    def meet(self, fault: Fault, concerns: Callable[[str, str], bool]) -> Iterator[None]:
        """Have the requests meet a fault.

        :param concerns: whether it is about a request, told by method and target
        """
        self.imds.emulator.faults.clear()
        self.imds.emulator.log.clear()
        self.imds.emulator.events.clear()
        self.imds.control("POST", "/events", {"id": EVENT, "type": "Reboot"})
        self._fault, self._concerns = fault, concerns
        kept = {name: text for name, text in os.environ.items() if name.lower() not in _PROXIES}
        named = {f"{scheme}_proxy": self.proxy for scheme in ("http", "https", "all")}
        named.update({name.upper(): text for name, text in named.items()})
        with mock.patch.dict(os.environ, {**kept, **(named if fault.proxied else {})}, clear=True):
            yield

    @property
    def vault_place(self) -> vault.Location:
        """Where the vault is."""
        return vault.Location("localhost", self.imds.vault_address[1])

    @property
    def proxy(self) -> str:
        """The URL of the proxy that a fault lets the environment name."""
        return self._proxy.endpoint

    @property
    def proxied(self) -> int:
        """How many connections the proxy has got so far."""
        return self._proxy.connections

    def get(
        self,
        _address: tuple[str, int],
        target: str,
        headers: dict[str, str],
        connect_timeout: float,
        read_timeout: float,
        timeout: float,
        _source: str | None = None,
        **_more: Any,
    ) -> Response:
        """Instead of transport.get."""
        return self.exchange("GET", target, headers, None, connect_timeout, read_timeout, timeout)

    def post(
        self,
        _address: tuple[str, int],
        target: str,
        headers: dict[str, str],
        body: bytes,
        connect_timeout: float,
        read_timeout: float,
        timeout: float,
        _source: str | None = None,
        **_more: Any,
    ) -> Response:
        """Instead of transport.post."""
        return self.exchange("POST", target, headers, body, connect_timeout, read_timeout, timeout)

    def exchange(
        self,
        method: str,
        target: str,
        headers: dict[str, str],
        body: bytes | None,
        connect_timeout: float,
        read_timeout: float,
        timeout: float,
    ) -> Response:
        """One request to IMDS. Times in seconds.

        :raises TransportError: as the transport
        """
        unconnected = self._fault.unconnected if self._concerns(method, target) else ""
        if unconnected in ("no_route", "connect_timeout"):
            if unconnected == "connect_timeout":
                self.sleep(min(connect_timeout, timeout))
            raise TransportError(unconnected, f"as told: {unconnected}")
        address = ("127.0.0.1", self._closed_port) if unconnected else self.imds.address

        def attempt(seconds: float) -> Response:
            before = self._answers()
            try:
                return self.send(address, method, target, headers, body, seconds)
            finally:
                if "drip" in (self._fault.emulated or {}):
                    self._await_answer(before)

        return self._meet((method, target), attempt, min(read_timeout, timeout))

    def _answers(self) -> int:
        return sum(entry["status"] is not None for entry in self.imds.emulator.log.as_json())

    def _await_answer(self, before: int) -> None:
        """Until IMDS has dealt with what it was sent: what comes next must not depend on how busy this machine is."""
        for _look in range(1000):
            if self._answers() > before:
                return
            time.sleep(0.01)
        raise AssertionError("the emulator does not answer")

    def read_vault(
        self, place: vault.Location, target: str, headers: dict[str, str], trusted: ssl.SSLContext, timeout: float
    ) -> vault.Answer:
        """Instead of https.get.

        :raises VaultError: as https.get
        """
        failures = {"no_route": OSError(101, "Network is unreachable"), "connect_timeout": socket.timeout()}
        unconnected = self._fault.unconnected if self._concerns("GET", target) else ""
        if unconnected in failures:
            if unconnected == "connect_timeout":
                self.sleep(timeout)
            connect = mock.patch.object(http.client.HTTPSConnection, "connect", side_effect=failures[unconnected])
            with connect:
                return https.get(place, target, headers, trusted, _PATIENCE)
        if unconnected:
            place = vault.Location(place.host, self._closed_port)
        return self._meet(
            ("GET", target), lambda seconds: self.ask_vault(place, target, headers, trusted, seconds), timeout
        )

    def _meet(self, request: tuple[str, str], attempt: Callable[[float], _T], limit: float) -> _T:
        """One request and the fault, if it is about the request."""
        fault = self._fault
        if not self._concerns(*request):
            return attempt(_PATIENCE)
        emulated = fault.emulated
        if fault.content_type or fault.charset:
            emulated = _changed(fault, attempt(_PATIENCE))
        if emulated:
            self.imds.fault(**emulated)
        try:
            if not fault.slow:
                return attempt(_PATIENCE)
            began = self.now
            try:
                return attempt(_MOMENT)
            finally:
                self.turn(began + limit)
        finally:
            self.imds.emulator.faults.clear()


def _changed(fault: Fault, right: Any) -> dict[str, Any]:
    """The right answer with the content type or the charset of a fault, as the emulator takes it."""
    body = right.body.decode().encode(fault.charset) if fault.charset else right.body
    sent: dict[str, Any] = {"body_base64": base64.b64encode(body).decode()} if body else {"body": ""}
    label = {"content_type": fault.content_type} if fault.content_type else {}
    return {"status": right.status, **sent, **label}


@contextmanager
def open_stage(directory: Path) -> Iterator[Stage]:
    """A stage of one's own.

    :param directory: where its files may be
    """
    if str(_EMULATOR) not in sys.path:
        sys.path.insert(0, str(_EMULATOR))
    from ansible_collections.imds.azure.tests.scenarios.running_emulator import start
    from azure_imds_emulator.attestation.authority import pem

    clock = types.SimpleNamespace(now=START)
    with ExitStack() as stack:
        imds = stack.enter_context(start([VM], with_vault=True, vaults=[VAULT], clock=lambda: clock.now))
        proxy = stack.enter_context(ScriptedServer(tunnel_to(imds.vault_address)))
        ca = directory / "root.pem"
        ca.write_bytes(pem(imds.emulator.authority.root()))
        # No chance: no jitter. And this machine's own addresses are nobody's business.
        chance: Mapping[str, Any] = {"urandom": bytes}
        stack.enter_context(mock.patch.object(client_module, "os", types.SimpleNamespace(**chance)))
        stack.enter_context(mock.patch.object(guest, "addresses", list))
        yield Stage(imds, ca, proxy, clock)
