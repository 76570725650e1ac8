# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""From settings to facts: detect, ask, build. What the facts module and the local fact script both do."""

from __future__ import annotations

import time
from typing import Any

from . import facts, guest, platform
from .client import Answer, Client
from .options import Settings
from .reasons import REASONS, ImdsError


def gather(settings: Settings) -> tuple[dict[str, Any], list[str]]:
    """(the azure_imds fact, warnings). A miss is no error: available is false then, and reason says why."""
    detection = platform.detect(settings.chassis_asset_tag)
    client = Client(settings)
    code, answer, detail = "not_azure", None, ""
    if detection.azure or settings.detect == "force":
        try:
            answer = client.instance()
            code = "ok"
        except ImdsError as error:
            code, detail = error.reason.code, error.detail
    built, warnings = _build(settings, client, answer)
    reason = REASONS[code]
    result: dict[str, Any] = {
        "available": code == "ok",
        "reason": code,
        "remedy": None if code == "ok" else reason.remedy,
        "api_version": answer.api_version if answer else None,
        **built,
        "meta": {
            "message": f"{reason.meaning} ({detail})" if detail else reason.meaning,
            "requests": client.requests,
            "elapsed": round(client.elapsed, 3),
            "attempts": client.attempts,
            "detection": {**detection._asdict(), "mode": settings.detect},
            "collected_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        },
    }
    return result, warnings


def _build(settings: Settings, client: Client, answer: Answer | None) -> tuple[dict[str, Any], list[str]]:
    if not answer:
        built, warnings = facts.build({})
        return {**built, "public_ip_source": None}, warnings
    context = facts.Context(
        devices=guest.devices(),
        default_device=guest.default_device(),
        local_address=answer.local_address,
        include_user_data=settings.include_user_data,
        include_public_keys=settings.include_public_keys,
    )
    built, warnings = facts.build(answer.content, context)
    built["public_ip_source"] = "instance" if built["public_ip"] else None
    if settings.load_balancer and not built["public_ip"]:
        try:
            built["public_ip"] = facts.from_load_balancer(client.load_balancer().content, built["private_ip"])
            built["public_ip_source"] = "load_balancer" if built["public_ip"] else None
        except ImdsError as error:
            if error.reason.code != "not_found":  # not_found: behind no load balancer, a plain answer
                warnings.append(f"The load balancer endpoint gave no public address: {error.message}")
    return built, warnings
