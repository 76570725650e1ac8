# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._imds import facts, fields, versions
from ansible_collections.imds.azure.plugins.module_utils._imds.blank import blank
from ansible_collections.imds.azure.tests.unit.plugins.module_utils._imds.documents import (
    DOCUMENTS,
    EXPECTED,
    FINGERPRINT,
    KEY,
    SCALE_SET_ID,
    USER_DATA,
    USER_DATA_SHA256,
)
from hypothesis import given
from hypothesis import strategies as st


def build(document: Any, **context: Any) -> dict[str, Any]:
    return facts.build(document, facts.Context(**context))[0]


def nested(path: str, value: Any) -> dict[str, Any]:
    """{"a": {"b": value}} for a.b"""
    for key in reversed(path.split(".")):
        value = {key: value}
    return value  # type: ignore[no-any-return]


def lookup(found: Any, path: str) -> Any:
    for key in path.split("."):
        found = found[key]
    return found


def filled(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """base, with what over names in its place; dictionaries are merged."""
    merged = {
        key: filled(value, over[key])
        if isinstance(value, dict) and isinstance(over.get(key), dict)
        else over.get(key, value)
        for key, value in base.items()
    }
    return {**merged, **{key: value for key, value in over.items() if key not in base}}


# --- whole documents ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents(name: str) -> None:
    document = copy.deepcopy(DOCUMENTS[name])
    found, warnings = facts.build(document)
    assert found == filled(blank(), EXPECTED[name])
    assert warnings == []
    assert document == DOCUMENTS[name]


def test_nothing_gives_every_fact_blank() -> None:
    found, warnings = facts.build({})
    assert found == blank()
    assert list(found) == list(blank())
    assert warnings == []


# --- the table of facts ---------------------------------------------------------------------------------------------

INTERFACE = {
    "macAddress": "000D3A1B2C3D",
    "ipv4": {
        "ipAddress": [{"privateIpAddress": "10.1.0.4", "publicIpAddress": "203.0.113.7"}],
        "subnet": [{"address": "10.1.0.0", "prefix": "24"}],
    },
    "ipv6": {"ipAddress": [{"privateIpAddress": "fd00::4"}]},
}
INTERFACE_FACT = {
    "mac_address": "00:0d:3a:1b:2c:3d",
    "private_ip_addresses": ["10.1.0.4"],
    "public_ip_addresses": ["203.0.113.7"],
    "ipv6_addresses": ["fd00::4"],
    "subnets": [{"address": "10.1.0.0", "prefix": 24}],
    "device": None,
}
NO_ENDPOINTS = dict.fromkeys(["resource_manager", "active_directory", "key_vault_suffix", "storage_suffix"])
NO_BLOB = {"present": False, "length": 0, "sha256": None, "base64": None}

STRING = [
    ("x", "x"),
    ("1", "1"),
    ("true", "true"),
    # what came as a number is not lost
    (1, "1"),
    (True, "true"),
    ("", None),
    (None, None),
    (1.5, None),
    (["x"], None),
    ({"a": "x"}, None),
]
INTEGER = [("0", 0), ("36", 36), ("-1", -1), (7, 7), ("", None), ("1.5", None), ("x", None), (True, None), ({}, None)]
BOOLEAN = [("true", True), ("False", False), (True, True), ("", None), ("yes", None), (1, None), ([], None)]
BLOB = [
    ("", NO_BLOB),
    (None, NO_BLOB),
    ({"a": "b"}, NO_BLOB),
    (USER_DATA, {"present": True, "length": 15, "sha256": USER_DATA_SHA256, "base64": None}),
]

# fact -> what is sent at its source, and what becomes of it
CASES: dict[str, list[tuple[Any, Any]]] = {
    **dict.fromkeys(
        [
            "name",
            "vm_id",
            "resource_id",
            "resource_group_name",
            "subscription_id",
            "zone",
            "physical_zone",
            "vm_size",
            "os_type",
            "os_profile.admin_username",
            "os_profile.computer_name",
            "priority",
            "eviction_policy",
            "license_type",
            "placement_group_id",
            "scale_set",
            "scale_set_id",
            "provider",
            "image.publisher",
            "image.offer",
            "image.sku",
            "image.version",
            "image.id",
            "plan.name",
            "plan.product",
            "plan.publisher",
            "security.security_type",
            "host.id",
            "host_group.id",
            "extended_location.name",
            "extended_location.type",
        ],
        STRING,
    ),
    **dict.fromkeys(["platform_fault_domain", "platform_update_domain", "platform_sub_fault_domain"], INTEGER),
    **dict.fromkeys(
        [
            "os_profile.disable_password_authentication",
            "security.secure_boot",
            "security.virtual_tpm",
            "security.encryption_at_host",
            "additional_capabilities.hibernation_enabled",
            "is_host_compatibility_layer_vm",
            "is_vm_in_standby_pool",
        ],
        BOOLEAN,
    ),
    "location": [
        ("westeurope", "westeurope"),
        ("SwedenCentral", "swedencentral"),
        ("West US 2", "westus2"),
        ("", None),
    ],
    "environment": [
        ("AzurePublicCloud", "AzurePublicCloud"),
        ("AZUREPUBLICCLOUD", "AzurePublicCloud"),
        ("azureusgovernmentcloud", "AzureUSGovernmentCloud"),
        ("AzureChinaCloud", "AzureChinaCloud"),
        ("AzureGermanCloud", "AzureGermanCloud"),
        ("AzureStack", "AzureStack"),
        ("", None),
    ],
    "endpoints": [
        ("AZUREPUBLICCLOUD", fields.CLOUDS["AzurePublicCloud"]),
        *((cloud, endpoints) for cloud, endpoints in fields.CLOUDS.items()),
        ("AzureStack", NO_ENDPOINTS),
        ("", NO_ENDPOINTS),
        (["AzurePublicCloud"], NO_ENDPOINTS),
    ],
    "storage.image_reference": [
        (
            {"offer": "o", "id": "", "communityGalleryImageId": "g"},
            {"offer": "o", "id": None, "community_gallery_image_id": "g"},
        ),
        ("", {}),
        ([], {}),
    ],
    "storage.os_disk": [
        (
            {"diskSizeGB": "30", "diffDiskSettings": {"option": "Local"}, "encryptionSettings": {"enabled": "false"}},
            {"disk_size_gb": 30, "diff_disk_settings": {"option": "Local"}, "encryption_settings": {"enabled": False}},
        ),
        ({"diskSizeGB": "", "writeAcceleratorEnabled": ""}, {"disk_size_gb": None, "write_accelerator_enabled": None}),
        ({}, {}),
    ],
    "storage.data_disks": [
        (
            [
                {"lun": "10", "isUltraDisk": "true", "isSharedDisk": "false"},
                {"lun": "9", "bytesPerSecondThrottle": "979202048", "opsPerSecondThrottle": "65280"},
                {"lun": "0", "diskCapacityBytes": "1073741824"},
            ],
            [
                {"lun": 0, "disk_capacity_bytes": 1073741824},
                {"lun": 9, "bytes_per_second_throttle": 979202048, "ops_per_second_throttle": 65280},
                {"lun": 10, "is_ultra_disk": True, "is_shared_disk": False},
            ],
        ),
        ([{"lun": "1"}, {"name": "no lun"}, "no disk"], [{"name": "no lun"}, {"lun": 1}]),
        ("", []),
    ],
    "storage.resource_disk": [({"size": "16777216"}, {"size": 16777216}), ({"size": ""}, {"size": None}), ("", {})],
    "network.primary": [([INTERFACE], INTERFACE_FACT), ([], {}), ("", {}), ([1, "x", None], {})],
    "network.interfaces": [([INTERFACE, "x", INTERFACE], [INTERFACE_FACT, INTERFACE_FACT]), ({}, []), (None, [])],
    "private_ip": [
        ([INTERFACE], "10.1.0.4"),
        ([], None),
        ([{"ipv4": {"ipAddress": [{"privateIpAddress": ""}]}}], None),
    ],
    "public_ip": [
        ([INTERFACE], "203.0.113.7"),
        ([], None),
        ([{"ipv4": {"ipAddress": [{"publicIpAddress": ""}]}}], None),
    ],
    "public_ip_source": [([INTERFACE], "instance"), ([], None), ([{"ipv4": {}}], None)],
    "tags": [
        ([{"name": "a", "value": "1"}, {"name": "B c", "value": ""}], {"a": "1", "B c": ""}),
        (
            [{"name": "a"}, {"value": "x"}, {"name": 1, "value": "x"}, {"name": "c", "value": None}, "d"],
            {"a": "", "c": ""},
        ),
        ([], {}),
        ("a:1", {}),
    ],
    "tags_list": [
        (
            [{"name": "a", "value": "1"}, {"name": "b", "value": ""}],
            [{"name": "a", "value": "1"}, {"name": "b", "value": None}],
        ),
        ([{"name": "a", "value": "1"}, "x", None], [{"name": "a", "value": "1"}]),
        ("", []),
    ],
    "public_keys": [
        (
            [{"keyData": KEY, "path": "/home/a/.ssh/authorized_keys"}],
            [
                {
                    "type": "ssh-ed25519",
                    "path": "/home/a/.ssh/authorized_keys",
                    "fingerprint": FINGERPRINT,
                    "key_data": None,
                }
            ],
        ),
        (
            [{"keyData": "ssh-rsa !", "path": ""}, {}, "x"],
            [
                {"type": "ssh-rsa", "path": None, "fingerprint": None, "key_data": None},
                {"type": None, "path": None, "fingerprint": None, "key_data": None},
            ],
        ),
        ("", []),
    ],
    "user_data": BLOB,
    "custom_data": BLOB,
}


@pytest.mark.parametrize("field", fields.FIELDS, ids=lambda field: str(field.fact))
def test_every_fact_of_the_table(field: fields.Field) -> None:
    cases = CASES[field.fact]
    nothing = lookup(blank(), field.fact)
    assert {expected == nothing for _sent, expected in cases} == {True, False}, (
        "wants a case with a value, and one without"
    )
    for sent, expected in cases:
        found = lookup(build(nested(field.source, sent)), field.fact)
        assert found == expected
        assert type(found) is type(expected)


def test_no_case_is_left_over() -> None:
    assert set(CASES) == {field.fact for field in fields.FIELDS}


@pytest.mark.parametrize("field", fields.FIELDS, ids=lambda field: str(field.fact))
def test_the_table_itself(field: fields.Field) -> None:
    assert field.kind in facts.CONVERTERS
    assert field.since in (*versions.INSTANCE, "undocumented")
    assert field.fact.split(".")[0] not in facts.RESERVED


def test_every_kind_is_used() -> None:
    assert {field.kind for field in fields.FIELDS} == set(facts.CONVERTERS)


def test_every_cloud_has_the_same_endpoints() -> None:
    assert {frozenset(endpoints) for endpoints in fields.CLOUDS.values()} == {frozenset(NO_ENDPOINTS)}
    assert all(
        url.startswith("https://")
        for cloud in fields.CLOUDS.values()
        for key, url in cloud.items()
        if "suffix" not in key
    )


# --- names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "fact"),
    [
        ("name", "name"),
        ("vmId", "vm_id"),
        ("diskSizeGB", "disk_size_gb"),
        ("isHostCompatibilityLayerVm", "is_host_compatibility_layer_vm"),
        ("encryptionAtHost", "encryption_at_host"),
        ("ipv6Address", "ipv6_address"),
        ("IPAddress", "ip_address"),
        ("ABC", "abc"),
        ("already_snake", "already_snake"),
        ("with-dash and blank", "with_dash_and_blank"),
        ("2fast", "2fast"),
        ("", "_"),
        ("???", "_"),
    ],
)
def test_snake(sent: str, fact: str) -> None:
    assert facts.snake(sent) == fact


