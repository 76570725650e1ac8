# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulator: bytes on a connection to each of its services, and a sequence of requests to its control endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import emulated
from .emulated import get, talk
from .target import Target, as_json, from_json

_STATUSES = (*range(200, 500), 505)  # 505: another version of HTTP was asked for
_TARGETS = (
    "/metadata/instance?api-version=2025-04-07",
    "/metadata/instance/network/interface/0/ipv4?api-version=2021-02-01",
    "/metadata/instance/compute/tagsList/0/name?api-version=2019-06-04&format=text",
    "/metadata/instance/compute?api-version=2021-02-01&format=text&extended=true",
    "/metadata/versions",
    "/metadata/attested/document?api-version=2020-09-01&nonce=1234567890",
    "/metadata/loadbalancer?api-version=2020-10-01",
    "/metadata/scheduledevents?api-version=2020-07-01",
    "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://management.azure.com/",
    "/metadata/identity/info?api-version=2018-02-01",
    "/metadata?format=text&api-version=2017-08-01",
    "/nothing",
)
_WIRE = (
    *b"%2e%2e %00 %ff & api-version= 2025-04-07 format=text".split(),
    b"GET ",
    b"POST ",
    b"HEAD ",
    b"PUT ",
    b" HTTP/1.1\r\n",
    b" HTTP/1.0\r\n",
    b"\r\n\r\n",
    b"Metadata: true\r\n",
    b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Expect: 100-continue\r\n",
    b"Connection: keep-alive\r\n",
    b"X-Forwarded-For: 1\r\n",
    b"0\r\n\r\n",
    b"5;a=b\r\nhello\r\n",
    b"Host: [::1]:80\r\n",
    b'If-None-Match: "1"\r\n',
    b"x-ms-client-request-id: a\r\n",
    b"Authorization: Bearer a.b.c\r\n",
    b"Authorization: Basic YQ==\r\n",
    b"Date: x\r\n",
    b"\r\n ",
    b"\n\t",
)


def _asked(service: Any, data: bytes) -> None:
    for reply in talk(service, data):
        assert reply.status in _STATUSES, reply


def imds(data: bytes) -> None:
    """Bytes on a connection to IMDS."""
    emulator = emulated.lasting()
    _asked(emulator, data)
    emulator.log.clear()


def vault(data: bytes) -> None:
    """Bytes on a connection to a key vault, once TLS is taken off."""
    emulator = emulated.lasting()
    _asked(emulator.key_vault, data)
    emulator.log.clear()


def arc(data: bytes) -> None:
    """Bytes on a connection to the agent of an Azure Arc machine."""
    emulator = emulated.lasting()
    _asked(emulator.arc_agent, data)
    emulator.arc_keys.clear()
    emulator.log.clear()


def control(data: bytes) -> None:
    """Bytes on a connection to the control endpoint."""
    from azure_imds_emulator.control import Control

    _asked(Control(emulated.lasting()), data) if b"PUT" not in data and b"POST" not in data else _steps_of(data)


def _steps_of(data: bytes) -> None:
    """On an emulator of its own, because it may change."""
    from azure_imds_emulator.control import Control

    _asked(Control(emulated.make()), data)


def steps(data: bytes) -> None:
    """Requests to the control endpoint, one after the other; then IMDS answers all the same."""
    from azure_imds_emulator.control import Control

    given = from_json(data)
    emulator = emulated.make()
    service = Control(emulator)
    for step in given if isinstance(given, list) else ():
        if not isinstance(step, list) or len(step) != 3 or not all(isinstance(word, str) for word in step[:2]):
            continue
        method, path, document = step
        _asked(service, get(path, method=method, body=b"" if document is None else as_json(document)))
    _asked(service, get("/events") + get("/identities") + get("/vms") + get("/vaults") + get("/faults") + get("/clock"))
    _asked(service, get("/requests") + get("/faults", method="DELETE"))
    for target in _TARGETS:
        if "attested" not in target:  # signing takes long, and nothing of this is read there
            _asked(emulator, get(target))
    _asked(emulator.key_vault, get("/secrets/db-password?api-version=7.4", f"Authorization: Bearer {emulated.token()}"))


