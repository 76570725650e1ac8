# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import itertools
import json
import re
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._imds import facts, fields, versions
from ansible_collections.imds.azure.plugins.module_utils._imds.blank import blank
from ansible_collections.imds.azure.tests.scenarios.imds.documents import (
    DOCUMENTS,
    EXPECTED,
    KEY,
    SCALE_SET_ID,
    SIGNATURE_INFO,
    USER_DATA,
)
from ansible_collections.imds.azure.tests.scenarios.imds.fact_cases import (
    CASES,
    CONTEXTS,
    DOCUMENT,
    NICS,
    NO_ENDPOINTS,
    marked,
    nested,
)
from hypothesis import given
from hypothesis import strategies as st


def build(document: Any, **context: Any) -> dict[str, Any]:
    return facts.build(document, facts.Context(**context))[0]


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
def test_documents_of_each_age_give_their_facts(name: str) -> None:
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


def test_a_name_that_looks_like_a_path_is_passed_on() -> None:
    found = build({"compute": {"name": "a"}, "compute.name": "b", "": {"compute": {"name": "c"}}, "network.x": {}})
    assert (found["name"], found["compute_name"], found["_"]) == ("a", "b", {"compute": {"name": "c"}})
    assert found["network_x"] == {}


# --- the table of facts ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", fields.FIELDS, ids=lambda field: str(field.fact))
def test_every_fact_of_the_table(field: fields.Field) -> None:
    cases = CASES.get(field.fact) or CASES[field.kind]
    nothing = lookup(blank(), field.fact)
    assert {expected == nothing for _sent, expected in cases} == {True, False}, (
        "wants a case with a value, and one without"
    )
    for sent, expected in cases:
        found = lookup(build(nested(field.source, sent)), field.fact)
        assert found == expected
        assert type(found) is type(expected)


def test_no_case_is_left_over() -> None:
    assert set(CASES) <= {name for field in fields.FIELDS for name in (field.fact, field.kind)}


@pytest.mark.parametrize("field", fields.FIELDS, ids=lambda field: str(field.fact))
def test_rows_of_the_table_are_sound(field: fields.Field) -> None:
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
def test_names_become_snake_case(sent: str, fact: str) -> None:
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
    assert {"device": None, **lookup(build(nested(source, UNKNOWN)), fact)} == {"device": None, **UNKNOWN_FACTS}


def test_unknown_keys_come_through_in_lists() -> None:
    interface = {"macAddress": "x", "ipv4": {"gateway": "10.1.0.1"}, "ipv6": {"gateway": ""}, **UNKNOWN}
    document = {
        "compute": {"storageProfile": {"dataDisks": [UNKNOWN]}, "tagsList": [{"name": "a", "value": "1", **UNKNOWN}]},
        "network": {"interface": [interface]},
    }
    found = build(document)
    assert found["storage"]["data_disks"] == [{"device": None, **UNKNOWN_FACTS}]
    assert found["tags_list"] == [{"name": "a", "value": "1", **UNKNOWN_FACTS}]
    told = found["network"]["interfaces"][0]
    assert {**told, **UNKNOWN_FACTS, "ipv4_gateway": "10.1.0.1", "ipv6_gateway": None} == told


@pytest.mark.parametrize("name", DOCUMENTS)
def test_an_unknown_key_in_any_object_comes_through(name: str) -> None:
    found = build(marked(DOCUMENTS[name]))
    marks = set(re.findall(r"mark of [^\"]*", json.dumps(marked(DOCUMENTS[name]))))
    assert len(marks) > 3
    assert marks == set(re.findall(r"mark of [^\"]*", json.dumps(found)))


