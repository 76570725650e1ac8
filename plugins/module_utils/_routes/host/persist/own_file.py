# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A configuration file that is ours alone. A comment holds the row it was made from, so that nothing has to be
parsed; a file that was changed by hand is not what that row makes, and counts as holding nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Callable, Optional

from ..host import Host

Row = Mapping[str, Any]

_HEAD = "# Written by imds.azure.azure_imds_route_fix, which replaces it as a whole."
_MARK = "# route: "


def head(row: Row) -> str:
    """The first two lines of a file."""
    return f"{_HEAD}\n{_MARK}{json.dumps(dict(row), sort_keys=True)}\n"


def row_of(host: Host, path: str, render: Callable[[Row], str]) -> Optional[dict[str, Any]]:
    """The row that a file holds.

    :param render: the whole text for a row
    """
    for line in (host.read_text(path) or "").splitlines():
        if line.startswith(_MARK):
            try:
                row = json.loads(line[len(_MARK) :])
                return dict(row) if render(row) == host.read_text(path) else None
            except (ValueError, TypeError, KeyError, RecursionError):
                return None
    return None
