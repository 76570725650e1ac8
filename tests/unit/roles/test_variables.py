# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the roles make of their variables, also where these come from a command line and are strings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.imds.azure.plugins.module_utils._imds.blank import blank

ROLES = Path(__file__).parents[3] / "roles"


def rendered(role: str, name: str, **given: Any) -> Any:
    """The value of a variable of the role, where these are given."""
    loader = DataLoader()
    variables: dict[str, Any] = {}
    for folder in ("defaults", "vars"):
        file = ROLES / role / folder / "main.yml"
        variables.update(loader.load_from_file(str(file), trusted_as_template=True))
    return Templar(loader, variables={**variables, **given}).template(variables[name])


LISTS = ["127.0.0.1:1", "127.0.0.2:2"]


@pytest.mark.parametrize("listen", [LISTS, ",".join(LISTS)], ids=["list", "string"])
@pytest.mark.parametrize("limiter", [True, "true", False, "false", "no"])
def test_arguments_of_the_emulator(listen: Any, limiter: Any) -> None:
    arguments = rendered(
        "azure_imds_emulator",
        "__azure_imds_emulator_arguments",
        azure_imds_emulator_listen=listen,
        azure_imds_emulator_limiter=limiter,
    )
    assert arguments[:4] == ["--listen", LISTS[0], "--listen", LISTS[1]]
    assert ("--no-limiter" in arguments) == (limiter not in (True, "true"))


def complaints(facts: dict[str, Any], checks: Any) -> list[str]:
    ansible_facts = {"azure_imds": {**blank(), "available": True, **facts}}
    text = rendered("azure_imds", "__azure_imds_complaints", ansible_facts=ansible_facts, azure_imds_assert=checks)
    return [line for line in (text or "").splitlines() if line]


@pytest.mark.parametrize(
    "allowed", [["westeurope", "North Europe"], "westeurope,North Europe", "westeurope, northeurope"]
)
@pytest.mark.parametrize(("location", "good"), [("westeurope", True), ("northeurope", True), ("eastus", False)])
def test_allowed_locations(allowed: Any, location: str, good: bool) -> None:
    assert (not complaints({"location": location}, {"locations": allowed})) == good


@pytest.mark.parametrize("nothing", [[], "", None])
def test_nothing_allowed_is_nothing_checked(nothing: Any) -> None:
    checks = dict.fromkeys(("locations", "tags", "secure_boot", "zones"), nothing)
    assert complaints({"location": "eastus"}, {**checks, "secure_boot": None}) == []
    assert complaints({"location": "eastus"}, nothing if nothing is None else {}) == []


# Check -> (what meets it, what does not, the complaint about that).
EVERY_CHECK: dict[str, tuple[Any, dict[str, Any], str]] = {
    "environments": (["AzurePublicCloud"], {"environment": "AzureChinaCloud"}, "environment is 'AzureChinaCloud', "),
    "locations": (["westeurope"], {"location": "eastus"}, "location is 'eastus', expected 'westeurope'"),
    "zones": ([1, 2], {"zone": "3"}, "zone is '3', expected '1' or '2'"),
    "subscription_ids": (["a"], {"subscription_id": "b"}, "subscription_id is 'b', expected 'a'"),
    "vm_sizes": (["Standard_D2s_v5"], {"vm_size": "Standard_B1s"}, "vm_size is 'Standard_B1s', "),
    "security_types": (["TrustedLaunch"], {"security": {}}, "security.security_type is not set, "),
    "secure_boot": (True, {"security": {"secure_boot": False}}, "security.secure_boot is false, expected true"),
    "virtual_tpm": (False, {"security": {"virtual_tpm": True}}, "security.virtual_tpm is true, expected false"),
    "encryption_at_host": (True, {"security": {}}, "security.encryption_at_host is not set, expected true"),
    "tags": ({"role": "web"}, {"tags": {"Role": "db"}}, "tag 'role' is 'db', expected 'web'"),
}


def test_every_check_is_known() -> None:
    assert set(rendered("azure_imds", "__azure_imds_assert_keys")) == set(EVERY_CHECK)
    spec = yaml.safe_load((ROLES / "azure_imds" / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    assert set(spec["argument_specs"]["main"]["options"]["azure_imds_assert"]["options"]) == set(EVERY_CHECK)


@pytest.mark.parametrize("check", EVERY_CHECK)
@pytest.mark.parametrize("dressed", [dict, json.dumps], ids=["dictionary", "text from a command line"])
def test_every_check_complains(check: str, dressed: Any) -> None:
    allowed, facts, complaint = EVERY_CHECK[check]
    if "security" in facts:
        facts = {"security": {**blank()["security"], **facts["security"]}}
    (line,) = complaints(facts, dressed({check: allowed}))
    assert line.startswith(complaint)


@pytest.mark.parametrize(
    ("wanted", "good"),
    [
        (["role"], True),
        ("role", True),
        ("role,owner", True),
        (["role", "cost"], False),
        ({"role": "web"}, True),
        ({"ROLE": ["db", "web"]}, True),
        ({"role": "Web"}, False),
        ({"owner": ""}, True),
        ({"owner": None}, True),
        ({"count": 3, "on": "true"}, True),
        ({"a,b": "x"}, True),
        (["a,b"], True),
    ],
    ids=str,
)
def test_tags(wanted: Any, good: bool) -> None:
    tags = {"Role": "web", "owner": "", "count": "3", "on": "true", "a,b": "x"}
    assert (not complaints({"tags": tags}, {"tags": wanted})) == good


def test_values_are_quoted_and_control_nothing() -> None:
    """A tag may contain what clears a terminal, or what looks like another complaint."""
    tags = {"a": "\x1b[2J\x9bm", "b": "\u202e", "c": "x\nlocation is fine", "d": "Zürich 田中", "e": "it's"}
    lines = complaints({"tags": tags, "location": "\x1b]0;"}, {"tags": dict.fromkeys(tags, "?"), "locations": ["w"]})
    assert lines == [
        "location is '\\x1b]0;', expected 'w'",
        "tag 'a' is '\\x1b[2J\\x9bm', expected '?'",
        "tag 'b' is '\\u202e', expected '?'",
        "tag 'c' is 'x\\nlocation is fine', expected '?'",
        "tag 'd' is 'Zürich 田中', expected '?'",
        "tag 'e' is \"it's\", expected '?'",
    ]


@pytest.mark.parametrize(
    ("given", "unknown"),
    [
        ({}, []),
        (None, []),
        ({"zones": [1]}, []),
        ({"zone": [1], "Zones": 1, "tags": []}, ["zone", "Zones"]),
        ('{"zone": 1}', ["zone"]),
        ("zones=1", ["zones=1"]),
    ],
    ids=str,
)
def test_unknown_checks(given: Any, unknown: list[str]) -> None:
    assert rendered("azure_imds", "__azure_imds_unknown_keys", azure_imds_assert=given) == unknown


@pytest.mark.parametrize(
    ("given", "facts", "tags"),
    [
        (["zone", "scale_set"], ["zone", "scale_set"], ["zone", "scale_set"]),
        ("zone, scale_set", ["zone", "scale_set"], ["zone", "scale_set"]),
        ("", [], []),
        (None, [], []),
    ],
    ids=str,
)
def test_groups(given: Any, facts: list[str], tags: list[str]) -> None:
    assert rendered("azure_imds", "__azure_imds_group_by", azure_imds_group_by=given) == facts
    assert rendered("azure_imds", "__azure_imds_group_by_tags", azure_imds_group_by_tags=given) == tags
