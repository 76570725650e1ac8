# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module that took long says so, whatever came of it."""

from __future__ import annotations

import types
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._imds import client
from ansible_collections.imds.azure.plugins.modules import azure_imds_attest, azure_imds_facts, azure_imds_info
from ansible_collections.imds.azure.tests.scenarios.module_runner import run
from ansible_collections.imds.azure.tests.scenarios.scripted_server import ScriptedServer, document, http, send

MODULES: dict[str, tuple[types.ModuleType, dict[str, Any]]] = {
    "facts": (azure_imds_facts, {}),
    "facts required": (azure_imds_facts, {"required": True}),
    "info": (azure_imds_info, {}),
    "info not required": (azure_imds_info, {"required": False}),
    "attest": (azure_imds_attest, {"nonce": "1"}),
}
ANSWERS = {
    "ok 1": send(document({"compute": {}})),
    "forbidden 1": send(http(b"no", "403 Forbidden")),
}


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("outcome", ANSWERS)
@pytest.mark.parametrize(("long", "warned"), [(-1.0, True), (10.0, False)], ids=["long", "not long"])
def test_long_waits_are_warned_of(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    outcome: str,
    long: float,
    warned: bool,
) -> None:
    module, options = MODULES[name]
    monkeypatch.setattr(client, "_LONG", long)
    with ScriptedServer(ANSWERS[outcome]) as server:
        result = run(capsys, module, endpoint=server.endpoint, detect="force", **options)
    expected = [f"Asking IMDS took 0 s. Attempts by outcome: {outcome}."] if warned else []
    assert [warning for warning in result.get("warnings", []) if "Asking" in str(warning)] == expected
