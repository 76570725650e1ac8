# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operations of the matrix, by the Python core: each ends in a code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from unittest import mock

from ansible_collections.imds.azure.plugins.module_utils._events import act, info
from ansible_collections.imds.azure.plugins.module_utils._events import options as event_options
from ansible_collections.imds.azure.plugins.module_utils._events.polling import Poller
from ansible_collections.imds.azure.plugins.module_utils._events.selection import selection
from ansible_collections.imds.azure.plugins.module_utils._events.service import Service
from ansible_collections.imds.azure.plugins.module_utils._identity import https, vault
from ansible_collections.imds.azure.plugins.module_utils._identity import options as identity_options
from ansible_collections.imds.azure.plugins.module_utils._identity.fetch import TokenClient
from ansible_collections.imds.azure.plugins.module_utils._identity.vault_client import VaultClient
from ansible_collections.imds.azure.plugins.module_utils._imds import gather, options, run_attest, run_info
from ansible_collections.imds.azure.plugins.module_utils._imds.disks import UnreadableError
from ansible_collections.imds.azure.plugins.module_utils._imds.reasons import ImdsError
from ansible_collections.imds.azure.plugins.module_utils._routes.candidates import Candidate
from ansible_collections.imds.azure.plugins.module_utils._routes.host import asking, probe
from ansible_collections.imds.azure.plugins.module_utils._routes.reply import ImdsReply
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.diagnose import diagnose
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.evaluation import Evaluation
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.windows_report import read_windows_report
from ansible_collections.imds.azure.tests.scenarios.windows_reports import DHCP_VM

from .stage import EVENT, SECRET_NAME, Stage

NONCE = "5a0d6f8a7b2e4c1f9d3b6a8c0e2f4a6b"
RESOURCE = "https://vault.azure.net"
# Seconds that an approval has, less than by default, so that the matrix takes as few requests as shows how it ends.
APPROVAL = 60.0
APPROVED = {"state": "approved", "event_ids": [EVENT], "timeout": APPROVAL}

# The one NIC of the host whose routes are right.
ADDRESS, INTERFACE = "10.0.1.10", 5


class Operation(NamedTuple):
    """method and path: of the requests that meet the fault; a path is a prefix. Times in seconds.

    deadline: by which the operation ends; updating: the same while IMDS is being updated.
    run: does it, and returns the code that it ends with.
    """

    method: str
    path: str
    deadline: float
    updating: float
    run: Callable[[Stage], str]

    def concerns(self, method: str, target: str) -> bool:
        return method == self.method and target.startswith(self.path)


class _Guest:
    """What the facts ask of the host itself."""

    def nics(self) -> dict[str, Any]:
        return {}

    def default_device(self) -> None:
        return None

    def disks(self, _listed: object) -> Any:
        raise UnreadableError("unsupported_system", "the stage")


def params(stage: Stage) -> dict[str, Any]:
    """The options that lead to the stage."""
    return {"endpoint": stage.imds.url, "detect": "force"}


def _facts(stage: Stage) -> str:
    settings = options.settings(params(stage))
    fact, _warnings = gather.ask(settings, stage.client(settings), _Guest())
    return str(fact["reason"])


def _info(stage: Stage) -> str:
    with mock.patch.object(run_info, "Client", stage.client):
        outcome = run_info.run({**params(stage), "path": "instance", "required": False}, "module")
    return str(outcome.result["reason"])


def _attest(stage: Stage) -> str:
    with mock.patch.object(run_attest, "Client", stage.client):
        outcome = run_attest.run({**params(stage), "nonce": NONCE}, "module")
    return "ok" if "evidence" in outcome.result else str(outcome.result["reason"])


def _service(stage: Stage, reading: event_options.Reading) -> Service:
    return Service(reading, stage.client(reading.settings), now=stage.clock)


def _events(stage: Stage) -> str:
    with mock.patch.object(info, "Service", lambda reading: _service(stage, reading)):
        result, _warnings, _problem = info.info(event_options.reading(params(stage)), selection({}))
    return str(result["reason"])