# --- what nobody knows yet ------------------------------------------------------------------------------------------

UNKNOWN = {"newThing": "1", "anotherNewThing": {"innerKey": ["", {"deepKey": "x"}]}}
UNKNOWN_FACTS = {"new_thing": "1", "another_new_thing": {"inner_key": [None, {"deep_key": "x"}]}}


@pytest.mark.parametrize(("source", "fact"), [("", ""), *fields.CONTAINERS.items()])
def test_unknown_keys_come_through_everywhere(source: str, fact: str) -> None:
    document = nested(source, UNKNOWN) if source else UNKNOWN
    found = build(document)
    assert {
        key: value for key, value in (lookup(found, fact) if fact else found).items() if key in UNKNOWN_FACTS
    } == UNKNOWN_FACTS


@pytest.mark.parametrize("source", ["compute.storageProfile.osDisk", "compute.storageProfile.imageReference"])
def test_unknown_keys_come_through_in_objects(source: str) -> None:
    fact = next(field.fact for field in fields.FIELDS if field.source == source)
    assert lookup(build(nested(source, UNKNOWN)), fact) == UNKNOWN_FACTS


def test_unknown_keys_come_through_in_lists() -> None:
    interface = {"macAddress": "x", "ipv4": {"gateway": "10.1.0.1"}, "ipv6": {"gateway": ""}, **UNKNOWN}
    document = {
        "compute": {"storageProfile": {"dataDisks": [UNKNOWN]}, "tagsList": [{"name": "a", "value": "1", **UNKNOWN}]},
        "network": {"interface": [interface]},
    }
    found = build(document)
    assert found["storage"]["data_disks"] == [UNKNOWN_FACTS]
    assert found["tags_list"] == [{"name": "a", "value": "1", **UNKNOWN_FACTS}]
    told = found["network"]["interfaces"][0]
    assert {**told, **UNKNOWN_FACTS, "ipv4_gateway": "10.1.0.1", "ipv6_gateway": None} == told