@pytest.mark.parametrize(
    ("source", "sent", "fact", "value"),
    [
        (
            "network.interface",
            [{"ipv4": {"ipAddress": [{"privateIpAddress": "10.1.0.4", "primary": "", "zone": 1}]}}],
            "network.primary.ipv4_ip_address",
            [{"private_ip_address": "10.1.0.4", "primary": None, "zone": 1}],
        ),
        (
            "network.interface",
            [{"ipv6": {"ipAddress": [{"publicIpAddress": "2001:db8::4"}, {"scope": "site"}], "ipAddressBlock": ["x"]}}],
            "network.primary.ipv6_ip_address",
            [{"public_ip_address": "2001:db8::4"}, {"scope": "site"}],
        ),
        ("network.interface", [{"interfaceCompartmentID": "1"}], "network.primary.interface_compartment_id", "1"),
        (
            "network.interface",
            [{"ipv4": {"ipAddressBlock": [{"address": "10.1.0.16/28"}]}}],
            "network.primary.ipv4_ip_address_block",
            [{"address": "10.1.0.16/28"}],
        ),
        (
            "compute.virtualMachineScaleSet",
            {"id": "/x/y", "orchestrationMode": "Flexible"},
            "virtual_machine_scale_set",
            {"id": "/x/y", "orchestration_mode": "Flexible"},
        ),
        ("compute.systemFaultDomain", "2", "system_fault_domain", "2"),
        ("compute.hostGroup", "theirs", "imds_host_group", "theirs"),
        ("compute.new", {"aB": 1, "a_b": 2, "reason": "x"}, "new", {"a_b": 1, "imds_a_b": 2, "reason": "x"}),
        (
            "compute.new",
            {"aB": 1, "a-b": 2, "a_b": 3, "imdsAB": 4, "A b": 5},
            "new",
            {"a_b": 1, "imds_a_b": 2, "imds_a_b_2": 3, "imds_ab": 4, "imds_a_b_3": 5},
        ),
    ],
)
def test_what_a_known_fact_shows_in_part_comes_through_as_a_whole(
    source: str, sent: Any, fact: str, value: Any
) -> None:
    assert lookup(build(nested(source, sent)), fact) == value


def test_names_that_all_become_the_same_cost_no_more_than_others() -> None:
    """As many as a document may hold. With a prefix for each, these would take minutes and a gigabyte."""
    names = [
        "".join(signs) + "a" for signs in itertools.islice(itertools.product("!#$%&()*+,-./:;<=>?@", repeat=4), 19_000)
    ]
    found = build({"compute": {"new": dict.fromkeys(names, 1)}})["new"]
    assert len(found) == len(names)
    assert max(map(len, found)) == len("imds_a_18999")


@pytest.mark.parametrize("sent", [{}, {"id": "/x/y"}, None, ""])
def test_a_scale_set_of_known_keys_has_no_other_fact(sent: Any) -> None:
    assert "virtual_machine_scale_set" not in build(nested("compute.virtualMachineScaleSet", sent))


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
    if "theirs" in json.dumps(document):
        assert "theirs" in json.dumps(build(document))


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


@pytest.mark.parametrize("context", [{}, {"include_user_data": True, "include_public_keys": True}])
def test_the_signature_of_a_confidential_vm_is_no_secret(context: dict[str, bool]) -> None:
    """It comes as it was sent, or whoever verifies it would miss a part; empty where the feature is off."""
    assert build({"compute": {"signatureInfo": SIGNATURE_INFO}}, **context)["signature_info"] == SIGNATURE_INFO
    assert build({"compute": {"signatureInfo": ""}}, **context)["signature_info"] is None


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
def test_the_primary_interface_is_the_answered_one(
    context: dict[str, str], device: str, private: str, public: str
) -> None:
    found = build(TWO, nics=NICS, **context)
    assert found["network"]["primary"]["device"] == device
    assert (found["private_ip"], found["public_ip"], found["public_ip_source"]) == (private, public, "instance")


def test_order_of_interfaces_is_kept_and_devices_are_found_in_any_spelling() -> None:
    document = {"network": {"interface": [interface("00-0D-3A-00-00-02"), interface("000d3a000001"), interface("odd")]}}
    found = build(document, nics=NICS)["network"]["interfaces"]
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

TYPES = {
    "integer": (int,),
    "boolean": (bool,),
    "primary": (dict,),
    "disk": (dict,),
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
        *(lookup(found, fact) for fact in fields.GUEST_FACTS),
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
