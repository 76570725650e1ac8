# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A moment of fuzzing: the corpus again, and a few inputs that are always the same. `make fuzz` takes its time."""

from __future__ import annotations

import json
from random import Random

import pytest
from ansible_collections.imds.azure.tests.fuzz import regressions
from ansible_collections.imds.azure.tests.fuzz.mutation import mutate
from ansible_collections.imds.azure.tests.fuzz.table import TARGETS
from ansible_collections.imds.azure.tests.fuzz.target import Target
from ansible_collections.imds.azure.tests.fuzz.unguided import inputs
from hypothesis import HealthCheck, given, settings

# Signing takes a while, and these targets have the emulator do so.
FEW = {"emulator_imds": 25, "emulator_scripts": 40, "emulator_arc": 60}
MOST = 200


@pytest.mark.parametrize("target", TARGETS.values(), ids=lambda target: target.name)
def test_seeds_are_read(target: Target) -> None:
    for data in target.seeds():
        target.run(data)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        pytest.param(name, data, id=f"{name}: {what}")
        for name, found in regressions.REGRESSIONS.items()
        for what, data in found
    ],
)
def test_what_once_broke_something(name: str, data: bytes) -> None:
    TARGETS[name].run(data)


@pytest.mark.parametrize("target", TARGETS.values(), ids=lambda target: target.name)
def test_almost_right(target: Target) -> None:
    @settings(
        derandomize=True,
        database=None,
        deadline=None,
        max_examples=FEW.get(target.name, MOST),
        suppress_health_check=list(HealthCheck),
    )
    @given(inputs(target))
    def read(data: bytes) -> None:
        target.run(data)

    read()


@pytest.mark.parametrize("target", TARGETS.values(), ids=lambda target: target.name)
def test_seeds_fit(target: Target) -> None:
    assert max(map(len, target.seeds())) <= target.most


def test_regressions_are_of_targets() -> None:
    assert set(regressions.REGRESSIONS) <= set(TARGETS)
    assert all(regressions.REGRESSIONS.values())


def test_a_change_is_repeatable_and_keeps_json() -> None:
    data = json.dumps({"compute": {"name": "a", "tags": [1, {"b": None}]}}).encode()
    changed = [mutate(data, Random(number), (b"name",)) for number in range(300)]
    assert changed == [mutate(data, Random(number), (b"name",)) for number in range(300)]
    assert len(set(changed)) > 200
    parsed = 0
    for one in changed:
        try:
            json.loads(one)
        except ValueError:
            continue
        parsed += 1
    assert parsed > 200
