# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fault matrix as reStructuredText."""

from __future__ import annotations

from ansible_collections.imds.azure.tests.faults.faults import FAULTS
from ansible_collections.imds.azure.tests.faults.matrix import Cell, in_python

from .pages import table


def matrix(*operations: str) -> list[str]:
    """How these operations end with each fault."""
    cells = in_python()
    rows = [(_capital(fault), *(_told(cells[operation][fault]) for operation in operations)) for fault in FAULTS]
    return table(("Fault", *(_capital(operation) for operation in operations)), rows)


def _told(cell: Cell) -> str:
    """Seconds are rounded: what a request itself takes is not worth telling."""
    when = f"after {cell.seconds:.0f} of {cell.deadline:.0f} s" if round(cell.seconds) else "at once"
    return f"``{cell.code}`` {when}"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
