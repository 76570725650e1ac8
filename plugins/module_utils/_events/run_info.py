# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""azure_imds_scheduled_events_info between its options and its result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.imds.azure.plugins.module_utils._imds.options import OptionError
from ansible_collections.imds.azure.plugins.module_utils._imds.outcome import Outcome

from .info import info
from .options import reading
from .selection import selection


def run(options: Mapping[str, Any], delivery: str) -> Outcome:
    """
    :param options: the module's, validated
    :param delivery: how the core came to the host, for the result
    """
    try:
        how, which = reading(options), selection(options)
    except OptionError as error:
        return Outcome({}, [], str(error))
    result, warnings, problem = info(how, which)
    result["meta"] = {"delivery": delivery}
    fails = problem and options["required"]
    return Outcome(result, warnings, f"No scheduled events from IMDS: {problem} {result['remedy']}" if fails else None)