@pytest.mark.parametrize("name", sorted(facts.RESERVED))
def test_what_the_module_says_itself_is_not_overwritten(name: str) -> None:
    camel = {"api_version": "apiVersion"}.get(name, name)
    found = build({"compute": {camel: "theirs"}})
    assert name not in found
    assert found[f"imds_{name}"] == "theirs"


@pytest.mark.parametrize(
    ("document", "fact", "value"),
    [
        ({"compute": {"name": "ours", "Name": "theirs"}}, "name", "ours"),
        ({"compute": {"name": "ours"}, "name": "theirs"}, "name", "ours"),
        ({"compute": {"publicIp": "theirs"}}, "public_ip", None),
        (
            {"compute": {"securityProfile": {"secureBootEnabled": "true", "secureBoot": "x"}}},
            "security.secure_boot",
            True,
        ),
        (
            {"compute": {"image": "theirs"}},
            "image",
            {"publisher": None, "offer": None, "sku": None, "version": None, "id": None},
        ),
        ({"network": {"primary": "theirs", "interface": []}}, "network.primary", {}),
    ],
)
def test_a_documented_fact_is_never_overwritten(document: Any, fact: str, value: Any) -> None:
    assert lookup(build(document), fact) == value


# --- secrets --------------------------------------------------------------------------------------------------------

