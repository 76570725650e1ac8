# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which managed identities each VM has by now, and the tokens that are kept for them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Callable, Optional

from . import checks, identity_spec
from .identity_spec import SYSTEM, Identity, Managed
from .tokens.claims import Token, issuer
from .vms import Vm, Vms

MOST_TOKENS = 200  # that are kept for a VM; whoever asks for more resources than that gets new ones


@dataclass
class _State:
    """``managed`` is what holds for the VM now; ``since``: when each identity was assigned, by its client ID."""

    vm: Vm
    managed: Managed
    since: dict[str, float]
    tokens: dict[tuple[str, str], Token] = field(default_factory=dict)


class Identities:
    """The identities of all VMs. A new list of VMs starts over with what it says."""

    def __init__(self, vms: Vms, clock: Callable[[], float]) -> None:
        self._vms = vms
        self._clock = clock
        self._lock = threading.Lock()
        self._states: dict[str, _State] = {}
        self.catch_up()

    def catch_up(self) -> None:
        """Take over a new list of VMs: what it assigns is assigned now."""
        with self._lock:
            self._states = {vm.name: self._state(vm) for vm in self._vms.all()}

    # --- for the endpoint -------------------------------------------------------------------------------------------

    def now(self) -> float:
        """The time by which identities propagate and tokens expire, in Unix seconds."""
        return self._clock()

    def managed(self, vm: Vm) -> Managed:
        """What IMDS knows about this VM: identities that have not propagated are missing."""
        with self._lock:
            state = self._state(vm)
            now = self._clock()
            known = tuple(
                each
                for each in state.managed.identities
                if now - state.since[each.client_id] >= state.managed.propagation_delay
            )
            return replace(state.managed, identities=known)

    def token(self, vm: Vm, identity: Identity, resource: str, fresh: bool, make: Callable[[], Token]) -> Token:
        """The token that is kept until half of its life is over; else a new one."""
        with self._lock:
            state = self._state(vm)
        key = identity.client_id, resource
        kept = state.tokens.get(key)
        if kept and state.managed.cached and not fresh and kept.is_young(self._clock()):
            return kept
        # Outside of the lock: signing takes a while. Of two that were made at the same time, the later one is kept.
        token = make()
        with self._lock:
            state.tokens[key] = token
            while len(state.tokens) > MOST_TOKENS:
                del state.tokens[next(iter(state.tokens))]
        return token

    def tenants(self) -> dict[str, str]:
        """The issuer of tokens of each tenant, by the tenant's ID."""
        with self._lock:
            states = [self._state(vm) for vm in self._vms.all()]
        clouds = [(state.managed.tenant, str(state.vm.compute.get("azEnvironment") or "")) for state in states]
        return {tenant: issuer(cloud, tenant) for tenant, cloud in reversed(clouds)}

    # --- for the control endpoint -----------------------------------------------------------------------------------

    def as_json(self, name: Optional[str] = None) -> dict[str, Any]:
        """What one VM has, or by name what each has.

        :raises LookupError: for an unknown VM
        """
        if name is not None:
            return self._shown(self._find(name))
        return {vm.name: self._shown(vm) for vm in self._vms.all()}

    def put(self, name: str, given: Any) -> dict[str, Any]:
        """Replace all that ``identity`` says about a VM. What it had already stays assigned since then.

        :raises InvalidInputError, LookupError: if a field is wrong, for an unknown VM; nothing changes then
        """
        vm = self._find(name)
        spec = identity_spec.check("", given)
        managed = identity_spec.managed("identity", spec, vm.identity.vm_id)
        _refuse_on_arc(vm, managed.identities)
        with self._lock:
            self._change(self._state(vm), managed)
        return self.as_json(name)

    def assign(self, name: str, given: Any) -> dict[str, Any]:
        """One more identity for a VM; what was added.

        :raises InvalidInputError, LookupError: if a field is wrong, for an unknown VM
        """
        vm = self._find(name)
        identity = identity_spec.parse("", given, vm.identity.vm_id)
        _refuse_on_arc(vm, (identity,))
        with self._lock:
            state = self._state(vm)
            identities = (*state.managed.identities, identity)
            identity_spec.refuse_ambiguity("identity", identities)
            self._change(state, replace(state.managed, identities=identities))
        return identity.as_json()

    def remove(self, name: str, which: str) -> dict[str, Any]:
        """Take an identity from a VM, by its name or its client ID; what was removed.

        :raises LookupError: if there is none
        """
        vm = self._find(name)
        with self._lock:
            state = self._state(vm)
            found = [each for each in state.managed.identities if which.lower() in (each.name.lower(), each.client_id)]
            if not found:
                raise LookupError(f"{name} has no identity {which[:128]!r}; give {SYSTEM}, a name or a client ID")
            left = tuple(each for each in state.managed.identities if each is not found[0])
            self._change(state, replace(state.managed, identities=left))
        return found[0].as_json()

    # ----------------------------------------------------------------------------------------------------------------

    def _state(self, vm: Vm) -> _State:
        state = self._states.get(vm.name)
        if state is None or state.vm is not vm:
            now = self._clock()
            state = _State(vm, vm.identity, {each.client_id: now for each in vm.identity.identities})
            # A request may still be under way for a VM of the list before.
            if self._vms.named(vm.name) is vm:
                self._states[vm.name] = state
        return state

    def _change(self, state: _State, managed: Managed) -> None:
        now = self._clock()
        state.since = {each.client_id: state.since.get(each.client_id, now) for each in managed.identities}
        state.managed = managed
        # A token depends on the identity's state, on the tenant and on its resources.
        state.tokens = {}

    def _find(self, name: str) -> Vm:
        vm = self._vms.named(name)
        if vm is None:
            raise LookupError(f"no VM has the name {name[:128]!r}; there are {', '.join(self._vms.names()) or 'none'}")
        if vm.classic:
            checks.fail("vm", f"{name} is a classic VM, which cannot have a managed identity")
        return vm

    def _shown(self, vm: Vm) -> dict[str, Any]:
        known = self.managed(vm).identities
        with self._lock:
            managed = self._state(vm).managed
        return {
            "tenant": managed.tenant,
            "identities": [{**each.as_json(), "propagated": each in known} for each in managed.identities],
        }


def _refuse_on_arc(vm: Vm, identities: Sequence[Identity]) -> None:
    if vm.arc and not all(each.is_system for each in identities):
        checks.fail(
            "user_assigned", f"{vm.name} is an Azure Arc machine, which can only have a system-assigned identity"
        )
