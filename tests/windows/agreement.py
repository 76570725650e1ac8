# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One document goes to both cores, and the same comes out."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.imds.azure.plugins.module_utils._events import document, terms
from ansible_collections.imds.azure.plugins.module_utils._imds import facts
from ansible_collections.imds.azure.tests.scenarios.imds.events import NOW, VM
from ansible_collections.imds.azure.tests.windows.core import Core, comparable, encoded


def both_build(core: Core, content: Any, context: facts.Context = facts.NO_CONTEXT) -> None:
    built, warnings = facts.build(content, context)
    found = core("build", document=encoded(json.dumps(content).encode()), context=vars(context))
    assert comparable(found) == comparable({"facts": built, "warnings": warnings})
    assert list(found["facts"]) == list(built)


def both_documents(core: Core, content: Any, vm_name: str | None = VM, version: str = terms.DEFAULT) -> Any:
    """Scheduled events. Returns what the C# core says."""
    try:
        read = document.parse(content, NOW, vm_name, version)
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
    found = core("event_document", content=content, now=NOW, vm_name=vm_name, version=version)
    assert comparable(found) == comparable(expected)
    return found
