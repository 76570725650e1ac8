# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The route fix on real VMs: what it says is how it is, and what it promises is what comes out."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._routes import linux
from ansible_collections.imds.azure.plugins.module_utils._routes.diagnose import diagnose
from ansible_collections.imds.azure.plugins.module_utils._routes.plan import plan
from ansible_collections.imds.azure.plugins.module_utils._routes.wishes import read_wishes

from .api import Lab
from .conftest import ending
from .route_states import REPAIRED, SATISFIED, STATES, numbered, vm


@pytest.fixture(scope="module")
def fleet(lab: Lab) -> Iterator[Lab]:
    assert lab.place.alive()  # this machine allows labs
    with Lab({"vms": [vm(name, number) for number, name in enumerate(STATES)]}) as running:
        yield running


@pytest.fixture(scope="module")
def endings(fleet: Lab) -> dict[str, str]:
    return everywhere(fleet, ending)


def everywhere(lab: Lab, look: Any) -> dict[str, Any]:
    """``look(lab, name)`` for every VM."""
    with ThreadPoolExecutor(16) as pool:
        return dict(zip(STATES, pool.map(lambda name: look(lab, name), STATES)))


def report(lab: Lab, name: str) -> dict[str, Any]:
    found: dict[str, Any] = {part: lab.run(name, command).stdout for part, command in linux.COMMANDS.items()}
    done = lab.run(name, linux.COMMANDS["route_get"])
    return {**found, "route_get": {"rc": done.returncode, "stdout": done.stdout, "stderr": done.stderr}}


each_state = pytest.mark.parametrize("name", STATES)


@each_state
def test_it_is_as_broken_as_the_table_says(endings: dict[str, str], name: str) -> None:
    assert STATES[name].before in ("", endings[name])


@each_state
def test_brain(fleet: Lab, name: str) -> None:
    expected = STATES[name]
    wishes = read_wishes(numbered(expected.options, list(STATES).index(name)))
    state = linux.read(report(fleet, name))
    assert diagnose(state, wishes).code == expected.code
    made = plan(state, wishes)
    outcome = REPAIRED if made.steps else SATISFIED if made.satisfied else made.refusals[0].code
    assert outcome == expected.outcome
