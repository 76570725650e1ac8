# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the roles make of their variables, also where these come from a command line and are strings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
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


def complaints(facts: dict[str, Any], **given: Any) -> list[str]:
    ansible_facts = {"azure_imds": {**blank(), "available": True, **facts}}
    return (rendered("azure_imds", "__azure_imds_complaints", ansible_facts=ansible_facts, **given) or "").splitlines()


@pytest.mark.parametrize(
    "allowed", [["westeurope", "North Europe"], "westeurope,North Europe", "westeurope, northeurope"]
)
@pytest.mark.parametrize(("location", "good"), [("westeurope", True), ("northeurope", True), ("eastus", False)])
def test_allowed_locations(allowed: Any, location: str, good: bool) -> None:
    assert (not complaints({"location": location}, azure_imds_assert_locations=allowed)) == good


@pytest.mark.parametrize("nothing", [[], "", None])
def test_nothing_allowed_is_nothing_checked(nothing: Any) -> None:
    assert complaints({"location": "eastus"}, azure_imds_assert_locations=nothing, azure_imds_assert_tags=nothing) == []


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
    assert (not complaints({"tags": tags}, azure_imds_assert_tags=wanted)) == good


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
