# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role's repair before gathering: where it is needed, where it is refused, and off Azure."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from .api import Lab
from .asking import ANSWER, AT_ONCE, ending
from .route_play import playbook
from .route_states import vm

NAMES = ("healthy", "unreachable", "rule-prohibits", "default-only")


@pytest.fixture
def fleet(lab: Lab) -> Iterator[Lab]:
    assert lab.place.alive()  # this machine allows labs
    vms = [vm(name, number) for number, name in enumerate(NAMES)]
    elsewhere = {"name": "elsewhere", "chassis_asset_tag": False, "imds": True}
    with Lab({"vms": [*vms, elsewhere]}) as running:
        yield running


def role(lab: Lab, **variables: Any) -> subprocess.CompletedProcess[str]:
    plays = [
        {
            "name": "Gather",
            "hosts": "lab",
            "gather_facts": False,
            "roles": [{"role": "imds.azure.azure_imds", "vars": {"azure_imds_timeout": 2, **variables}}],
        }
    ]
    file = lab.place.path / "role.json"
    file.write_text(json.dumps(plays), encoding="utf-8")
    return playbook(lab, str(file))


def recap(printed: str, word: str) -> set[str]:
    """The hosts for which a word of the recap is not 0."""
    return set(re.findall(rf"^(\S+) +: .*\b{word}=[1-9]", printed, re.MULTILINE))


def test_auto_repairs_what_keeps_imds_from_answering(fleet: Lab) -> None:
    fleet.emulator.clear_requests()
    done = role(fleet, azure_imds_fix_route="auto")
    assert done.returncode == 0, done.stdout
    assert recap(done.stdout, "changed") == {"unreachable"}
    assert recap(done.stdout, "rescued") == {"rule-prohibits"}
    assert [ending(fleet, name) for name in ("unreachable", "rule-prohibits")] == [ANSWER, AT_ONCE]
    asked = [entry["source"] for entry in fleet.emulator.requests()]
    assert asked.count("10.77.0.4") == 1  # where all is well it costs nothing
    assert "10.77.4.4" not in asked


def test_auto_leaves_the_failure_to_required(fleet: Lab) -> None:
    done = role(fleet, azure_imds_fix_route="auto", azure_imds_required=True)
    assert done.returncode == 2, done.stdout
    assert recap(done.stdout, "failed") == {"rule-prohibits", "elsewhere"}
    assert ending(fleet, "unreachable") == ANSWER


def test_always_repairs_what_only_lasts_by_luck(fleet: Lab) -> None:
    done = role(fleet, azure_imds_fix_route="always")
    assert done.returncode == 2, done.stdout
    assert recap(done.stdout, "changed") == {"unreachable", "default-only"}
    assert recap(done.stdout, "failed") == {"rule-prohibits"}
    assert recap(done.stdout, "rescued") >= {"elsewhere"}


def test_never_is_the_default(fleet: Lab) -> None:
    done = role(fleet)
    assert done.returncode == 0, done.stdout
    assert not recap(done.stdout, "changed")
    assert ending(fleet, "unreachable") == AT_ONCE
