# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which VM answers which source address, and what its document says."""

from __future__ import annotations

import base64
import re
import socket
import struct
from typing import Any

import pytest
from azure_imds_emulator.checks import InvalidInputError
from azure_imds_emulator.vms import Vms, build, profile_names

NIC, NIC_2 = (
    {"ipv4": {"ipAddress": [{"privateIpAddress": address, "publicIpAddress": ""}]}}
    for address in ("10.9.0.1", "10.9.0.2")
)


def compute(vm: dict[str, Any]) -> dict[str, Any]:
    return dict(build(vm).document["compute"])


def test_told_apart_by_source_address(start: Any) -> None:
    imds = start([{"name": "a", "sources": ["127.0.0.11"]}, {"name": "b", "sources": ["127.0.0.12", "127.0.0.13"]}])
    names = [imds.instance(source=f"127.0.0.{i}").json()["compute"]["name"] for i in (11, 12, 13)]
    assert names == ["a", "b", "b"]
    assert [entry["vm"] for entry in imds.requests()] == ["a", "b", "b"]


def test_a_vm_without_sources_answers_strangers(start: Any) -> None:
    imds = start([{"name": "a", "sources": ["127.0.0.11"]}, {"name": "rest"}])
    assert imds.instance(source="127.0.0.99").json()["compute"]["name"] == "rest"
    assert imds.instance(source="127.0.0.11").json()["compute"]["name"] == "a"


@pytest.mark.parametrize("source", ["127.0.0.99", "127.0.0.12"])
def test_strangers_and_secondary_addresses_get_no_answer(start: Any, source: str) -> None:
    imds = start([{"name": "a", "sources": ["127.0.0.11"], "secondary_addresses": ["127.0.0.12"]}])
    with imds.connect(source) as connection:
        connection.send(b"GET /metadata/versions HTTP/1.1\r\nMetadata: true\r\n\r\n")
        connection.socket.settimeout(0.2)
        for more in (b"GET", b" / HTTP/1.1\r\n\r\n"):
            with pytest.raises(socket.timeout):
                connection.socket.recv(1)
            connection.send(more)
    entry = imds.requests()[0]
    assert (entry["source"], entry["vm"], entry["status"]) == (source, None, None)


