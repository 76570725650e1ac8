# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""From settings to facts: detect, ask, build. What the facts module and the local fact script both do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from . import platform
from .blank import blank
from .options import Settings
from .reasons import REASONS, ImdsError, printable

if TYPE_CHECKING:
    from .client import Client


def gather(settings: Settings, delivery: str = "module") -> tuple[dict[str, Any], list[str]]:
    """(the azure_imds fact, warnings). No answer is not an error: available is then false, and reason says why.

    :param delivery: how the core came to the host, for the fact
    """
    started = time.monotonic()
    detection = platform.detect(settings.chassis_asset_tag)
    if detection.azure or settings.detect == "force":
        fact, warnings = _ask(settings)
    else:
        fact, warnings = unavailable(*platform.miss(detection)), []
    complete(fact, settings, detection, time.monotonic() - started, delivery)
    return fact, warnings


def complete(
    fact: dict[str, Any],
    settings: Settings,
    detection: platform.Detection,
    elapsed: float,
    delivery: str = "module",
) -> None:
    """Add to meta what is known only at the end. elapsed is in seconds."""
    fact["meta"]["delivery"] = delivery
    fact["meta"]["elapsed"] = round(elapsed, 3)
    fact["meta"]["detection"] = {**vars(detection), "mode": settings.detect}


def unavailable(code: str, detail: str = "") -> dict[str, Any]:
    """The azure_imds fact of a host without metadata: complete, and of the usual shape."""
    return _fact(code, detail, None, blank())


def _fact(code: str, detail: str, api_version: str | None, built: dict[str, Any]) -> dict[str, Any]:
    reason = REASONS[code]
    return {
        "available": code == "ok",
        "reason": code,
        "remedy": None if code == "ok" else reason.remedy,
        "api_version": api_version,
        **built,
        "meta": {
            "message": f"{reason.meaning} ({printable(detail)})" if detail else reason.meaning,
            "requests": 0,
            "elapsed": 0.0,
            "attempts": [],
            "detection": {},
            "disks": {"reason": "not_read", "message": "Disks are only read where IMDS has answered."},
            "delivery": "module",
            "collected_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        },
    }


def _ask(settings: Settings) -> tuple[dict[str, Any], list[str]]:
    # Not at the top: modules are compiled on every run, and these, most of the core, are only needed on Azure.
    from . import guest
    from .client import Client

    return ask(settings, Client(settings), guest)


def ask(settings: Settings, client: Client, guest: Any) -> tuple[dict[str, Any], list[str]]:
    """The fact and the warnings.

    :param guest: the module guest, or something else with its nics(), default_device() and disks()
    """
    from . import facts, versions

    warnings = versions.doubts(settings.api_version)
    try:
        answer = client.instance()
    except ImdsError as error:
        fact = unavailable(error.reason.code, error.detail)
    else:
        context = facts.Context(
            nics=guest.nics(),
            default_device=guest.default_device(),
            local_address=answer.local_address,
            include_user_data=settings.include_user_data,
            include_public_keys=settings.include_public_keys,
        )
        built, found = facts.build(answer.content, context)
        warnings += found
        if settings.load_balancer and not built["public_ip"]:
            try:
                built.update(facts.from_load_balancer(client.load_balancer().content, built["private_ip"]))
            except ImdsError as error:
                if error.reason.code != "not_found":  # not_found: behind no load balancer, a plain answer
                    warnings.append(f"The load balancer endpoint gave no public address: {error.message}")
        unread, contradictions = _add_disks(built["storage"], answer.content, guest)
        warnings += contradictions
        fact = _fact("ok", "", answer.api_version, built)
        fact["meta"]["disks"] = unread
    fact["meta"].update(requests=client.requests, attempts=client.attempts)
    warnings += client.long_waits()
    return fact, warnings


def _add_disks(
    storage: dict[str, Any], document: dict[str, Any], guest: Any
) -> tuple[dict[str, str | None], list[str]]:
    """Add the guest's devices. (why there are none, warnings); a guest that can't be read is not an error."""
    from . import disks, facts

    try:
        found, root = guest.disks(storage)
    except disks.UnreadableError as error:
        return {"reason": error.code, "message": f"{disks.UNREADABLE[error.code]} ({printable(error.detail)})"}, []
    disks.pair(storage, found, root, isinstance(facts.lookup(document, "compute.storageProfile.dataDisks"), list))
    messages = [contradiction["message"] for contradiction in storage["contradictions"]]
    return {"reason": None, "message": None}, [f"Disks: {' '.join(messages)}"] if messages else []
