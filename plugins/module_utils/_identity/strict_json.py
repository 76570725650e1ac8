# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""JSON that can be handed on. Pure."""

from __future__ import annotations

import json
from typing import Any


def read_object(body: bytes) -> dict[str, Any] | None:
    """The JSON object that a body holds; None for anything else.

    Python also reads what nobody else takes for JSON: NaN, numbers out of range, and halves of surrogate pairs, which
    no result can show.
    """
    try:
        content = json.loads(body.decode("utf-8"))
        json.dumps(content, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