def test_the_silence_for_a_stranger_ends(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("azure_imds_emulator.emulator.SILENCE", 0.2)
    with start([]).connect() as connection:
        connection.send(b"GET / HTTP/1.1\r\n\r\n")
        assert connection.reply() is None


def test_a_secondary_address_gets_no_answer_from_the_default_vm_either() -> None:
    vms = Vms([{"name": "a", "sources": ["10.0.0.4"], "secondary_addresses": ["10.0.0.5"]}, {"name": "rest"}])
    assert vms.find("10.0.0.5") is None
    assert vms.find("::ffff:10.0.0.5") is None
    found = [vms.find(source) for source in ("::ffff:10.0.0.4", "fe80::1%eth0")]
    assert [vm.name for vm in found if vm] == ["a", "rest"]


def test_addresses_of_the_document() -> None:
    vm = build({"name": "a", "sources": ["10.1.2.4", "10.1.2.6"], "secondary_addresses": ["10.1.2.5"]})
    ipv4 = vm.document["network"]["interface"][0]["ipv4"]
    assert [entry["privateIpAddress"] for entry in ipv4["ipAddress"]] == ["10.1.2.4", "10.1.2.6", "10.1.2.5"]
    assert ipv4["subnet"] == [{"address": "10.1.2.0", "prefix": "24"}]
    assert [entry["publicIpAddress"] for entry in ipv4["ipAddress"]][1:] == ["", ""]


def test_a_loopback_source_is_not_in_the_document() -> None:
    ipv4 = build({"name": "a", "sources": ["127.0.0.1", "::1"]}).document["network"]["interface"][0]["ipv4"]
    assert [entry["privateIpAddress"] for entry in ipv4["ipAddress"]] == ["10.20.1.4"]


def test_overrides_are_merged_deeply() -> None:
    vm = build(
        {
            "name": "a",
            "sources": ["10.1.2.4"],
            "overrides": {
                "compute": {
                    "location": "SwedenCentral",
                    "securityProfile": {"secureBootEnabled": "false"},
                    "tagsList": [{"name": "a", "value": "b;c"}, {"name": "d", "value": ""}],
                },
                "network": {"interface": []},
            },
        }
    )
    assert vm.document["compute"]["location"] == "SwedenCentral"
    assert vm.document["compute"]["securityProfile"]["secureBootEnabled"] == "false"
    assert vm.document["compute"]["securityProfile"]["virtualTpmEnabled"] == "true"
    assert vm.document["compute"]["tags"] == "a:b;c;d:"
    assert vm.document["network"] == {"interface": []}


def test_identity_of_a_vm_is_its_own() -> None:
    one, other = build({"name": "one"}).document, build({"name": "other"}).document
    assert one["compute"]["vmId"] != other["compute"]["vmId"]
    assert one["network"]["interface"][0]["macAddress"] != other["network"]["interface"][0]["macAddress"]
    assert build({"name": "one"}).document == one  # and stays so


def test_names_and_ids_hang_together() -> None:
    overrides = {"compute": {"name": "web9", "resourceGroupName": "rg9", "subscriptionId": "s9"}}
    document = compute({"name": "a", "overrides": overrides})
    scope = "/subscriptions/s9/resourceGroups/rg9/providers/Microsoft.Compute"
    assert document["resourceId"] == f"{scope}/virtualMachines/web9"
    assert document["storageProfile"]["osDisk"]["managedDisk"]["id"].startswith(f"{scope}/disks/web9")
    assert document["osProfile"]["computerName"] == "web9"


IPV6 = {"dual_stack": {"ipAddress": [{"privateIpAddress": "fd20:1::4", "publicIpAddress": "2001:db8:20::4"}]}}


@pytest.mark.parametrize("profile", profile_names())
def test_every_profile_is_sound(start: Any, profile: str) -> None:
    imds = start([{"name": "vm-7", "profile": profile}])
    document = imds.instance().json()
    text = imds.instance().body.decode()
    assert "${" not in text
    assert re.fullmatch("000D3A[0-9A-F]{6}", document["network"]["interface"][0]["macAddress"])
    assert all(
        interface["ipv6"] == IPV6.get(profile, {"ipAddress": []}) for interface in document["network"]["interface"]
    )
    if profile == "classic":
        assert set(document) == {"network"}
        assert imds.instance("/compute").status == 404
        return
    vm = document["compute"]
    assert vm["name"] == "vm-7"
    assert vm["location"] == vm["location"].lower()
    assert vm["tags"] == ";".join(f"{tag['name']}:{tag['value']}" for tag in vm["tagsList"])
    assert vm["resourceId"].startswith(
        f"/subscriptions/{vm['subscriptionId']}/resourceGroups/{vm['resourceGroupName']}/"
    )
    base64.b64decode(vm["userData"], validate=True)
    luns = [int(disk["lun"]) for disk in vm["storageProfile"]["dataDisks"]]
    assert luns != sorted(luns)


EXPECTED: dict[str, dict[str, Any]] = {
    "linux": {"osType": "Linux", "zone": "", "azEnvironment": "AzurePublicCloud", "vmScaleSetName": ""},
    "zonal": {"zone": "2", "location": "northeurope"},
    "scale_set": {"vmScaleSetName": "vmss-web", "virtualMachineScaleSet": {"id": ""}},
    "scale_set_flexible": {"vmScaleSetName": ""},
    "windows": {"osType": "Windows", "licenseType": "Windows_Server", "publicKeys": []},
    "spot": {"priority": "Spot", "evictionPolicy": "Deallocate"},
    "dual_stack": {"osType": "Linux"},
    "two_nics": {"osType": "Linux"},
    "accelerated_networking": {"vmSize": "Standard_D8ds_v6"},
    "nvme": {"vmSize": "Standard_E8ds_v6"},
    "us_government": {"azEnvironment": "AzureUSGovernmentCloud", "location": "usgovvirginia"},
    "china": {"azEnvironment": "AzureChinaCloud", "location": "chinanorth3"},
}


@pytest.mark.parametrize("profile", EXPECTED)
def test_what_makes_a_profile(profile: str) -> None:
    document = compute({"name": "a", "profile": profile})
    assert {name: document[name] for name in EXPECTED[profile]} == EXPECTED[profile]


def test_profiles_are_all_tested() -> None:
    assert profile_names() == sorted([*EXPECTED, "classic"])


def macs(vm: dict[str, Any]) -> list[str]:
    return [interface["macAddress"] for interface in build(vm).document["network"]["interface"]]


def test_interfaces_may_be_listed_in_another_order() -> None:
    in_order, shuffled = (macs({"name": "a", "profile": name}) for name in ("accelerated_networking", "two_nics"))
    assert len(set(in_order)) == 2
    assert shuffled == in_order[::-1]
    assert macs({"name": "a", "profile": "two_nics", "shuffle_interfaces": False}) == in_order
    first, last = build({"name": "a", "profile": "two_nics", "sources": ["10.1.0.4"]}).document["network"]["interface"]
    assert last["ipv4"]["ipAddress"][0]["privateIpAddress"] == "10.1.0.4"
    assert first["ipv4"]["ipAddress"][0]["privateIpAddress"] == "10.20.9.4"


@pytest.mark.parametrize(
    "overrides", [{"network": "none"}, {"network": {"interface": "none"}}, {"network": {"interface": []}}]
)
def test_nothing_is_shuffled_where_there_are_no_interfaces(overrides: Any) -> None:
    document = build({"name": "a", "shuffle_interfaces": True, "overrides": overrides}).document
    assert document["network"] == overrides["network"]


def test_load_balancers_speak_ipv6_in_brackets() -> None:
    found = build({"name": "a", "profile": "dual_stack"}).loadbalancer
    assert found is not None
    assert found["publicIpAddresses"][1] == {
        "frontendIpAddress": "[2001:db8:20::80]",
        "privateIpAddress": "[fd20:1::4]",
    }
    assert {rule["protocol"] for rule in found["inboundRules"]} == {"Tcp"}


def test_scale_set_flavors() -> None:
    uniform, flexible = (compute({"name": "a", "profile": name}) for name in ("scale_set", "scale_set_flexible"))
    assert "/virtualMachineScaleSets/vmss-web/virtualMachines/" in uniform["resourceId"]
    assert flexible["virtualMachineScaleSet"]["id"].endswith("/virtualMachineScaleSets/vmss-web")
    assert flexible["resourceId"].endswith("/virtualMachines/a")


def test_public_keys_are_real() -> None:
    kinds = []
    for key in compute({"name": "a"})["publicKeys"]:
        kind, blob = key["keyData"].split()
        data = base64.b64decode(blob, validate=True)
        (length,) = struct.unpack(">I", data[:4])
        assert data[4 : 4 + length].decode() == kind
        assert key["path"].endswith("/.ssh/authorized_keys")
        kinds.append(kind)
    assert kinds == ["ssh-rsa", "ssh-ed25519"]


def test_options_may_stand_in_an_object_of_their_own() -> None:
    flat = {"classic": True, "limiter": False, "retry_after": 2, "loadbalancer": {"inboundRules": []}}
    assert build({"name": "a", "options": flat}) == build({"name": "a", **flat})
    assert not build({"name": "a", "options": flat}).limiter


@pytest.mark.parametrize("profile", ["scale_set", "scale_set_flexible"])
@pytest.mark.parametrize(
    ("vm", "address"),
    [
        ({}, "10.20.2.7"),
        ({"sources": ["10.1.0.4"]}, "10.1.0.4"),
        ({"sources": ["10.1.0.4"], "overrides": {"network": {"interface": [NIC, NIC_2]}}}, "10.9.0.1"),
        ({"overrides": {"network": {"interface": []}}}, ""),
        ({"overrides": {"network": "none"}}, ""),
    ],
    ids=["profile", "sources", "overrides", "no interface", "no network"],
)
def test_the_load_balancer_leads_to_the_vm(profile: str, vm: dict[str, Any], address: str) -> None:
    found = build({"name": "a", "profile": profile, **vm}).loadbalancer
    assert found is not None
    assert {entry["privateIpAddress"] for entries in found.values() for entry in entries} == {address}


def test_classic_is_an_option_of_every_profile(start: Any) -> None:
    imds = start([{"name": "a", "profile": "windows", "classic": True}])
    assert imds.instance("/compute").status == 404
    assert imds.instance("/network").status == 200


def test_extra_keys_are_sent_with_all_that_is_below_them(start: Any) -> None:
    new: dict[str, Any] = {"compute": {"fresh": {"inner": [{"key": "1"}]}}, "network": {"interface": [{"speed": "9"}]}}
    imds = start([{"name": "a", "overrides": new, "extra": ["compute.fresh", "network.interface.*.speed"]}])
    document = imds.instance().json()
    assert document["compute"]["fresh"] == new["compute"]["fresh"]
    assert document["network"] == new["network"]


BAD: dict[str, tuple[Any, str]] = {
    "not a list": ({}, "vms"),
    "not an object": ([1], "vms[0]"),
    "no name": ([{}], "vms[0].name"),
    "empty name": ([{"name": ""}], "vms[0].name"),
    "unknown field": ([{"name": "a"}, {"name": "b", "adresses": []}], "vms[1].adresses"),
    "no address": ([{"name": "a", "sources": ["10.0.0.300"]}], "vms[0].sources"),
    "address is a number": ([{"name": "a", "sources": [1]}], "vms[0].sources"),
    "addresses are a string": ([{"name": "a", "sources": "10.0.0.4"}], "vms[0].sources"),
    "unknown profile": ([{"name": "a", "profile": "../linux"}], "vms[0].profile"),
    "overrides": ([{"name": "a", "overrides": []}], "vms[0].overrides"),
    "unknown part": ([{"name": "a", "overrides": {"computer": {}}}], "vms[0].overrides.computer"),
    "unknown key": ([{"name": "a", "overrides": {"compute": {"zones": "1"}}}], "vms[0].overrides.compute.zones"),
    "unknown key in a list": (
        [{"name": "a", "overrides": {"network": {"interface": [{"mac": "x"}]}}}],
        "vms[0].overrides.network.interface.*.mac",
    ),
    "another key is extra": (
        [{"name": "a", "overrides": {"compute": {"zones": "1"}}, "extra": ["compute.zone"]}],
        "vms[0].overrides.compute.zones",
    ),
    "extra": ([{"name": "a", "extra": "compute.zones"}], "vms[0].extra"),
    "limiter": ([{"name": "a", "limiter": 1}], "vms[0].limiter"),
    "retry_after": ([{"name": "a", "retry_after": -1}], "vms[0].retry_after"),
    "options": ([{"name": "a", "options": 5}], "vms[0].options"),
    "load balancer": ([{"name": "a", "loadbalancer": {"rules": []}}], "vms[0].loadbalancer.rules"),
    "name twice": ([{"name": "a", "sources": ["10.0.0.4"]}, {"name": "a"}], "vms[1].name"),
    "address twice": (
        [{"name": "a", "sources": ["10.0.0.4"]}, {"name": "b", "sources": ["10.0.0.4"]}],
        "vms[1].sources",
    ),
    "address of one is secondary to another": (
        [{"name": "a", "sources": ["10.0.0.4"]}, {"name": "b", "secondary_addresses": ["10.0.0.4"]}],
        "vms[1].secondary_addresses",
    ),
    "two defaults": ([{"name": "a"}, {"name": "b"}], "vms[1].sources"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_lists_name_the_field_and_change_nothing(case: str) -> None:
    given, field = BAD[case]
    vms = Vms([{"name": "before"}])
    with pytest.raises(InvalidInputError) as caught:
        vms.replace(given)
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field}: ")
    assert vms.names() == ["before"]
