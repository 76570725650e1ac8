# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulated fleet, and how wrong answers are noticed."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from ansible_collections.imds.azure.tests.scale import fleet
from ansible_collections.imds.azure.tests.scale.network import EMULATOR


def right(vm: fleet.Vm) -> dict[str, Any]:
    facts = {"name": vm.name, "vm_id": vm.vm_id, "zone": vm.zone, "tags": vm.tags}
    return {**facts, "attested_vm_id": vm.vm_id, "verified": True, "nonce": f"nonce-{vm.number}"}


def test_each_vm_has_everything_of_its_own() -> None:
    vms = fleet.vms(2000)
    for own in ("name", "address", "vm_id"):
        assert len({getattr(vm, own) for vm in vms}) == len(vms)
    assert all(ipaddress.ip_address(vm.address).is_private for vm in vms)
    assert [len(share) for share in fleet.shares(vms)] == [1000, 1000]


def test_the_emulator_takes_the_fleet_as_it_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EMULATOR))
    from azure_imds_emulator.vms import Vms

    vms = fleet.vms(5)
    served = Vms([fleet.emulated(vm) for vm in vms])
    for vm in vms:
        found = served.find(vm.address)
        assert found is not None
        compute = found.document["compute"]
        assert (compute["name"], compute["vmId"], compute["zone"]) == (vm.name, vm.vm_id, vm.zone)
        assert {tag["name"]: tag["value"] for tag in compute["tagsList"]} == vm.tags


def test_each_host_of_the_inventory_asks_the_emulator_that_serves_it() -> None:
    vms = fleet.vms(1001)
    inventory = fleet.inventory(vms, [8001, 8002], {"ansible_connection": "local"})["all"]
    endpoints = [inventory["hosts"][vm.name]["azure_imds_endpoint"] for vm in (vms[999], vms[1000])]
    assert endpoints == ["http://10.18.3.250:8001", "http://10.18.4.1:8002"]
    assert inventory["vars"] == {"azure_imds_detect": "force", "ansible_connection": "local"}


def test_right_answers_have_no_difference() -> None:
    vms = fleet.vms(3)
    assert fleet.differences(vms, {vm.name: right(vm) for vm in vms}) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"vm_id": fleet.Vm(1).vm_id}, "vm-0000: vm_id is"),
        ({"attested_vm_id": fleet.Vm(1).vm_id}, "vm-0000: attested_vm_id is"),
        ({"verified": False}, "vm-0000: verified is False"),
        ({"tags": {}}, "vm-0000: tags is {}"),
        ({"nonce": "nonce-1"}, "its nonce 'nonce-1' is none of its own"),
        ({"nonce": None}, "vm-0000: its nonce None"),
    ],
)
def test_a_wrong_answer_is_noticed(change: dict[str, Any], said: str) -> None:
    vms = fleet.vms(2)
    answers = {vm.name: right(vm) for vm in vms}
    answers["vm-0000"].update(change)
    (found,) = fleet.differences(vms, answers)
    assert said in found


def test_a_missing_host_and_a_stranger_are_noticed() -> None:
    found = fleet.differences(fleet.vms(1), {"vm-0001": right(fleet.Vm(1))})
    assert "vm-0001 is not of the fleet" in found
    assert any(line.startswith("vm-0000: vm_id is None") for line in found)
