# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scheduled events as they come, start and go, by a clock that can be moved forward.

What is due happens when somebody looks, in the order in which it was due; nothing runs in between.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Callable, NoReturn, Optional

from . import checks
from .event_kinds import OTHER, SELF
from .event_spec import DAY, Wanted, parse_change, parse_events
from .vms import Vm, Vms

MOST = 1_000  # events
POSTS = 1_000  # requests of clients that are remembered
SHOWN = 4096  # characters of a body that are remembered


@dataclass
class Event:
    """One event. Times are Unix seconds; ``not_before`` counts until it starts."""

    id: str
    type: str
    resources: tuple[str, ...]
    source: str
    description: str
    not_before: float
    duration: int
    gone_after: float
    start_delay: float
    cancel_at: Optional[float]
    becomes: Optional[tuple[str, float]]
    step: int
    starts_at: float
    started_at: Optional[float] = None

    @property
    def status(self) -> str:
        """As in EventStatus."""
        return "Scheduled" if self.started_at is None else "Started"

    def next_change(self) -> tuple[float, str]:
        """When something becomes different by itself, and what."""
        if self.started_at is not None:
            return self.started_at + self.gone_after, "go"
        changes = [(self.starts_at, "start")]
        if self.cancel_at is not None:
            changes.append((self.cancel_at, "go"))
        if self.becomes:
            changes.append((self.becomes[1], "become"))
        return min(changes)

    def as_json(self) -> dict[str, Any]:
        """What the control endpoint shows."""
        return {
            "id": self.id,
            "type": self.type,
            "status": self.status,
            "resources": list(self.resources),
            "source": self.source,
            "description": self.description,
            "not_before": self.not_before if self.started_at is None else None,
            "duration": self.duration,
        }


@dataclass
class _Domain:
    """VMs that are maintained together, and see the same. ``last_call`` None: nobody has asked yet."""

    events: list[Event] = field(default_factory=list)
    incarnation: int = 1
    last_call: Optional[float] = None


@dataclass(frozen=True)
class Look:
    """What a VM sees at one moment. ``events`` are copies of what matters, in the order in which they came."""

    incarnation: int
    events: tuple[dict[str, Any], ...]


