# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host's part of azure_imds_attest between its options and its result: fetch, and hand back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import platform, versions
from .client import Client
from .options import OptionError, nonce, settings
from .outcome import Outcome
from .reasons import ImdsError


def run(options: Mapping[str, Any], delivery: str) -> Outcome:
    """
    :param options: those that say how IMDS is asked, and nonce
    :param delivery: how the core came to the host, for the result
    """
    try:
        challenge = nonce(options["nonce"])
        chosen = settings(options)
    except OptionError as error:
        return Outcome({}, [], str(error))
    warnings = versions.doubts(chosen.api_version)
    client = Client(chosen)
    result: dict[str, Any] = {"verified": False, "attempts": client.attempts, "meta": {"delivery": delivery}}
    failure = None
    try:
        platform.require_azure(chosen)
        answer = client.attested(challenge)
        result.update(evidence=answer.content, api_version=answer.api_version)
    except ImdsError as error:
        failure = f"No attested document: {error.message} {error.reason.remedy}"
        result.update(reason=error.reason.code, remedy=error.reason.remedy)
    return Outcome(result, warnings + client.long_waits(), failure)
