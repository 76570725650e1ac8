# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""azure_imds_info between its options and its result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import platform, versions
from .client import Client
from .options import OptionError, settings
from .outcome import Outcome
from .paths import path
from .reasons import REASONS, ImdsError


def run(options: Mapping[str, Any], delivery: str) -> Outcome:
    """
    :param options: the module's, validated
    :param delivery: how the core came to the host, for the result
    """
    try:
        wanted = path(options["path"])
        chosen = settings(options)
    except OptionError as error:
        return Outcome({}, [], str(error))
    warnings = versions.doubts(chosen.api_version)
    client = Client(chosen)
    result: dict[str, Any] = {"path": wanted.path, "content": None, "api_version": None}
    reason, failure = REASONS["ok"], None
    try:
        platform.require_azure(chosen)
        answer = client.fetch(wanted)
        result.update(content=answer.content, api_version=answer.api_version)
    except ImdsError as error:
        reason = error.reason
        if options["required"]:
            failure = f"Nothing from IMDS for {wanted.path}: {error.message} {reason.remedy}"
    available = reason.code == "ok"
    result.update(
        available=available,
        reason=reason.code,
        remedy=None if available else reason.remedy,
        attempts=client.attempts,
        meta={"delivery": delivery},
    )
    return Outcome(result, warnings + client.long_waits(), failure)
