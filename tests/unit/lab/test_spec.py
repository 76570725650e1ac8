# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a topology: defaults, and an error that names the field for everything that is wrong."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from ansible_collections.imds.azure.tests.lab import spec
from ansible_collections.imds.azure.tests.lab.errors import SpecError
from hypothesis import given
from hypothesis import strategies as st

VM = {"name": "vm1"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda child: st.lists(child) | st.dictionaries(st.text(), child),
)


def one(**fields: Any) -> spec.Vm:
    return spec.parse({"vms": [{**VM, **fields}]}).vms[0]


def test_a_name_is_enough() -> None:
    vm = one()
    (nic,) = vm.nics
    assert str(nic.address) in {str(host) for host in nic.subnet.hosts()}
    assert nic.gateway != nic.address
    assert nic.gateway in nic.subnet
    assert nic.mac.startswith("00:0d:3a:")
    assert (nic.default_route, nic.azure_routes) == (True, True)
    assert (vm.imds, vm.chassis_asset_tag, vm.python) == (True, spec.AZURE_ASSET_TAG, "/usr/bin/python3")


def test_secondary_nics_get_no_routes_of_their_own() -> None:
    first, second = one(nics=[{}, {}]).nics
    assert (second.name, second.default_route, second.azure_routes) == ("eth1", False, False)
    assert not first.subnet.overlaps(second.subnet)
    assert first.metric < second.metric


def test_a_subnet_may_hold_several_vms() -> None:
    nics = [{"subnet": "10.1.0.0/28"}]
    topology = spec.parse({"vms": [{"name": name, "nics": nics} for name in ("a", "b", "c")]})
    assert [str(vm.nics[0].address) for vm in topology.vms] == ["10.1.0.4", "10.1.0.5", "10.1.0.6"]


def test_every_vm_knows_the_names_of_the_key_vaults() -> None:
    topology = spec.parse({"vms": [VM, {"name": "vm2"}], "vaults": [{"name": "kv-web", "secrets": {"a": "b"}}]})
    assert all("kv-web.vault.azure.net" in vm.vault_hosts for vm in topology.vms)
    assert topology.vaults == ({"name": "kv-web", "secrets": {"a": "b"}},)


def test_a_host_elsewhere_is_not_emulated() -> None:
    vm = one(chassis_asset_tag=False)
    assert (vm.imds, vm.chassis_asset_tag) == (False, None)
    assert one(chassis_asset_tag=False, imds=True).imds
    assert one(chassis_asset_tag="other").chassis_asset_tag == "other"


def test_everything_in_a_big_lab_is_unique() -> None:
    vms = spec.parse({"vms": [{"name": f"vm{number}", "nics": [{}] * 8} for number in range(200)]}).vms
    nics = [nic for vm in vms for nic in vm.nics]
    for values in ([nic.mac for nic in nics], [nic.address for nic in nics], [vm.product_uuid for vm in vms]):
        assert len(set(values)) == len(values)


