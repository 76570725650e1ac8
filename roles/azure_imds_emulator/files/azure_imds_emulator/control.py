# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control endpoint: JSON over HTTP on a port of its own.

GET /                      readiness and version
GET|POST|DELETE /faults    scripted faults (`fault_spec.py` shows the objects)
GET|DELETE /requests       the request log (`log.py`)
GET|PUT /vms               the VM list (`vms.py`)
GET|PUT /vaults            the key vaults (`keyvault/spec.py`); values of secrets are not shown
/events                    scheduled events (`control_events.py`)
/identities                managed identities (`control_identities.py`)
GET|POST /clock            the clock of events and identities; move it forward: {"advance": 60}
GET /ca/root.pem           the CA that signs attested documents; also /ca/intermediate.pem, and both in DER under
                           the path that certificates name, /pkiops/certs/
GET /TENANT/...            how to verify tokens (`tokens/site.py`)

Everything but the certificates and the tenants' documents is only for programs: `control_guard.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Callable

from . import __version__, control_guard
from .attestation import site
from .attestation.authority import FOLDER, pem
from .attestation.certificates import Certificate
from .checks import InvalidInputError, load_json
from .control_events import EventControl
from .control_identities import IdentityControl
from .emulator import Emulator
from .fault_spec import parse_all
from .message import JSON, Answer, Layer, Request, json_body
from .server import Channel


class Control:
    """Serves the control endpoint of one emulator. ``hosts``: names by which it may be called."""

    def __init__(self, emulator: Emulator, hosts: Iterable[str] = ()) -> None:
        self._emulator = emulator
        self._hosts = frozenset(host.lower() for host in hosts)
        self._events = EventControl(emulator.events)
        self._identities = IdentityControl(emulator.identities)
        self._routes: dict[str, dict[str, Callable[[Request], Any]]] = {
            "/": {"GET": lambda _request: {"ready": True, "version": __version__}},
            "/faults": {
                "GET": lambda _request: [fault.as_json() for fault in emulator.faults.waiting()],
                "POST": self._post_faults,
                "DELETE": lambda _request: {"deleted": emulator.faults.clear()},
            },
            "/requests": {
                "GET": lambda _request: emulator.log.as_json(),
                "DELETE": lambda _request: {"deleted": emulator.log.clear()},
            },
            "/vms": {"GET": lambda _request: emulator.vms.given(), "PUT": self._put_vms},
            "/vaults": {"GET": lambda _request: emulator.vaults.as_json(), "PUT": self._put_vaults},
            "/clock": {
                "GET": lambda _request: emulator.clock.as_json(),
                "POST": lambda request: emulator.clock.advance(_given(request)),
            },
            **self._events.routes,
            **self._identities.routes,
            "/ca/root.pem": {"GET": lambda _request: _pem(emulator.authority.root())},
            "/ca/intermediate.pem": {"GET": lambda _request: _pem(emulator.authority.intermediate())},
        }

    def _post_faults(self, request: Request) -> Any:
        faults = parse_all(_given(request), self._emulator.vms.names())
        return [fault.as_json() for fault in self._emulator.faults.add(faults)]

    def _put_vms(self, request: Request) -> Any:
        given = _given(request)
        self._emulator.vms.replace(given.get("vms") if isinstance(given, dict) else given)
        self._emulator.identities.catch_up()
        return self._emulator.vms.given()

    def _put_vaults(self, request: Request) -> Any:
        given = _given(request)
        self._emulator.vaults.replace(given.get("vaults") if isinstance(given, dict) else given)
        return self._emulator.vaults.as_json()

    def answer(self, request: Request) -> Answer:
        """The answer to one control request."""
        if request.segments()[:-1] == FOLDER:
            return site.answer(request, self._emulator.authority)
        published = self._emulator.tenants.answer(request, "http")
        if published:
            return published
        objection = control_guard.objection(request, self._hosts)
        if objection:
            return _json(
                objection.status, {"error": f"{objection.field}: {objection.message}", "field": objection.field}
            )
        methods = self._routes.get(request.path.rstrip("/") or "/")
        methods = methods or self._events.methods_of_one(request.segments())
        methods = methods or self._identities.methods_of_one(request.segments())
        if methods is None:
            return _json(404, {"error": f"unknown path; known are {', '.join(self._routes)}"})
        method = methods.get("GET" if request.method == "HEAD" else request.method)
        if method is None:
            return _json(405, {"error": f"method not allowed; allowed are {', '.join(methods)}"})
        try:
            answer = method(request)
            return answer if isinstance(answer, Answer) else _json(200, answer)
        except InvalidInputError as error:
            return _json(400, {"error": str(error), "field": error.field})
        except LookupError as error:
            return _json(404, {"error": str(error)})

    def exchange(self, request: Request, channel: Channel) -> None:
        """Serve one request."""
        channel.send(channel.encode(self.answer(request)))

    def malformed(self, _request: Request, answer: Answer, channel: Channel) -> None:
        """Answer what is not a request."""
        channel.send(channel.encode(_json(answer.status, {"error": "not a valid HTTP request"})))


def _given(request: Request) -> Any:
    return load_json("body", request.body)


def _pem(certificate: Certificate) -> Answer:
    return Answer(200, pem(certificate), "application/x-pem-file", Layer.CONTROL)


def _json(status: int, document: Any) -> Answer:
    return Answer(status, json_body(document), JSON, Layer.CONTROL)