SECRET = {
    "compute": {
        "userData": USER_DATA,
        "customData": USER_DATA,
        "publicKeys": [{"keyData": KEY, "path": "/home/a/.ssh/authorized_keys"}],
    }
}
KEY_BODY = KEY.split()[1]


def test_secrets_stay_out() -> None:
    text = json.dumps(build(SECRET))
    assert USER_DATA not in text
    assert KEY_BODY not in text


def test_secrets_come_in_where_they_are_asked_for() -> None:
    found = build(SECRET, include_user_data=True)
    assert (found["user_data"]["base64"], found["custom_data"]["base64"]) == (USER_DATA, USER_DATA)
    assert KEY_BODY not in json.dumps(found)
    found = build(SECRET, include_public_keys=True)
    assert found["public_keys"][0]["key_data"] == KEY
    assert USER_DATA not in json.dumps(found)


def test_user_data_that_is_no_base64_is_measured_as_it_is() -> None:
    found = build({"compute": {"userData": "plain text!"}})["user_data"]
    assert (found["present"], found["length"], found["base64"]) == (True, 11, None)


@given(st.text(min_size=1, max_size=60))
def test_user_data_of_any_kind_stays_out(text: str) -> None:
    secret = "secret" + text
    found = build({"compute": {"userData": secret, "customData": secret}})
    assert "secret" not in json.dumps([found["user_data"], found["custom_data"]])
    assert found["user_data"]["present"]


# --- the primary interface ------------------------------------------------------------------------------------------


