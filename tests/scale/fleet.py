# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulated fleet: who each VM is, its emulators, its inventory, and whether its answers are right. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

# VMs that one emulator serves.
PER_EMULATOR = 1_000
# Those whose last number is 0 or 255 are left out, although they would do on loopback.
_PER_SUBNET = 250


class Vm(NamedTuple):
    """One VM of the fleet; everything about it follows from its number, counted from 0."""

    number: int

    @property
    def name(self) -> str:
        return f"vm-{self.number:04}"

    @property
    def address(self) -> str:
        """Its own on loopback: a connection to it also comes from it, which tells an emulator who asks."""
        return f"10.18.{self.number // _PER_SUBNET}.{self.number % _PER_SUBNET + 1}"

    @property
    def vm_id(self) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"https://fleet.example/{self.name}"))

    @property
    def zone(self) -> str:
        return str(self.number % 3 + 1)

    @property
    def tags(self) -> dict[str, str]:
        return {"app": ("web", "database", "batch", "cache")[self.number % 4], "serial": f"{self.number:04}"}


def vms(number: int) -> list[Vm]:
    """A fleet of so many."""
    return [Vm(each) for each in range(number)]


def emulated(vm: Vm) -> dict[str, Any]:
    """The VM as the emulator takes it."""
    compute = {
        "vmId": vm.vm_id,
        "zone": vm.zone,
        "platformFaultDomain": str(vm.number % 5),
        "tags": ";".join(f"{name}:{value}" for name, value in vm.tags.items()),
        "tagsList": [{"name": name, "value": value} for name, value in vm.tags.items()],
    }
    return {"name": vm.name, "sources": [vm.address], "profile": "zonal", "overrides": {"compute": compute}}


def shares(fleet: Sequence[Vm]) -> Iterator[Sequence[Vm]]:
    """The VMs of each emulator."""
    for first in range(0, len(fleet), PER_EMULATOR):
        yield fleet[first : first + PER_EMULATOR]


def inventory(fleet: Sequence[Vm], ports: Sequence[int], variables: Mapping[str, Any]) -> dict[str, Any]:
    """The fleet as an inventory: each host asks its own VM's address and knows which VM it should be.

    :param ports: of the emulators, in the order of `shares`
    :param variables: of all hosts
    """
    hosts = {
        vm.name: {
            "azure_imds_endpoint": f"http://{vm.address}:{ports[vm.number // PER_EMULATOR]}",
            "azure_vm_id": vm.vm_id,
        }
        for vm in fleet
    }
    return {"all": {"hosts": hosts, "vars": {"azure_imds_detect": "force", **variables}}}


def differences(fleet: Sequence[Vm], answers: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What is wrong with the answers of a fleet: each VM is itself, and has proved it with a nonce of its own.

    :param answers: host -> name, vm_id, zone and tags of its facts; attested_vm_id, verified and nonce of its document
    """
    found = [f"{name} is not of the fleet" for name in answers if name not in {vm.name for vm in fleet}]
    nonces: dict[str, str] = {}
    for vm in fleet:
        answer = answers.get(vm.name, {})
        expected = {
            **{name: getattr(vm, name) for name in ("name", "vm_id", "zone", "tags")},
            "attested_vm_id": vm.vm_id,
            "verified": True,
        }
        found += [
            f"{vm.name}: {name} is {answer.get(name)!r} instead of {value!r}"
            for name, value in expected.items()
            if answer.get(name) != value
        ]
        nonce = answer.get("nonce")
        if not nonce or nonce in nonces:
            found.append(f"{vm.name}: its nonce {nonce!r} is none of its own")
        nonces[str(nonce)] = vm.name
    return found
