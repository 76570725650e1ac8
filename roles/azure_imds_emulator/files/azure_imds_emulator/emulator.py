# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator itself: state, and the way of one request through it."""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Optional

from . import arc_keys, routes, unevidenced
from .arc_agent import ArcAgent
from .attestation import site
from .attestation.authority import Authority
from .attestation.documents import Documents
from .clock import Clock
from .delivery import deliver
from .endpoints import Call
from .event_store import Events
from .faults import Fault, Faults
from .identity_store import Identities
from .keyvault import answers
from .keyvault.service import KeyVault
from .keyvault.store import Vaults
from .limiter import Limiter
from .log import Entry, RequestLog
from .message import Answer, Request
from .server import Channel
from .side_service import SideService
from .tokens.site import TenantSite
from .tokens.tenant import Issuer
from .vms import Vm, Vms

SILENCE = 60.0  # seconds that a connection from an address that Azure does not answer stays open


class Emulator:
    """VMs, faults, limiter and log. The server calls `exchange` and `malformed`; the rest is for `control.py`."""

    def __init__(
        self,
        vms: Any = None,
        limiter: Optional[Limiter] = None,
        retry_after: Optional[int] = None,
        clock: Callable[[], float] = time.time,
        ca_directory: Optional[Path] = None,
        vaults: Any = None,
        arc_tokens: Path = arc_keys.DIRECTORY,
    ) -> None:
        """``vms``: list of VM objects, None for one default VM. ``limiter`` None: no limits at all.

        ``ca_directory``: where the CA is kept, None for a new one. ``vaults``: list of vault objects, None for none.
        ``arc_tokens``: where the agent of Azure Arc machines puts its key files.
        """
        self.vms = Vms(vms)
        self.authority = Authority(ca_directory, clock)
        self._documents = Documents(self.vms, self.authority)
        self.clock = Clock(clock)
        self.events = Events(self.vms, self.clock)
        self.identities = Identities(self.vms, self.clock)
        self._issuer = Issuer(self.authority)
        self.tenants = TenantSite(self._issuer, self._known_tenants)
        self.vaults = Vaults(vaults)
        self.faults = Faults()
        self.log = RequestLog()
        shared = self.faults, self.log, clock
        vault = KeyVault(self.vaults, self.tenants, self.clock)
        self.key_vault = SideService(self.vms.find, vault.answer, answers.THROTTLED, *shared)
        self.arc_keys = arc_keys.ArcKeys(arc_tokens)
        agent = ArcAgent(self.arc_keys, self._call)
        throttled = unevidenced.ANSWERS["identity_throttled"]
        self.arc_agent = SideService(self.vms.find_arc, agent.answer, throttled, *shared)
        self._limiter = limiter
        self._retry_after = retry_after
        self._clock = clock

    def exchange(self, request: Request, channel: Channel) -> None:
        """Answer one request, or do what a fault says instead."""
        vm, entry = self._arrived(request)
        if site.is_asked(request):
            deliver(channel, site.answer(request, self.authority), entry, None)
            return
        if vm is None:
            channel.stay_silent(SILENCE)
            return
        fault = self.faults.take(request.path, vm.name)
        deliver(channel, self._answer(request, vm, fault), entry, fault)

    def malformed(self, request: Request, answer: Answer, channel: Channel) -> None:
        """Answer what the server could not read as a request."""
        vm, entry = self._arrived(request)
        if vm is None:
            channel.stay_silent(SILENCE)
        else:
            deliver(channel, answer, entry, None)

    def _known_tenants(self) -> dict[str, str]:
        """The issuer of tokens of each tenant."""
        return {**{vault.tenant: vault.issuer for vault in self.vaults.all()}, **self.identities.tenants()}

    def _arrived(self, request: Request) -> tuple[Optional[Vm], Entry]:
        vm = self.vms.find(request.source)
        return vm, self.log.add(request, vm.name if vm else None, self._clock())

    def _answer(self, request: Request, vm: Vm, fault: Optional[Fault]) -> Answer:
        """The fault's own answer, else the service's. A delay passes inside the limits."""
        delay = fault.delay if fault else 0.0
        target = _scripted(request, fault) or routes.resolve(request)
        if isinstance(target, Answer):
            _pause(delay)
            return self._with_retry_after(target, vm)
        limiter = self._limiter if vm.limiter else None
        with limiter.slot(vm.name, target.family.bucket) if limiter else nullcontext(True) as admitted:
            if not admitted:
                return self._with_retry_after(target.family.throttled(request), vm)
            call = self._call(request, vm, target)
            _pause(delay + target.family.pause(call))
            return target.family.answer(call)

    def _call(self, request: Request, vm: Vm, target: routes.Target) -> Call:
        now, parameters = self._clock(), request.parameters()
        return Call(
            request, vm, target.route, parameters, now, self._documents, self.events, self.identities, self._issuer
        )

    def _with_retry_after(self, answer: Answer, vm: Vm) -> Answer:
        """A 429 with the header that the user wants, unless the script gave one."""
        seconds = self._retry_after if vm.retry_after is None else vm.retry_after
        given = any(name.lower() == "retry-after" for name, _value in answer.headers)
        if answer.status != 429 or seconds is None or given:
            return answer
        return answer.with_header("Retry-After", str(seconds))


def _scripted(request: Request, fault: Optional[Fault]) -> Optional[Answer]:
    """The fault's own answer, None where it has none."""
    if fault is None or fault.answer is None:
        return None
    family = routes.family(request) if fault.throttled else None
    if family:
        return replace(family.throttled(request), headers=fault.answer.headers)
    return replace(fault.answer, body=fault.answer.body * fault.repeat)


def _pause(seconds: float) -> None:
    """Sleep, but do not give up the processor for nothing: that would cost a busy machine a time slice."""
    if seconds:
        time.sleep(seconds)