def interface(mac: str, *addresses: str) -> dict[str, Any]:
    return {
        "macAddress": mac,
        "ipv4": {
            "ipAddress": [
                {"privateIpAddress": address, "publicIpAddress": f"203.0.113.{address[-1]}"} for address in addresses
            ]
        },
    }


TWO = {
    "network": {"interface": [interface("000D3A000001", "10.1.0.4", "10.1.0.5"), interface("000D3A000002", "10.1.0.6")]}
}
DEVICES = {"00:0d:3a:00:00:01": "eth0", "00:0d:3a:00:00:02": "eth1"}


@pytest.mark.parametrize(
    ("context", "device", "private", "public"),
    [
        # the address that IMDS answered settles it
        ({"local_address": "10.1.0.6", "default_device": "eth0"}, "eth1", "10.1.0.6", "203.0.113.6"),
        ({"local_address": "10.1.0.5"}, "eth0", "10.1.0.5", "203.0.113.4"),
        # else the default route
        ({"local_address": "127.0.0.1", "default_device": "eth1"}, "eth1", "10.1.0.6", "203.0.113.6"),
        ({"default_device": "eth1"}, "eth1", "10.1.0.6", "203.0.113.6"),
        # else the first
        ({"default_device": "eth7"}, "eth0", "10.1.0.4", "203.0.113.4"),
        ({}, "eth0", "10.1.0.4", "203.0.113.4"),
    ],
)
def test_primary(context: dict[str, str], device: str, private: str, public: str) -> None:
    found = build(TWO, devices=DEVICES, **context)
    assert found["network"]["primary"]["device"] == device
    assert (found["private_ip"], found["public_ip"], found["public_ip_source"]) == (private, public, "instance")


def test_order_of_interfaces_is_kept_and_devices_are_found_in_any_spelling() -> None:
    document = {"network": {"interface": [interface("00-0D-3A-00-00-02"), interface("000d3a000001"), interface("odd")]}}
    found = build(document, devices=DEVICES)["network"]["interfaces"]
    assert [(entry["mac_address"], entry["device"]) for entry in found] == [
        ("00:0d:3a:00:00:02", "eth1"),
        ("00:0d:3a:00:00:01", "eth0"),
        ("odd", None),
    ]


@pytest.mark.parametrize(
    ("entries", "private_ip", "address"),
    [
        ([{"frontendIpAddress": "198.51.100.9", "privateIpAddress": "10.1.0.4"}], "10.1.0.4", "198.51.100.9"),
        (
            [
                {"frontendIpAddress": "198.51.100.8", "privateIpAddress": "10.1.0.5"},
                {"frontendIpAddress": "198.51.100.9", "privateIpAddress": "10.1.0.4"},
            ],
            "10.1.0.4",
            "198.51.100.9",
        ),
        ([{"frontendIpAddress": "198.51.100.9", "privateIpAddress": "10.1.0.4"}], "10.1.0.40", None),
        ([{"frontendIpAddress": "198.51.100.9"}], None, None),
        ([{"frontendIpAddress": "", "privateIpAddress": "10.1.0.4"}], "10.1.0.4", None),
        ([{"privateIpAddress": "10.1.0.4"}, "x", None], "10.1.0.4", None),
        ("x", "10.1.0.4", None),
        (None, "10.1.0.4", None),
    ],
)
def test_from_load_balancer(entries: Any, private_ip: str | None, address: str | None) -> None:
    found = facts.from_load_balancer({"loadbalancer": {"publicIpAddresses": entries}}, private_ip)
    assert found == {"public_ip": address, "public_ip_source": "load_balancer" if address else None}


# --- scale sets and tags --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("compute", "name"),
    [
        ({"vmScaleSetName": "uniform", "virtualMachineScaleSet": {"id": SCALE_SET_ID}}, "uniform"),
        ({"vmScaleSetName": "", "virtualMachineScaleSet": {"id": SCALE_SET_ID}}, "flex"),
        ({"virtualMachineScaleSet": {"id": SCALE_SET_ID + "/"}}, "flex"),
        ({"virtualMachineScaleSet": {"id": ""}}, None),
        ({"virtualMachineScaleSet": {"id": "/"}}, None),
        ({"virtualMachineScaleSet": "x"}, None),
    ],
)
def test_scale_set_of_either_orchestration_mode(compute: dict[str, Any], name: str | None) -> None:
    assert build({"compute": compute})["scale_set"] == name