def _approve(stage: Stage) -> str:
    desired = event_options.desired_state({**params(stage), **APPROVED})
    reading = event_options.reading(params(stage))
    poller = Poller(
        _service(stage, reading), desired.timeout, reading.first_timeout, desired.poll, stage.clock, stage.sleep
    )
    result, _warnings, _problem = act.act(reading, desired, False, poller)
    return str(result["reason"])


def token_client(stage: Stage) -> TokenClient:
    given = {**params(stage), "resource": RESOURCE}
    request, settings = identity_options.request(given), identity_options.settings(given)
    return TokenClient(request, settings, stage.client, stage.clock, {})


def _token(stage: Stage) -> str:
    try:
        token_client(stage).token(RESOURCE)
    except ImdsError as error:
        return error.reason.code
    return "ok"


def _secret(stage: Stage) -> str:
    client = token_client(stage)
    trusted = https.trust(str(stage.ca))
    reader = VaultClient(stage.vault_place, trusted, lambda: client.remaining, stage.read_vault, stage.sleep)
    try:
        reader.secret(vault.path(SECRET_NAME, None), client.token(RESOURCE))
    except (ImdsError, vault.VaultError) as error:
        return error.reason.code
    return "ok"


class _Requests(asking.Requests):
    """Requests that overlap by the stage's clock, although they are sent one after the other."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(probe.Way(stage.imds.address), self._ask_stage)
        self._stage = stage
        self._pending: list[tuple[float, int, ImdsReply]] = []

    def _ask_stage(self, way: probe.Way, source: str | None = None, device: str | None = None) -> ImdsReply:
        return as_of_nic(probe.ask(way, source, device, self._stage.get))

    def clock(self) -> float:
        return self._stage.now

    def start(self, number: int, candidate: Candidate | None, seconds: float) -> None:
        began = self._stage.now
        bound = (candidate.address, candidate.interface) if candidate else ()
        reply = self._ask(self._way.within(seconds), *bound)
        self._pending.append((self._stage.now, number, reply))
        self._stage.turn(began)

    def next_reply(self, seconds: float) -> tuple[int, ImdsReply] | None:
        due = min((entry for entry in self._pending if entry[0] <= self._stage.now + seconds), default=None)
        if due is None:
            self._stage.sleep(seconds)
            return None
        self._pending.remove(due)
        self._stage.turn(max(self._stage.now, due[0]))
        return due[1], due[2]


def as_of_nic(reply: ImdsReply) -> ImdsReply:
    """The reply as if it had been received on the address of the host's NIC instead of loopback."""
    return reply._replace(local_address=ADDRESS) if reply.local_address else reply


def headline(imds: Mapping[str, Any]) -> str:
    """What is found on a host with the right routes: the code of the first finding.

    :param imds: what asking IMDS showed, as part of a report
    """
    return diagnose(Evaluation(read_windows_report({**DHCP_VM, "imds": imds})))[0].code


def _route(stage: Stage) -> str:
    told = asking.ask_around(_Requests(stage), [Candidate(str(INTERFACE), ADDRESS)])
    return headline({**told, "bound": [{**one, "interface": INTERFACE} for one in told["bound"]]})


OPERATIONS: Mapping[str, Operation] = {
    "facts": Operation("GET", "/metadata/instance", 30, 100, _facts),
    "info": Operation("GET", "/metadata/instance", 30, 100, _info),
    "attest": Operation("GET", "/metadata/attested", 30, 100, _attest),
    "events": Operation("GET", "/metadata/scheduledevents", 130, 130, _events),
    "approve": Operation("POST", "/metadata/scheduledevents", APPROVAL, APPROVAL, _approve),
    "token": Operation("GET", "/metadata/identity", 90, 90, _token),
    "secret": Operation("GET", "/secrets/", 90, 90, _secret),
    "route query": Operation("GET", "/metadata/instance/network", asking.DEADLINE, asking.DEADLINE, _route),
}
