# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Both cores read what is almost right alike. The inputs are those of the fuzz targets, and the same in every run."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._events import document, terms
from ansible_collections.imds.azure.plugins.module_utils._identity import tokens
from ansible_collections.imds.azure.plugins.module_utils._imds import client, facts
from ansible_collections.imds.azure.plugins.module_utils._imds.transport import Response
from ansible_collections.imds.azure.tests.fuzz.table import TARGETS
from ansible_collections.imds.azure.tests.fuzz.unguided import inputs
from ansible_collections.imds.azure.tests.scenarios.identities import NOW as TOKEN_NOW
from ansible_collections.imds.azure.tests.scenarios.identities import VAULT
from ansible_collections.imds.azure.tests.scenarios.imds.events import NOW, VM
from ansible_collections.imds.azure.tests.windows.core import Core, comparable, encoded
from hypothesis import HealthCheck, given, settings

Compare = Callable[[Core, Any], None]


def read_alike(core: Core, data: bytes, compare: Compare) -> None:
    """Both take the input for JSON or neither does; then what they make of it is the same."""
    try:
        content: Any = client._read_json(Response(200, {}, data, ""))
    except client.UnusableError:
        assert not core("json", body=encoded(data))["valid"]
        return
    if not rounds(content):
        assert core("json", body=encoded(data))["valid"]
        if isinstance(content, dict):
            compare(core, content)


def rounds(value: Any) -> bool:
    """Whether there is a whole number of more than 64 bits, which the C# core rounds."""
    if isinstance(value, (dict, list)):
        return any(map(rounds, value.values() if isinstance(value, dict) else value))
    return isinstance(value, int) and not -(2**63) <= value < 2**63


def facts_alike(core: Core, content: Any) -> None:
    context = facts.Context(local_address="10.1.0.4", include_user_data=True, include_public_keys=True)
    built, warnings = facts.build(content, context)
    found = core("build", document=encoded(json.dumps(content).encode()), context=vars(context))
    assert comparable(found) == comparable({"facts": built, "warnings": warnings})


def events_alike(core: Core, content: Any) -> None:
    try:
        read = document.parse(content, NOW, VM)
    except document.DocumentError as error:
        expected: Any = str(error)
    else:
        first = document.soonest(read.events)
        expected = {
            "incarnation": read.incarnation,
            "events": [event.as_dict() for event in read.events],
            "keys": [event.key for event in read.events],
            "soonest": first.as_dict() if first else None,
        }
    found = core("event_document", content=content, now=NOW, vm_name=VM, version=terms.DEFAULT)
    assert comparable(found) == comparable(expected)


def tokens_alike(core: Core, content: Any) -> None:
    found = core("token_read", answer=content, resource=VAULT, now=TOKEN_NOW)
    token = None
    with contextlib.suppress(tokens.TokenError):
        token = tokens.read(content, VAULT, TOKEN_NOW)
    assert ("error" in found) is (token is None)
    if token is None:
        return
    told = {
        "expires_on": token.expires_on,
        "expires_at": token.expires_at,
        "client_id": token.client_id,
        "object_id": token.object_id,
        "tenant_id": token.tenant_id,
    }
    assert comparable({name: found.get(name) for name in told}) == comparable(told)
    assert found["files"] == [encoded(tokens.render(token, form)) for form in ("token", "json", "header")]


COMPARED: dict[str, Compare] = {
    "instance_document": facts_alike,
    "scheduled_events": events_alike,
    "token_answer": tokens_alike,
}


@pytest.mark.parametrize("name", COMPARED)
def test_almost_right(core: Core, name: str) -> None:
    @settings(derandomize=True, database=None, deadline=None, max_examples=200, suppress_health_check=list(HealthCheck))
    @given(inputs(TARGETS[name]))
    def read(data: bytes) -> None:
        read_alike(core, data, COMPARED[name])

    read()