class Events:
    """The events of all maintenance domains."""

    def __init__(self, vms: Vms, clock: Callable[[], float]) -> None:
        self._vms = vms
        self._clock = clock
        self._lock = threading.Lock()
        self._domains: dict[str, _Domain] = {}
        self._posts: deque[dict[str, Any]] = deque(maxlen=POSTS)

    # --- for the endpoint -------------------------------------------------------------------------------------------

    def now(self) -> float:
        """The time by which events come and go, in Unix seconds."""
        return self._clock()

    def delay(self, vm: Vm) -> float:
        """Seconds that a request takes if it is the one that switches the service on."""
        with self._lock:
            off = self._is_off(self._domain(vm), vm)
        return float(vm.scheduled_events.get("first_call_delay", 0)) if off else 0.0

    def look(self, vm: Vm) -> Look:
        """What this VM sees; asking keeps the service on."""
        with self._lock:
            domain = self._domain(vm)
            if self._is_off(domain, vm):
                domain.incarnation = 1 + sum(event.step for event in domain.events)
            domain.last_call = self.now()
            return Look(domain.incarnation, tuple(event.as_json() for event in domain.events))

    def approve(self, vm: Vm, ids: list[str]) -> bool:
        """Start events of this VM's domain, with all their resources. False if one is unknown: then none is started."""
        with self._lock:
            domain = self._domain(vm)
            known = {event.id.lower(): event for event in domain.events}
            if any(each.lower() not in known for each in ids):
                return False
            for each in ids:
                event = known[each.lower()]
                if event.started_at is None:
                    event.starts_at = min(event.starts_at, self.now() + event.start_delay)
            self._catch_up(domain)
            return True

    def note_post(self, vm: Vm, body: bytes, status: int) -> None:
        """Remember what a client posted."""
        shown = body.decode(errors="replace")[:SHOWN]
        self._posts.append({"time": self.now(), "vm": vm.name, "body": shown, "status": status})

    # --- for the control endpoint -----------------------------------------------------------------------------------

    def as_json(self) -> dict[str, Any]:
        """All events, by domain, and what clients posted."""
        with self._lock:
            for domain in self._domains.values():
                self._catch_up(domain)
            domains = {
                name: {"incarnation": domain.incarnation, "events": [event.as_json() for event in domain.events]}
                for name, domain in self._domains.items()
            }
        return {"now": self.now(), "domains": domains, "posts": list(self._posts)}

    def add(self, given: Any) -> list[dict[str, Any]]:
        """New events from an object or a list of them; what was added.

        :raises InvalidInputError: if a field is wrong; nothing is added then
        """
        listed = given if isinstance(given, list) else [given]
        if len(listed) > MOST:
            checks.fail("events", f"are {len(listed)}; at most {MOST} are possible")
        parsed = [
            parse_events(item, f"events[{i}]" if isinstance(given, list) else "") for i, item in enumerate(listed)
        ]
        with self._lock:
            planned = [(vm, self._event(vm, wanted)) for vm, wanted in self._meant(parsed)]
            self._refuse_excess([event for _vm, event in planned])
            for vm, event in planned:
                domain = self._domain(vm)
                domain.events.append(event)
                domain.incarnation += event.step
                self._catch_up(domain)
            return [event.as_json() for _vm, event in planned]

    def change(self, event_id: str, given: Any) -> dict[str, Any]:
        """Postpone an event, or change what it is.

        :raises InvalidInputError: if a field is wrong
        :raises LookupError: for an unknown id
        """
        changes = parse_change(given)
        with self._lock:
            domain, event = self._find(event_id)
            if "notice" in changes:
                if event.started_at is not None:
                    checks.fail("notice", "cannot be changed: the event has started")
                event.not_before = event.starts_at = self.now() + changes.pop("notice")
            for name, value in changes.items():
                setattr(event, name, tuple(value) if name == "resources" else value)
            domain.incarnation += event.step
            self._catch_up(domain)
            return event.as_json()

    def cancel(self, event_id: str) -> dict[str, Any]:
        """Take one event away.

        :raises LookupError: for an unknown id
        """
        with self._lock:
            domain, event = self._find(event_id)
            domain.events.remove(event)
            domain.incarnation += event.step
            return event.as_json()

    def clear(self) -> int:
        """Take all events and what clients posted away; returns how many events there were."""
        with self._lock:
            count = sum(len(domain.events) for domain in self._domains.values())
            for domain in self._domains.values():
                domain.incarnation += sum(event.step for event in domain.events)
                domain.events.clear()
            self._posts.clear()
        return count

    # ----------------------------------------------------------------------------------------------------------------

    def _meant(self, parsed: list[tuple[Optional[str], list[Wanted]]]) -> list[tuple[Vm, Wanted]]:
        """The events with the VMs that they are for."""
        meant = []
        for name, wanted in parsed:
            vm = self._vms.named(name if name is not None else next(iter(self._vms.names()), ""))
            if vm is None:
                checks.fail("vm", f"no VM has this name; there are {', '.join(self._vms.names()) or 'none'}")
            meant += [(vm, each) for each in wanted]
        return meant

    def _refuse_excess(self, new: list[Event]) -> None:
        there = [event for domain in self._domains.values() for event in domain.events]
        if len(there) + len(new) > MOST:
            checks.fail("events", f"would be {len(there) + len(new)}; at most {MOST} are possible, delete some first")
        taken = {event.id.lower() for event in there}
        for event in new:
            if event.id.lower() in taken:
                checks.fail("id", f"{event.id} is already that of another event")
            taken.add(event.id.lower())

    def _event(self, vm: Vm, wanted: Wanted) -> Event:
        now = self.now()
        return Event(
            id=wanted.id,
            type=wanted.type,
            resources=tuple(name for resource in wanted.resources for name in self._names(vm, resource)),
            source=wanted.source,
            description=wanted.description,
            not_before=now + wanted.notice,
            duration=wanted.duration,
            gone_after=wanted.gone_after,
            start_delay=wanted.start_delay,
            cancel_at=None if wanted.cancel_after is None else now + wanted.cancel_after,
            becomes=(wanted.becomes[0], now + wanted.becomes[1]) if wanted.becomes else None,
            step=wanted.step,
            starts_at=now + wanted.notice,
            started_at=now if wanted.started else None,
        )

    def _names(self, vm: Vm, resource: str) -> list[str]:
        """What Azure calls a resource: the VM's name in its instance document."""
        if resource == SELF:
            return [_azure_name(vm)]
        if resource == OTHER:
            others = [
                each for each in self._vms.all() if each.name != vm.name and _domain_name(each) == _domain_name(vm)
            ]
            return [_azure_name(others[0]) if others else "another-vm"]
        named = self._vms.named(resource)
        return [_azure_name(named) if named else resource]

    def _find(self, event_id: str) -> tuple[_Domain, Event]:
        for domain in self._domains.values():
            self._catch_up(domain)
            for event in domain.events:
                if event.id.lower() == event_id.lower():
                    return domain, event
        return _unknown(event_id)

    def _domain(self, vm: Vm) -> _Domain:
        """This VM's domain as it is by now."""
        domain = self._domains.setdefault(_domain_name(vm), _Domain())
        self._catch_up(domain)
        return domain

    def _is_off(self, domain: _Domain, vm: Vm) -> bool:
        patience = float(vm.scheduled_events.get("disabled_after", DAY))
        return domain.last_call is None or self.now() - domain.last_call > patience

    def _catch_up(self, domain: _Domain) -> None:
        """Let happen what is due."""
        now = self.now()
        while True:
            due = [(*event.next_change(), i) for i, event in enumerate(domain.events)]
            at, change, i = min(due, default=(now + 1, "", 0))
            if at > now:
                return
            event = domain.events[i]
            domain.incarnation += event.step
            if change == "start":
                event.started_at = at
            elif change == "become" and event.becomes:
                event.type, event.becomes = event.becomes[0], None
            else:
                del domain.events[i]


def _azure_name(vm: Vm) -> str:
    return str(vm.compute.get("name") or vm.name)


def _domain_name(vm: Vm) -> str:
    switches: Mapping[str, Any] = vm.scheduled_events
    # A domain and a lone VM may bear the same name and are not the same.
    return f"domain {switches['domain']}" if "domain" in switches else f"vm {vm.name}"


def _unknown(event_id: str) -> NoReturn:
    raise LookupError(f"no event has the id {event_id[:64]}")
