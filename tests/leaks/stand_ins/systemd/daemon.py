# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs on this machine. Modules load this as they start, so it is also where a task can be made to crash."""

from __future__ import annotations

import os
from typing import Any


def booted() -> bool:
    """Whether there is a journal."""
    return True


def _crash(*_arguments: Any, **_options: Any) -> None:
    raise RuntimeError("the module crashes here, with the secret in its hands")


if os.environ.get("LEAKS_CRASH"):
    os.replace = _crash