def _requests() -> Iterator[bytes]:
    yield from map(get, _TARGETS)
    approval = as_json({"StartRequests": [{"EventId": "a"}]})
    yield get("/metadata/scheduledevents?api-version=2020-07-01", method="POST", body=approval)
    chunked = get(_TARGETS[0], "Transfer-Encoding: chunked", "Expect: 100-continue", method="POST")
    yield chunked + b"5;a=b\r\nhello\r\n0\r\nTrailer: x\r\n\r\n" + get(_TARGETS[4])
    yield get("/metadata/versions", "Connection: close").replace(b"HTTP/1.1", b"HTTP/1.0")


def _vault_requests() -> Iterator[bytes]:
    bearer = f"Authorization: Bearer {emulated.token()}"
    host = b"Host: kv-web.vault.azure.net"
    for target in ("/secrets/db-password?api-version=7.4", "/secrets/nothing/0?api-version=7.4", "/keys/a"):
        yield get(target, bearer, "x-ms-client-request-id: 1").replace(b"Host: 127.0.0.1", host)
    yield get("/secrets/db-password?api-version=7.4").replace(b"Host: 127.0.0.1", host)
    yield get("/common/discovery/keys")


def _control_requests() -> Iterator[bytes]:
    for paths in (
        ("/", "/faults", "/vms", "/vaults"),
        ("/requests", "/clock", "/events", "/identities/web1", "/ca/root.pem"),
    ):
        yield b"".join(map(get, paths))
    yield get("/faults", "Content-Type: application/json", method="POST", body=as_json({"status": 500, "count": 1}))
    yield get("/vms", "Origin: http://127.0.0.1", method="PUT", body=as_json([emulated.VM]))


def _sequences() -> Iterator[bytes]:
    event = {"vm": "web1", "type": "Reboot", "notice": 60, "duration": 9, "resources": ["self"]}
    yield as_json([["POST", "/events", event], ["POST", "/clock", {"advance": 120}], ["GET", "/events", None]])
    yield as_json([["PUT", "/vms", [emulated.VM, {"name": "b", "sources": ["127.0.0.2"], "profile": "zonal"}]]])
    yield as_json(
        [["PUT", "/vms", [{"name": "a", "overrides": {"compute": {"name": "x", "tagsList": []}}, "extra": ["a"]}]]]
    )
    yield as_json([["PUT", "/vaults", [emulated.VAULT]], ["GET", "/vaults", None]])
    yield as_json([["PUT", "/identities/web1", {"user_assigned": ["a", {"name": "b", "state": "disabled"}]}]])
    yield as_json([["POST", "/identities/web1", "id-new"], ["DELETE", "/identities/web1/id-new", None]])
    faults = [{"path": "/metadata/instance", "status": 429, "headers": {"A": "b"}}, {"body": {"a": 1}, "repeat": 2}]
    yield as_json([["POST", "/faults", faults], ["GET", "/faults", None], ["DELETE", "/faults", None]])
    kinds = [{"drop": True}, {"truncate": 3}, {"drip": 1}, {"html": "<p>"}, {"redirect": True}, {"error": "unknown"}]
    yield as_json([["POST", "/faults", [*kinds, {"body_base64": "YQ=="}, {"delay": 0.5, "vm": "web1"}, {"msp": True}]]])


def _words_of_control() -> tuple[bytes, ...]:
    from azure_imds_emulator import event_spec, fault_spec, identity_spec, vms

    names = {*event_spec.SWITCHES, *fault_spec.FIELDS, *identity_spec.FIELDS, *identity_spec.USER, *vms.FIELDS}
    more = (
        "compute",
        "network",
        "interface",
        "secrets",
        "readers",
        "allowed_networks",
        "tenant",
        "advance",
        "overrides",
    )
    return tuple(
        name.encode() for name in sorted({*names, *more, "web1", "self", "other", "POST", "PUT", "/vms", "/events"})
    )


TARGETS = (
    Target("emulator_imds", "bytes on a connection to the emulated IMDS", imds, _requests, _WIRE),
    Target("emulator_vault", "bytes on a connection to an emulated key vault", vault, _vault_requests, _WIRE),
    Target("emulator_arc", "bytes on a connection to the emulated Azure Arc agent", arc, _requests, _WIRE),
    Target("emulator_control", "bytes on a connection to the control endpoint", control, _control_requests, _WIRE),
    Target(
        "emulator_scripts",
        "documents sent to the control endpoint, and IMDS afterwards",
        steps,
        _sequences,
        _words_of_control(),
    ),
)
