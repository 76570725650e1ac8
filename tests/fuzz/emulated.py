# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulator behind a connection that exists in memory only, and its answers, read strictly."""

from __future__ import annotations

import functools
import io
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple
from unittest import mock

# The emulator is a package of its own.
_FILES = str(Path(__file__).resolve().parents[2] / "roles" / "azure_imds_emulator" / "files")
if _FILES not in sys.path:
    sys.path.insert(0, _FILES)

_STATUS = re.compile(rb"HTTP/1\.1 ([1-5][0-9]{2}) [ -~]*")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ([\t -~\x80-\xff]*)")

VM: dict[str, Any] = {
    "name": "web1",
    "sources": ["127.0.0.1"],
    "scheduled_events": {"domain": "web"},
    "identity": {"system_assigned": True, "user_assigned": ["id-web"]},
    "loadbalancer": {"publicIpAddresses": [], "inboundRules": [], "outboundRules": []},
    "limiter": False,
}
ARC: dict[str, Any] = {"name": "arc1", "sources": ["127.0.0.2"], "arc": True, "identity": {"system_assigned": True}}
VAULT: dict[str, Any] = {"name": "kv-web", "readers": ["id-web"], "secrets": {"db-password": "not-for-logs"}}


class Reply(NamedTuple):
    """One answer. headers: names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """What the peer sends is there already, and what it gets is kept."""

    def __init__(self, received: bytes) -> None:
        self._received = io.BytesIO(received)
        self.sent = bytearray()
        self.aborted = False

    def makefile(self, _mode: str, _buffering: int = -1) -> io.BytesIO:
        return self._received

    def sendall(self, data: bytes) -> None:
        self.sent += data

    def recv(self, size: int) -> bytes:
        return self._received.read(size) if not self._received.closed else b""

    def setsockopt(self, *_option: Any) -> None:
        """Of a socket, which this is not."""

    def settimeout(self, _seconds: float | None) -> None:
        """Nothing has to be waited for."""

    def shutdown(self, _how: int) -> None:
        """The peer is told that nothing follows."""

    def close(self) -> None:
        self.aborted = True

    def getsockname(self) -> tuple[str, int]:
        return "127.0.0.1", 80


class _Noting:
    """A service that notes the methods that it is asked for, None for what is not a request."""

    def __init__(self, service: Any) -> None:
        self._service = service
        self.methods: list[str] = []

    def exchange(self, request: Any, channel: Any) -> None:
        self.methods.append(request.method)
        channel.stay_silent = self._stay_silent  # as to an address that Azure does not answer
        self._service.exchange(request, channel)

    def _stay_silent(self, _seconds: float) -> None:
        self.methods.pop()

    def malformed(self, request: Any, answer: Any, channel: Any) -> None:
        self.methods.append(request.method)
        self._service.malformed(request, answer, channel)


def talk(service: Any, data: bytes) -> list[Reply]:
    """The answers to all that a peer sends on one connection. Asserts that they are well-formed.

    :param service: as of the emulator's server
    """
    noting = _Noting(service)
    replies = list(_replies(sent_by(noting, data), noting.methods))
    assert len(replies) == len(noting.methods), "a request without an answer"
    return replies


def sent_by(service: Any, data: bytes) -> bytes:
    """What the emulator sends to a peer that sends this."""
    from azure_imds_emulator.server import NEWEST_BUILD, Handler

    connection = Connection(data)
    server: Any = SimpleNamespace(service=service, build=NEWEST_BUILD)
    with mock.patch("time.sleep"):
        Handler(connection, ("127.0.0.1", 49152), server)  # type: ignore[arg-type]
    return bytes(connection.sent)


def _replies(sent: bytes, methods: list[str]) -> Iterator[Reply]:
    """
    :raises AssertionError: for anything but one whole answer to each request
    """
    asked = iter(methods)
    while sent:
        head, blank, sent = sent.partition(b"\r\n\r\n")
        assert blank, "an answer without an end of its headers"
        line, *lines = head.split(b"\r\n")
        status = _STATUS.fullmatch(line)
        assert status, line
        if status[1] == b"100":
            continue
        found = [_HEADER.fullmatch(one) for one in lines]
        assert all(found), lines
        headers = {one[1].decode("ascii").lower(): one[2].decode("latin-1") for one in found if one}
        assert len(headers) == len(lines), lines
        length = int(headers["content-length"])
        method = next(asked, None)
        assert method is not None, "an answer without a request"
        size = 0 if method == "HEAD" or status[1] == b"304" else length
        assert len(sent) >= size, "an answer that is cut off"
        reply = Reply(int(status[1]), headers, sent[:size])
        sent = sent[size:]
        if reply.body and headers.get("content-type", "").startswith("application/json"):
            strict(reply.body)
        yield reply


def strict(body: bytes) -> Any:
    """The JSON of an answer, without what only Python takes for JSON."""

    def refuse(name: str) -> Any:
        raise AssertionError(f"{name} is not JSON")

    return json.loads(body.decode("utf-8"), parse_constant=refuse)


@functools.cache
def directory() -> Path:
    """A place for the CA, whose keys take long to make, and for the keys of Arc machines; it is gone at the end."""
    place = tempfile.TemporaryDirectory(prefix="imds-fuzz-")
    _KEPT.append(place)
    return Path(place.name)


_KEPT: list[tempfile.TemporaryDirectory[str]] = []


def make() -> Any:
    """A new emulator, with the CA of those before."""
    from azure_imds_emulator.emulator import Emulator

    place = directory()
    return Emulator([VM, ARC], ca_directory=place / "ca", vaults=[VAULT], arc_tokens=place / "arc")


@functools.cache
def lasting() -> Any:
    """One for all inputs that change nothing in it."""
    return make()


def get(target: str, *headers: str, method: str = "GET", body: bytes = b"") -> bytes:
    """A request as its bytes."""
    lines = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1", "Metadata: true", *headers]
    lines += [f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join((*lines, "", "")).encode("utf-8", "replace") + body


@functools.cache
def token() -> str:
    """An access token with which the vault can be read."""
    where = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://vault.azure.net"
    client = next(one.client_id for one in lasting().vms.named("web1").identity.identities if one.name == "id-web")
    (reply,) = talk(lasting(), get(f"{where}&client_id={client}"))
    return str(strict(reply.body)["access_token"])
