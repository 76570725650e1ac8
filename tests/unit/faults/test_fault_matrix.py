# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every operation of the Python core with every fault ends with a documented code, in time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from ansible_collections.imds.azure.plugins.module_utils._identity import vault
from ansible_collections.imds.azure.plugins.module_utils._imds import reasons
from ansible_collections.imds.azure.plugins.module_utils._routes import findings
from ansible_collections.imds.azure.tests.faults.faults import FAULTS
from ansible_collections.imds.azure.tests.faults.matrix import fill
from ansible_collections.imds.azure.tests.faults.operations import OPERATIONS
from ansible_collections.imds.azure.tests.faults.stage import Stage, open_stage

DOCUMENTED: Mapping[str, set[str]] = {
    **{name: set(reasons.REASONS) for name in OPERATIONS},
    "secret": {*reasons.REASONS, *vault.REASONS},
    "route query": {code for code, texts in findings.TABLE.items() if texts[0] != "refusal"},
}
# Faults that an operation gets over, although they are faults.
WITHSTOOD: Mapping[str, set[str]] = {
    "approve": {
        # IMDS has taken the approval: the next look shows it.
        *("slow drip", "connection reset", "truncated answer"),
        # Any success that IMDS sends confirms it; the events themselves tell the rest.
        *("invalid JSON", "Latin-1 instead of UTF-8", "UTF-16 instead of UTF-8", "deeply nested JSON"),
    },
    # IMDS itself answers, so the way there works.
    "route query": {"404", "410, IMDS is being updated", "429, throttled", "500", "503"},
}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with open_stage(tmp_path_factory.mktemp("stage")) as made:
        yield made


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_fault_ends_with_a_documented_code_in_time(stage: Stage, name: str) -> None:
    before = stage.proxied
    cells = fill(stage, name)
    assert {cell.code for cell in cells.values()} <= DOCUMENTED[name]
    assert {title: cell for title, cell in cells.items() if cell.seconds > cell.deadline + 1e-6} == {}
    harmless = {title for title, fault in FAULTS.items() if fault.harmless}
    assert {title for title, cell in cells.items() if cell.code == "ok"} == harmless | WITHSTOOD.get(name, set())
    # Only Key Vault is asked through a proxy: IMDS never is.
    assert bool(stage.proxied - before) == (name == "secret")
