# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.imds.azure.plugins.filter import parse_resource_id, parse_tags
from ansible_collections.imds.azure.plugins.filter import tag as tag_filter
from hypothesis import given
from hypothesis import strategies as st

parse_id = parse_resource_id.FilterModule().filters()["parse_resource_id"]
parse = parse_tags.FilterModule().filters()["parse_tags"]
tag = tag_filter.FilterModule().filters()["tag"]

GROUP = "/subscriptions/7f0c5c1e/resourceGroups/shop"


def parts(*values: Any, parents: Any = ()) -> dict[str, Any]:
    names = ["subscription_id", "resource_group_name", "provider", "type", "name"]
    return {**dict(zip(names, values)), "parents": list(parents)}


@pytest.mark.parametrize(
    ("resource_id", "found"),
    [
        ("/subscriptions/7f0c5c1e", parts("7f0c5c1e", None, None, None, None)),
        (GROUP, parts("7f0c5c1e", "shop", None, None, None)),
        (GROUP + "/", parts("7f0c5c1e", "shop", None, None, None)),
        (
            GROUP + "/providers/Microsoft.Compute/virtualMachines/web-1",
            parts("7f0c5c1e", "shop", "Microsoft.Compute", "virtualMachines", "web-1"),
        ),
        (
            "/SUBSCRIPTIONS/7f0c5c1e/resourcegroups/Shop/Providers/Microsoft.Compute/disks/d",
            parts("7f0c5c1e", "Shop", "Microsoft.Compute", "disks", "d"),
        ),
        (
            GROUP + "/providers/Microsoft.Compute/virtualMachineScaleSets/flex/virtualMachines/3/extensions/agent",
            parts(
                "7f0c5c1e",
                "shop",
                "Microsoft.Compute",
                "extensions",
                "agent",
                parents=[{"type": "virtualMachineScaleSets", "name": "flex"}, {"type": "virtualMachines", "name": "3"}],
            ),
        ),
        (
            GROUP + "/providers/Microsoft.Compute/virtualMachines/web-1"
            "/providers/Microsoft.Maintenance/configurationAssignments/sunday",
            parts(
                "7f0c5c1e",
                "shop",
                "Microsoft.Maintenance",
                "configurationAssignments",
                "sunday",
                parents=[{"type": "virtualMachines", "name": "web-1"}],
            ),
        ),
        (
            "/subscriptions/7f0c5c1e/providers/Microsoft.Compute/locations/westeurope",
            parts("7f0c5c1e", None, "Microsoft.Compute", "locations", "westeurope"),
        ),
    ],
)
def test_parse_resource_id(resource_id: str, found: dict[str, Any]) -> None:
    assert parse_id(resource_id) == found


@pytest.mark.parametrize(
    "value",
    [
        "",
        "web-1",
        "/",
        "/subscriptions",
        "/subscriptions/",
        "subscriptions/7f0c5c1e",
        "/subscriptions//resourceGroups/shop",
        GROUP + "/providers",
        GROUP + "/providers/Microsoft.Compute",
        GROUP + "/providers/Microsoft.Compute/virtualMachines",
        GROUP + "/providers/Microsoft.Compute/virtualMachines/",
        GROUP + "/providers/Microsoft.Compute/virtualMachines/a/extensions",
        GROUP + "/providers/Microsoft.Compute/providers/Microsoft.Insights",
        GROUP + "/providers/Microsoft.Compute/virtualMachines/a/providers/Microsoft.Insights",
        GROUP + "/providers/Microsoft.Compute/virtualMachines/a\n",
        GROUP + "//",
        "/tenants/x",
        None,
        7,
        ["/subscriptions/7f0c5c1e"],
    ],
)
def test_what_is_no_resource_id(value: Any) -> None:
    with pytest.raises(AnsibleFilterError, match=r"imds\.azure\.parse_resource_id: .*/subscriptions/ID"):
        parse_id(value)


WORD = st.text("abcXYZ019-._()", min_size=1, max_size=12)


@given(WORD, WORD, WORD, st.lists(st.tuples(WORD, WORD), min_size=1, max_size=4))
def test_a_resource_id_can_be_put_together_again(
    subscription: str, group: str, provider: str, resources: list[tuple[str, str]]
) -> None:
    text = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{provider}"
    text += "".join(f"/{kind}/{name}" for kind, name in resources)
    found = parse_id(text)
    told = [*((parent["type"], parent["name"]) for parent in found["parents"]), (found["type"], found["name"])]
    assert (found["subscription_id"], found["resource_group_name"], found["provider"]) == (
        subscription,
        group,
        provider,
    )
    assert told == resources


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("", {}),
        ("environment:test;role:web", {"environment": "test", "role": "web"}),
        ("a:1;2", {"a": "1;2"}),
        ([], {}),
        ([{"name": "a", "value": "1"}, {"name": "b", "value": None}], {"a": "1", "b": ""}),
        ([{"name": "a"}], {"a": ""}),
    ],
)
def test_parse_tags(value: Any, found: dict[str, str]) -> None:
    assert parse(value) == found


@pytest.mark.parametrize(
    "value",
    [
        None,
        7,
        True,
        {"a": "1"},
        ["a:1"],
        [{"value": "1"}],
        [None],
        [{"name": "a", "value": "1"}, {"name": "b", "value": 7}],
        [{"name": "a", "value": False}],
        [{"name": 7, "value": "1"}],
    ],
)
def test_what_are_no_tags(value: Any) -> None:
    with pytest.raises(AnsibleFilterError, match=r"imds\.azure\.parse_tags: expects tags"):
        parse(value)


TAGS = {"Role": "web", "environment": "test", "ENVIRONMENT": "other", "tags": "x", "empty": ""}


@pytest.mark.parametrize("value", [TAGS, {"tags": TAGS, "name": "web-1"}], ids=["tags", "fact"])
@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Role", "web"),
        ("role", "web"),
        ("ROLE", "web"),
        ("environment", "test"),
        ("ENVIRONMENT", "other"),
        ("Tags", "x"),
        ("empty", ""),
        ("rol", None),
    ],
)
def test_a_tag_is_found_in_any_case(value: Any, name: str, found: str | None) -> None:
    assert tag(value, name) == found


@pytest.mark.parametrize("value", [{}, {"tags": {}}, {"tags": {"roles": "web"}}])
def test_without_the_tag_there_is_the_default(value: Any) -> None:
    assert tag(value, "role") is None
    assert tag(value, "role", "none") == "none"


@pytest.mark.parametrize("value", [None, "role:web", ["role"], {"tags": None}, {"tags": ["role"]}])
def test_what_holds_no_tags_is_refused(value: Any) -> None:
    with pytest.raises(AnsibleFilterError, match=r"^imds\.azure\.tag: expects ansible_facts\.azure_imds or its tags"):
        tag(value, "role")


@pytest.mark.parametrize("name", [None, "", 1, ["role"]])
def test_a_name_that_is_none_is_refused(name: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="expects the name of a tag"):
        tag(TAGS, name)
