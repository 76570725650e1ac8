# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""azure_imds_facts between its options and its result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .gather import gather
from .options import OptionError, settings
from .outcome import Outcome


def run(options: Mapping[str, Any], delivery: str) -> Outcome:
    """
    :param options: the module's, validated
    :param delivery: how the core came to the host, for the facts
    """
    try:
        chosen = settings(options)
    except OptionError as error:
        return Outcome({}, [], str(error))
    facts, warnings = gather(chosen, delivery)
    return ended(facts, warnings, options["required"])


def ended(facts: dict[str, Any], warnings: list[str], required: bool) -> Outcome:
    """How a task ends that found these facts.

    :param required: whether it fails without an answer from IMDS
    """
    if not required or facts["available"]:
        return Outcome({"ansible_facts": {"azure_imds": facts}}, warnings)
    meta = facts["meta"]
    return Outcome(
        {
            "reason": facts["reason"],
            "remedy": facts["remedy"],
            "attempts": meta["attempts"],
            "meta": {"delivery": meta["delivery"]},
        },
        warnings,
        f"No facts from IMDS: {meta['message']} {facts['remedy']}",
    )
