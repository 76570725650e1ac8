# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter maintenance_plan: in which order hosts may be taken out of service, and which ones may not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Callable, Optional

from ansible.errors import AnsibleFilterError
from ansible_collections.imds.azure.plugins.plugin_utils._filter_input import require_defined


class Host:
    """What is known of one host of the play. events: those that name it, as the info module returns them."""

    def __init__(self, fact: dict[str, Any]) -> None:
        self.name: str = fact["host"]
        self.groups: list[str] = fact.get("groups") or []
        # Whether IMDS has told which events name it.
        self.asked: bool = fact.get("asked", False)
        self.vm_name: str = (fact.get("vm_name") or "").lower()
        self.events: list[dict[str, Any]] = fact.get("events") or []

    def urgency(self) -> tuple[int, str]:
        """Sorts what has started first, then what starts soonest; what starts at an unknown time last."""
        return min(map(_urgency, self.events))


def _urgency(event: dict[str, Any]) -> tuple[int, str]:
    if event.get("event_status") == "Started":
        return 0, ""
    return (1, event["not_before"]) if event.get("not_before") else (2, "")


class Plan:
    """The hosts of a play, of which those of a batch may be taken out of service now.

    A unit is a set of hosts that only go together, because events name several of them.
    """

    def __init__(self, hosts: list[Host], batch: Sequence[str], others_allowed: bool) -> None:
        self._known = {host.name: host for host in hosts}
        self._batch = [self._known[name] for name in batch if name in self._known]
        self._others_allowed = others_allowed

    def as_dict(self, at_once: int) -> dict[str, Any]:
        units = self._units()
        refused: dict[str, str] = {}
        for unit in units:
            objection = self._objection(unit)
            refused.update((host.name, objection) for host in unit if objection)
        accepted = [unit for unit in units if unit[0].name not in refused]
        accepted.sort(key=lambda unit: min(host.urgency() for host in unit))
        return {
            "rounds": [[host.name for unit in part for host in unit] for part in _rounds(accepted, at_once)],
            "units": {host.name: [each.name for each in unit] for unit in accepted for host in unit},
            "approves": {name: ids for unit in accepted for name, ids in _approvers(unit).items()},
            "refused": refused,
        }

    def _units(self) -> list[list[Host]]:
        """The hosts of the batch that have events, with those that share one, directly or by way of a third."""
        units: list[list[Host]] = []
        for host in self._batch:
            if host.events:
                ids = _ids([host])
                joined = [unit for unit in units if ids & _ids(unit)]
                units = [unit for unit in units if unit not in joined]
                units.append([member for unit in joined for member in unit] + [host])
        return units

    def _objection(self, unit: list[Host]) -> str:
        """Why this unit may not be taken out of service; empty if it may."""
        for host in unit:
            if not host.vm_name:
                return f"IMDS does not tell the VM name of {host.name}, so it is unknown which events are its own"
        for event in (event for host in unit for event in host.events):
            if not event.get("event_id"):
                return f"its {event.get('event_type')} has no ID, so it can't be approved or watched"
        return self._foreign(unit) or self._crowded(unit)

    def _foreign(self, unit: list[Host]) -> str:
        """An event names VMs that are not drained with this unit."""
        for event in (event for host in unit for event in host.events):
            drained = {host.vm_name for host in unit if event["event_id"].lower() in _ids([host])}
            others = [name for name in event["resources"] if name.lower() not in drained]
            if not others or event.get("event_status") == "Started":
                continue
            what = f"{event.get('event_type')} {event['event_id']} also names {' and '.join(others)}"
            known = [host.name for host in self._known.values() if host.vm_name in {name.lower() for name in others}]
            unasked = [host.name for host in self._known.values() if not host.asked]
            if known:
                return (
                    f"{what}, in this play but not drained together with it; put {', '.join(known)} into the same batch"
                )
            if not self._others_allowed:
                return (
                    f"{what}, which this play does not drain; an approval would start it there too. "
                    "If that is meant, set azure_imds_maintenance_others to allow"
                )
            if unasked:
                return (
                    f"{what}, and these hosts of the play, which may be meant, were not asked: {', '.join(unasked)}. "
                    "Put them into the same batch, or leave them out of the play"
                )
        return ""

    def _crowded(self, unit: list[Host]) -> str:
        """More than one member of a group would be out of service."""
        for host in unit:
            for group in host.groups:
                members = [each.name for each in unit if group in each.groups]
                if len(members) > 1:
                    return (
                        f"an event names {' and '.join(members)}, which are all in the group {group}, of which no two "
                        "may be out of service. Azure will start it at its time"
                    )
                # A host that can't be reached may be out of service. One whose turn has not come yet has no fact.
                lost = [each.name for each in self._known.values() if not each.asked and group in each.groups]
                if lost:
                    return f"{', '.join(lost)} of the same group, {group}, could not be asked and may be out of service"
        return ""


def _ids(hosts: Iterable[Host]) -> set[str]:
    return {(event.get("event_id") or "").lower() for host in hosts for event in host.events} - {""}


def _approvers(unit: list[Host]) -> dict[str, list[str]]:
    """Host -> the IDs that it approves. Each event is approved once, by the first host that it names."""
    found: dict[str, list[str]] = {}
    seen: set[str] = set()
    for host in unit:
        found[host.name] = [event["event_id"] for event in host.events if event["event_id"].lower() not in seen]
        seen |= _ids([host])
    return found


def _rounds(units: list[list[Host]], at_once: int) -> list[list[list[Host]]]:
    """Each unit in the first round that has room for it, and no member of one of its groups.

    A unit that is larger than a round has one of its own.
    """
    rounds: list[list[list[Host]]] = []
    for unit in units:
        groups = {group for host in unit for group in host.groups}
        for part in rounds:
            hosts = [host for each in part for host in each]
            if len(hosts) + len(unit) <= at_once and not groups & {group for host in hosts for group in host.groups}:
                part.append(unit)
                break
        else:
            rounds.append([unit])
    return rounds


def _names(value: Any) -> list[str]:
    """A list as it is written in YAML, or on a command line."""
    parts = value if isinstance(value, list) else str(value or "").split(",")
    return [str(part).strip() for part in parts if str(part).strip()]


def maintenance_plan(
    value: Any,
    hosts: Sequence[str],
    batch: Sequence[str],
    at_once: int = 1,
    others: str = "refuse",
    failed: Optional[Mapping[str, Any]] = None,
) -> dict[str, Any]:
    """What is known of the hosts -> rounds, units, approves, refused.

    :param value: a list of {host, groups, asked, vm_name, events}
    :param hosts: the names of all hosts of the play; what is not in value was not asked
    :param batch: the names of the hosts that may be planned
    :param failed: hosts that failed before they could be asked -> their groups, a list or names with commas between
    :raises AnsibleFilterError: for anything else
    """
    require_defined(value, hosts, batch, at_once)
    if not isinstance(value, list) or not all(isinstance(fact, dict) and "host" in fact for fact in value):
        raise AnsibleFilterError("imds.azure.maintenance_plan: expects a list of dictionaries with the key host")
    if not isinstance(at_once, int) or at_once < 1:
        raise AnsibleFilterError(f"imds.azure.maintenance_plan: at_once must be 1 or more, not {at_once!r}")
    known = [Host(fact) for fact in value]
    names = {host.name for host in known}
    groups = {name: _names(given) for name, given in (failed or {}).items()}
    known += [Host({"host": name, "groups": groups.get(name)}) for name in hosts if name not in names]
    return Plan(known, batch, others == "allow").as_dict(at_once)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"maintenance_plan": maintenance_plan}
