# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host's report of either system as a state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.imds.azure.plugins.module_utils._routes import model
from ansible_collections.imds.azure.plugins.module_utils._routes.common_report import check_size
from ansible_collections.imds.azure.plugins.module_utils._routes.linux_report import read_linux_report
from ansible_collections.imds.azure.plugins.module_utils._routes.model import ReportError, State

from .windows_report import read_windows_report

_READERS = {model.LINUX: read_linux_report, model.WINDOWS: read_windows_report}
# One per interface and table would already be many.
_MOST_HOST_ROUTES = 64


def read_report(report: Mapping[str, Any]) -> State:
    """The state that a report describes.

    :raises ReportError: where it can't be read
    """
    system = str(report.get("system"))
    if system not in _READERS:
        raise ReportError(f"unknown system {system!r}")
    check_size(report)
    state = _READERS[system](report)
    many = len(model.host_routes(state)) + len(state.persistent or ()) + len(state.registry)
    if many > _MOST_HOST_ROUTES:
        raise ReportError(f"the report has {many} routes to IMDS, and no host has more than {_MOST_HOST_ROUTES}")
    return state