@pytest.mark.parametrize(
    ("compute", "tags", "warns"),
    [
        ({"tags": "a:1;b:2"}, {"a": "1", "b": "2"}, False),
        ({"tags": "a:1;b"}, {"a": "1;b"}, True),
        ({"tags": "a:1:2"}, {"a": "1:2"}, True),
        ({"tags": ""}, {}, False),
        ({"tags": ["a:1"]}, {}, False),
        # the list is the truth, where there is one
        ({"tags": "a:1;b", "tagsList": [{"name": "a", "value": "1;b"}]}, {"a": "1;b"}, False),
        ({"tags": "a:1;b", "tagsList": []}, {}, False),
        ({"tags": "a:1", "tagsList": None}, {"a": "1"}, False),
    ],
)
def test_tags_below_the_version_that_lists_them(compute: dict[str, Any], tags: dict[str, str], warns: bool) -> None:
    found, warnings = facts.build({"compute": compute})
    assert found["tags"] == tags
    assert [entry["name"] for entry in found["tags_list"]] == list(tags)
    assert bool(warnings) == warns


# --- whatever comes -------------------------------------------------------------------------------------------------

NAMES = sorted(
    {part for field in fields.FIELDS for part in field.source.split(".")} | fields.INTEGERS | fields.BOOLEANS
)
KEYS = st.sampled_from(
    [*NAMES, "ipv4", "ipv6", "ipAddress", "subnet", "macAddress", "privateIpAddress", "tags"]
) | st.text(max_size=6)
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9)
)
VALUES = st.recursive(
    LEAVES | st.sampled_from(["true", "24", "", KEY, USER_DATA, "a:1;b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)
DOCUMENT = st.dictionaries(KEYS | st.sampled_from(["compute", "network"]), VALUES, max_size=4) | st.fixed_dictionaries(
    {
        "compute": st.dictionaries(KEYS, VALUES, max_size=8),
        "network": st.fixed_dictionaries(
            {"interface": st.lists(st.dictionaries(KEYS, VALUES, max_size=4), max_size=3)}
        ),
    }
)
CONTEXTS = st.builds(
    facts.Context,
    devices=st.just(DEVICES),
    default_device=st.sampled_from([None, "eth0"]),
    local_address=st.sampled_from([None, "10.1.0.4"]),
    include_user_data=st.booleans(),
    include_public_keys=st.booleans(),
)
TYPES = {
    "integer": (int,),
    "boolean": (bool,),
    "primary": (dict,),
    "object": (dict,),
    "endpoints": (dict,),
    "tags": (dict,),
}
TYPES.update(dict.fromkeys(["blob"], (dict,)))
TYPES.update(dict.fromkeys(["list", "disks", "public_keys", "interfaces"], (list,)))


def keys_of(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value, *(key for inner in value.values() for key in keys_of(inner))]
    return [key for inner in value for key in keys_of(inner)] if isinstance(value, list) else []


@given(DOCUMENT, CONTEXTS)
def test_any_document_makes_facts(document: dict[str, Any], context: facts.Context) -> None:
    before = copy.deepcopy(document)
    found, warnings = facts.build(document, context)
    assert document == before
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert all(isinstance(key, str) for key in keys_of(found))
    assert all(isinstance(warning, str) for warning in warnings)
    for field in fields.FIELDS:
        value = lookup(found, field.fact)
        assert value is None or type(value) in TYPES.get(field.kind, (str,)), field.fact
        if value is None:
            assert lookup(blank(), field.fact) is None
    for listed in (
        found["tags_list"],
        found["public_keys"],
        found["storage"]["data_disks"],
        found["network"]["interfaces"],
    ):
        assert all(isinstance(entry, dict) for entry in listed)


@given(DOCUMENT, DOCUMENT)
def test_facts_do_not_share_their_insides(document: dict[str, Any], other: dict[str, Any]) -> None:
    first = facts.build(document)[0]
    kept = copy.deepcopy(first)
    second = facts.build(other)[0]
    second["endpoints"]["resource_manager"] = second["user_data"]["length"] = "changed"
    assert first == kept
    assert facts.build(document)[0] == kept
