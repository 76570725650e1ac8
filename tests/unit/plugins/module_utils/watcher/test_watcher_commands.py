# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the user's command is given."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._events import document
from ansible_collections.imds.azure.plugins.module_utils._watcher import commands
from ansible_collections.imds.azure.tests.scenarios.imds.events import ID, NOW, VM, raw_document, raw_event


def event(**fields: Any) -> dict[str, Any]:
    return document.parse(raw_document(raw_event(**fields)), NOW, VM).events[0].as_dict()


def test_variables() -> None:
    found = commands.variables("new", event(Resources=[VM, "vm2"], Description="a=b"), VM)
    assert found == {
        "AZURE_EVENT_PHASE": "new",
        "AZURE_EVENT_HOST": VM,
        "AZURE_EVENT_ID": ID,
        "AZURE_EVENT_TYPE": "Reboot",
        "AZURE_EVENT_STATUS": "Scheduled",
        "AZURE_EVENT_RESOURCE_TYPE": "VirtualMachine",
        "AZURE_EVENT_RESOURCES": "vm1,vm2",
        "AZURE_EVENT_MINE": "true",
        "AZURE_EVENT_ONLY_MINE": "false",
        "AZURE_EVENT_NOT_BEFORE": "2021-03-16T00:58:46Z",
        "AZURE_EVENT_NOT_BEFORE_RAW": "Tue, 16 Mar 2021 00:58:46 GMT",
        "AZURE_EVENT_SECONDS_LEFT": "900",
        "AZURE_EVENT_DESCRIPTION": "a=b",
        "AZURE_EVENT_SOURCE": "User",
        "AZURE_EVENT_DURATION": "",
        "AZURE_EVENT_DURATION_RAW": "-1",
        "AZURE_EVENT_UNRECOGNIZED": "",
    }


def test_values_that_a_variable_can_not_hold() -> None:
    found = commands.variables("new", event(Description="a\0b\ud800", Resources=["x" * 40_000]), VM)
    assert found["AZURE_EVENT_DESCRIPTION"] == "ab\ud800"
    assert "AZURE_EVENT_RESOURCES" not in found


def test_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_EVENT_STALE", "from the watcher's own environment")
    monkeypatch.setenv("KEPT", "yes")
    found = commands.environment("new", event(Description="Zürich\ud800"), VM)
    assert found[b"KEPT"] == b"yes"
    assert found[b"AZURE_EVENT_PHASE"] == b"new"
    assert found[b"AZURE_EVENT_DESCRIPTION"] == "Zürich?".encode()
    assert b"AZURE_EVENT_STALE" not in found
