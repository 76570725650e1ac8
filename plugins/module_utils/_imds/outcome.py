# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a task ends, before Ansible's words for it. Pure."""

from __future__ import annotations

from typing import Any


class Outcome:
    """result: the keys of the task's result; warnings: one sentence each; failure: the message, None on success."""

    def __init__(self, result: dict[str, Any], warnings: list[str], failure: str | None = None) -> None:
        self.result = result
        self.warnings = warnings
        self.failure = failure