WRONG: dict[str, tuple[Any, str]] = {
    "no object": ([], "topology: expected an object, got a list"),
    "unknown field": ({"vms": [VM], "vnets": []}, "vnets: unknown field; known are emulator, vms, vaults"),
    "no VM": ({"vms": []}, "vms: expected 1 to 200"),
    "emulator": ({"vms": [VM], "emulator": 1}, "emulator: expected true or false, got an integer"),
    "no name": ({"vms": [{}]}, "vms[0].name: ''"),
    "path as name": ({"vms": [{"name": "../x"}]}, "vms[0].name: '../x'"),
    "fabric": ({"vms": [{"name": "fabric"}]}, "vms[0].name: 'fabric' is the fabric's"),
    "vaults": ({"vms": [VM], "vaults": {}}, "vaults: expected a list, got an object"),
    "vault": ({"vms": [VM], "vaults": ["kv"]}, "vaults[0]: expected an object, got a string"),
    "name of a vault": ({"vms": [VM], "vaults": [{"name": "kv.x"}]}, "vaults[0].name: 'kv.x'"),
    "same name": ({"vms": [VM, VM]}, "vms[1].name: vm1 is already used by vms[0].name"),
}
WRONG_IN_VM: dict[str, tuple[dict[str, Any], str]] = {
    "unknown field": ({"nic": []}, "nic: unknown field"),
    "no NIC": ({"nics": []}, "nics: expected 1 to 8"),
    "NIC no object": ({"nics": ["eth0"]}, "nics[0]: expected an object, got a string"),
    "unknown field of a NIC": ({"nics": [{"ip": "x"}]}, "nics[0].ip: unknown field"),
    "subnet": ({"nics": [{"subnet": "10.0.0.1/24"}]}, "nics[0].subnet: 10.0.0.1/24 has host bits set"),
    "tiny subnet": ({"nics": [{"subnet": "10.0.0.0/30"}]}, "nics[0].subnet: 10.0.0.0/30 is smaller"),
    "no address": ({"nics": [{"address": "one"}]}, "nics[0].address: "),
    "address elsewhere": ({"nics": [{}, {"address": "192.0.2.4"}]}, "nics[1].address: 192.0.2.4 is not in"),
    "gateway": (
        {"nics": [{"subnet": "10.1.0.0/24", "secondary_addresses": ["10.1.0.1"]}]},
        "nics[0].secondary_addresses[0]: 10.1.0.1 is the network, gateway",
    ),
    "address twice": (
        {"nics": [{"subnet": "10.1.0.0/24", "address": "10.1.0.7", "secondary_addresses": ["10.1.0.7"]}]},
        "nics[0].secondary_addresses[0]: 10.1.0.7 is already used by vms[0].nics[0].address",
    ),
    "subnet full": (
        {"nics": [{"subnet": "10.1.0.0/29"}] * 4},
        "nics[3].address: 10.1.0.0/29 has no free address left",
    ),
    "MAC": ({"nics": [{"mac": "000D3A123456"}]}, "nics[0].mac: "),
    "multicast MAC": ({"nics": [{"mac": "01:0d:3a:12:34:56"}]}, "nics[0].mac: "),
    "MAC twice": ({"nics": [{"mac": "00:0d:3a:12:34:56"}] * 2}, "nics[1].mac: 00:0d:3a:12:34:56 is already used"),
    "metric": ({"nics": [{"metric": -1}]}, "nics[0].metric: -1"),
    "metric of true": ({"nics": [{"metric": True}]}, "nics[0].metric: expected an integer, got true or false"),
    "ip as text": ({"ip": "route show"}, "ip: expected a list, got a string"),
    "ip line as text": ({"ip": ["route show"]}, "ip[0]: expected the arguments"),
    "two commands in one": ({"ip": [["link"], ["route", "show\nlink del eth0"]]}, "ip[1]: an argument"),
    "UUID": ({"product_uuid": "1234"}, "product_uuid: '1234' is not a UUID"),
    "python": ({"python": "python3"}, "python: 'python3' is not an absolute path"),
    "tags": ({"tags": [{"name": "role", "value": "web"}]}, "tags: expected an object, got a list"),
    "tag": ({"tags": {"role": "web", "rank": 1}}, "tags.rank: expected a string, got an integer"),
    "zone": ({"zone": 1}, "zone: expected a string, got an integer"),
    "group": ({"groups": ["ok", "not-ok"]}, "groups[1]: 'not-ok' is not a group name"),
    "group of numbers": ({"groups": [1]}, "groups[0]: expected a string, got an integer"),
    "disks": ({"disks": {}}, "disks: expected a list, got an object"),
    "controller": ({"disks": [{"controller": "scsi9"}]}, "disks[0].controller: 'scsi9' is not one of ide0, "),
    "device": ({"disks": [{"device": "nvme0n1"}]}, "disks[0].device: 'nvme0n1' is not a device of controller scsi1"),
    "device twice": ({"disks": [{"device": "sda"}] * 2}, "disks[1].device: sda is there twice"),
    "LUN": ({"disks": [{"device": "sda", "lun": -1}]}, "disks[0].lun: -1 is not between 0 and 255"),
    "size": ({"disks": [{"device": "sda", "size_mib": 0}]}, "disks[0].size_mib: 0 is not between 1 and"),
    "size of a partition": (
        {"disks": [{"device": "sda", "partitions_mib": [1, "2"]}]},
        "disks[0].partitions_mib[1]: '2' is not a size in MiB",
    ),
    "link": ({"disks": [{"device": "sda", "links": ["a/../../b"]}]}, "disks[0].links: 'a/../../b' is not a path below"),
    "unknown field of a disk": ({"disks": [{"device": "sda", "name": "x"}]}, "disks[0].name: unknown field"),
    "stack": ({"stacks": [{"device": "sda"}]}, "stacks[0].device: 'sda' is not a device such as dm-0 or md127"),
    "stack on nothing": ({"stacks": [{"device": "dm-0", "on": ["sdx"]}]}, "stacks[0].on: there is no device 'sdx'"),
    "stack without disks": ({"stacks": [{"device": "dm-0"}]}, "stacks: a VM with stacks needs disks"),
    "overrides": ({"overrides": []}, "overrides: expected an object, got a list"),
}


@pytest.mark.parametrize(("document", "message"), WRONG.values(), ids=WRONG)
def test_wrong_topologies(document: Any, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        spec.parse(document)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(("fields", "message"), WRONG_IN_VM.values(), ids=WRONG_IN_VM)
def test_wrong_vms(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError) as caught:
        one(**fields)
    assert str(caught.value).startswith(f"vms[0].{message}")


@given(JSON)
def test_any_document_is_read_or_refused(document: Any) -> None:
    for candidate in (document, {"vms": document}, {"vms": [document]}, {"vms": [{**VM, "nics": [document]}]}):
        with contextlib.suppress(SpecError):
            assert spec.parse(candidate).vms
