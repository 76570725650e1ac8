# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The facts core: what comes over the connection to IMDS, and the instance document in it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from socket import socket
from typing import Any, cast

from ansible_collections.imds.azure.plugins.module_utils._imds import disks, facts, fields, gather, transport
from ansible_collections.imds.azure.plugins.module_utils._imds.blank import blank
from ansible_collections.imds.azure.plugins.module_utils._imds.client import Client
from ansible_collections.imds.azure.plugins.module_utils._imds.options import Settings
from ansible_collections.imds.azure.plugins.module_utils._imds.reasons import REASONS
from ansible_collections.imds.azure.tests.scenarios.imds.documents import DOCUMENTS
from ansible_collections.imds.azure.tests.scenarios.imds.fact_cases import NAMES, NICS

from . import emulated
from .emulated import Connection
from .target import Target, as_json, assert_plain, assert_shown

_LOAD_BALANCER = {
    "loadbalancer": {"publicIpAddresses": [{"frontendIpAddress": "203.0.113.9", "privateIpAddress": "10.1.0.4"}]}
}
_TYPES: dict[str, type] = {
    **dict.fromkeys(("string", "location", "environment", "public_ip", "public_ip_source", "private_ip"), str),
    "integer": int,
    "boolean": bool,
    **dict.fromkeys(("object", "disk", "endpoints", "tags", "blob", "primary"), dict),
    **dict.fromkeys(("list", "disks", "public_keys", "interfaces"), list),
}
_WORDS = (
    *(name.encode() for name in NAMES),
    *b"ipv4 ipv6 ipAddress subnet macAddress privateIpAddress publicIpAddress loadbalancer 10.1.0.4".split(),
    *b"000D3A000001 publicIpAddresses compute network interface keyData device".split(),
)


class _Guest:
    """A guest with a disk of each kind, in the place of module guest."""

    def nics(self) -> dict[str, dict[str, Any]]:
        return cast("dict[str, dict[str, Any]]", NICS)

    def default_device(self) -> str | None:
        return "eth0"

    def disks(self, _storage: Any) -> tuple[list[disks.Disk], str | None]:
        return [_disk(number) for number in range(4)], "disk0"


def _disk(number: int) -> disks.Disk:
    disk = disks.Disk(f"disk{number}", f"/sys/block/disk{number}")
    disk.controller, disk.unit, disk.size = disks.REMOTE_NVME, number + 1, 30 << 30
    disk.members = {disk.name}
    disk.links = [f"/dev/disk/azure/data/by-lun/{number}"]
    return disk


def _gathered(answer: Any) -> dict[str, Any]:
    """The facts of a VM whose IMDS answers every request alike."""
    settings = Settings(load_balancer=True, include_user_data=True, include_public_keys=True, detect="force")
    passed = [0.0]

    def sleep(seconds: float) -> None:
        passed[0] += seconds

    client = Client(settings, answer, lambda: passed[0], sleep, lambda _vm_id: None, answer)
    fact, warnings = gather.ask(settings, client, _Guest())
    assert client.requests < 60
    assert fact["reason"] in REASONS
    assert_plain(fact)
    for text in (fact["meta"]["message"], *(attempt["detail"] for attempt in fact["meta"]["attempts"])):
        assert_shown(text)
    assert_plain(warnings)
    assert_typed(fact)
    return fact


def assert_typed(fact: dict[str, Any]) -> None:
    """Every documented fact is there, with its type, or null."""
    for field in fields.FIELDS:
        value, kind = facts.lookup(fact, field.fact), _TYPES[field.kind]
        typed = isinstance(value, kind) and isinstance(value, bool) == (kind is bool)
        assert value is None or typed, f"{field.fact} is {value!r}"
    for name, nothing in blank().items():
        assert name in fact, name
        assert isinstance(fact[name], dict) or not isinstance(nothing, dict), name


def http_answer(data: bytes) -> None:
    """All that IMDS sends over a connection: an answer or a TransportError, and facts or a reason without."""

    def answer(*_request: Any, **_more: Any) -> transport.Response:
        return transport.exchange(cast(socket, _Peer(data)), b"", 1.0)

    with contextlib.suppress(transport.TransportError):
        response = answer()
        assert len(response.body) <= transport.MAX_BODY
    _gathered(answer)


class _Peer(Connection):
    def getpeername(self) -> tuple[str, int]:
        return "169.254.169.254", 80

    def getsockname(self) -> tuple[str, int]:
        return "10.1.0.4", 49152


def instance_document(data: bytes) -> None:
    """The body of an answer with status 200: facts, or a reason without."""
    headers = {"server": "IMDS/150.870.65.1854", "content-type": "application/json; charset=utf-8"}
    fact = _gathered(lambda *_request, **_more: transport.Response(200, headers, data, "10.1.0.4"))
    assert fact["reason"] in ("ok", "malformed", "too_large", "intercepted", "bad_version"), fact["reason"]


def _documents() -> Iterator[bytes]:
    for document in DOCUMENTS.values():
        yield as_json({**document, **_LOAD_BALANCER})
    for version in ("2017-04-02", "2019-06-04", "2025-04-07"):
        (reply,) = emulated.talk(emulated.lasting(), emulated.get(f"/metadata/instance?api-version={version}"))
        yield reply.body


def _answers() -> Iterator[bytes]:
    emulator = emulated.lasting()
    for target in ("/metadata/instance?api-version=2025-04-07", "/metadata/instance?api-version=1", "/nothing"):
        yield emulated.sent_by(emulator, emulated.get(target))
    body = as_json(DOCUMENTS["2018-02-01"])
    chunks = b"%x;a=b\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    yield b"HTTP/1.1 200 OK\r\nServer: IMDS/1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
    yield b"HTTP/1.0 200 OK\r\nServer: IMDS/1\r\n\r\n" + body
    refusal = as_json({"error": "x", "newest-versions": ["2021-02-01"]})
    yield b"HTTP/1.1 400 Bad Request\r\nServer: IMDS/1\r\nContent-Length: %d\r\n\r\n%b" % (len(refusal), refusal)
    yield b"HTTP/1.1 429 Too Many Requests\r\nServer: IMDS/1\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n"


TARGETS = (
    Target(
        "http_answer",
        "all bytes that IMDS sends over a connection",
        http_answer,
        _answers,
        (
            *b"newest-versions".split(),
            b"HTTP/1.1 200 OK\r\n",
            b"\r\n\r\n",
            b"Content-Length: ",
            b"Transfer-Encoding: chunked\r\n",
            b"Server: IMDS\r\n",
            b"Retry-After: 9\r\n",
            b"Location: /\r\n",
            b"Via: a\r\n",
            b"0\r\n\r\n",
            b"Content-Type: text/html",
        ),
    ),
    Target("instance_document", "the instance document", instance_document, _documents, _WORDS),
)
