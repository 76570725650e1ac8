# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The deliberate lock of systemd-imdsd: IMDS only for processes that may set its firewall mark. Pure.

Source: systemd 261, 85-imds-early.network: a prohibit route in the main table, and a rule that leads marked traffic to
a table of its own. Without the prohibit route the same rule and table lock nobody out.
"""

from __future__ import annotations

from typing import Optional

from . import ipv4
from .model import Route, State

MARK = 0x7FFF0815
TABLE = str(MARK)


def systemd_lock(state: State) -> Optional[Route]:
    """The prohibit route of a host that systemd locks; ``None`` where it does not."""
    marked = any(_mark(rule.fwmark) == MARK or rule.table == TABLE for rule in state.rules or ())
    marked = marked or any(route.table == TABLE for route in state.routes)
    if not marked:
        return None
    rows = (row for row in state.routes if row.prefix == ipv4.IMDS_PREFIX and row.kind == "prohibit")
    return next((row for row in rows if row.table == "main"), None)


def _mark(text: str) -> int:
    mark = text.partition("/")[0]
    return int(mark, 0) if mark else 0
