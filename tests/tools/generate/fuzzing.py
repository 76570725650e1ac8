# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is fuzzed, and what that came to, as reStructuredText."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible_collections.imds.azure.tests.fuzz import table as fuzzed
from ansible_collections.imds.azure.tests.fuzz.regressions import REGRESSIONS

from .pages import table

# `make fuzz KEEP=1` brings it here.
_COUNTS = Path(fuzzed.__file__).with_name("counts.json")


def counts() -> list[str]:
    """All targets; without numbers where one was not part of the campaign."""
    kept: dict[str, dict[str, Any]] = json.loads(_COUNTS.read_text(encoding="utf-8"))
    rows = []
    for name, target in fuzzed.TARGETS.items():
        found = kept.get(name, {})
        numbers = (_number(found.get(key)) for key in ("executions", "coverage", "inputs"))
        rows.append((f"``{name}``", target.reads, *numbers, str(len(REGRESSIONS.get(name, ())))))
    total = sum(found["executions"] for found in kept.values())
    seconds = min((found["seconds"] for found in kept.values()), default=0)
    said = f"Each target was fuzzed for at least {seconds} seconds on one shared core: {total:,} executions in all."
    return ["", said, *table(("Target", "Reads", "Executions", "Coverage", "Corpus", "Fixed"), rows)]


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
