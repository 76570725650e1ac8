# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a user describes scheduled events, and a VM's own switches for them; checked. Pure.

    {"type": "Reboot"}                                  this VM, with the least notice that Azure gives
    {"scenario": "spot", "vm": "web1"}                  a named scenario (`event_kinds.SCENARIOS`)
    {"type": "Freeze", "notice": 60, "duration": 5, "source": "User", "description": "...", "id": GUID,
     "resources": ["web1", "other"]}

Beside a scenario, the other fields replace those of each of its events.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import Any, Optional

from . import checks
from .event_kinds import KINDS, SCENARIOS, SELF, UNKNOWN_DURATION, UNKNOWN_KIND, VERSIONS

LONGEST = 366 * 24 * 3600  # seconds
DAY = 24 * 3600


@dataclass(frozen=True)
class Wanted:
    """One event as it shall be; times in seconds.

    ``notice``: from now to NotBefore. ``start_delay``: from approval to start. ``gone_after``: from start to end.
    ``cancel_after``: from now, None for never. ``becomes``: (type, seconds from now) or None. ``step``: what each of
    its changes adds to the incarnation. ``resources`` may hold the stand-ins of `event_kinds`.
    """

    id: str
    type: str
    resources: tuple[str, ...]
    source: str
    description: str
    notice: float
    duration: int
    gone_after: float
    started: bool
    start_delay: float
    cancel_after: Optional[float]
    becomes: Optional[tuple[str, float]]
    step: int


def parse_events(given: Any, where: str = "") -> tuple[Optional[str], list[Wanted]]:
    """The name of the VM that the events are for, None for the first one, and the events.

    :raises InvalidInputError: if a field is wrong
    """
    checked = checks.fields(where, checks.mapping(where or "event", given), FIELDS)
    vm = checked.pop("vm", None)
    scenario = checked.pop("scenario", None)
    if scenario is None and "type" not in checked:
        checks.fail(f"{where}.type" if where else "type", "is required, or a scenario")
    templates = SCENARIOS[scenario] if scenario else ({},)
    if "id" in checked and len(templates) > 1:
        checks.fail(f"{where}.id" if where else "id", f"does not go with a scenario of {len(templates)} events")
    return vm, [_wanted({**checks.fields("", template, FIELDS), **checked}) for template in templates]


def _wanted(spec: dict[str, Any]) -> Wanted:
    kind = KINDS.get(spec["type"], UNKNOWN_KIND)
    return Wanted(
        id=spec.get("id") or str(uuid.uuid4()).upper(),
        type=spec["type"],
        resources=tuple(spec.get("resources", (SELF,))),
        source=spec.get("source", kind.source),
        description=spec.get("description", kind.description),
        notice=spec.get("notice", kind.notice),
        duration=spec.get("duration", kind.duration),
        gone_after=spec.get("gone_after", kind.gone_after),
        started=spec.get("status") == "Started",
        start_delay=spec.get("start_delay", 0.0),
        cancel_after=spec.get("cancel_after"),
        becomes=spec.get("becomes"),
        step=spec.get("incarnation_step", 1),
    )


def parse_change(given: Any) -> dict[str, Any]:
    """What shall become different about an event: some of CHANGES.

    :raises InvalidInputError: if a field is wrong
    """
    return checks.fields("", checks.mapping("event", given), {name: FIELDS[name] for name in CHANGES})


def check_switches(field: str, value: Any) -> dict[str, Any]:
    """The key ``scheduled_events`` of a VM.

    :raises InvalidInputError: if a field is wrong
    """
    return checks.fields(field, checks.mapping(field, value), SWITCHES)


def _guid(field: str, value: Any) -> str:
    text = str(checks.text(field, value))
    hexadecimal = r"[0-9A-Fa-f]"
    if not re.fullmatch("-".join(f"{hexadecimal}{{{count}}}" for count in (8, 4, 4, 4, 12)), text):
        checks.fail(field, "must be a GUID")
    return text


def _word(field: str, value: Any) -> str:
    text = str(checks.text(field, value))
    return text if re.fullmatch(r"[A-Za-z]{1,64}", text) else checks.fail(field, "must be letters, at most 64")


def _string(field: str, value: Any) -> str:
    return value if isinstance(value, str) else checks.fail(field, "must be a string")


def _names(field: str, value: Any) -> list[str]:
    names = [checks.text(f"{field}[{i}]", name) for i, name in enumerate(checks.array(field, value))]
    return names if names else checks.fail(field, "must name at least one VM")


def _becomes(field: str, value: Any) -> tuple[str, float]:
    table = {"type": _word, "after": checks.number(0, LONGEST)}
    checked = checks.fields(field, checks.mapping(field, value), table)
    for name in table:
        if name not in checked:
            checks.fail(f"{field}.{name}", "is required")
    return checked["type"], checked["after"]


FIELDS: dict[str, checks.Check] = {
    "vm": checks.text,
    "scenario": checks.one_of(tuple(SCENARIOS)),
    "id": _guid,
    "type": _word,
    "resources": _names,
    "source": checks.one_of(("Platform", "User")),
    "description": _string,
    "status": checks.one_of(("Scheduled", "Started")),
    "notice": checks.number(0, LONGEST),
    "duration": checks.integer(UNKNOWN_DURATION, LONGEST),
    "gone_after": checks.number(0, LONGEST),
    "start_delay": checks.number(0, LONGEST),
    "cancel_after": checks.number(0, LONGEST),
    "becomes": _becomes,
    "incarnation_step": checks.integer(1, 1000),
}
CHANGES = ("type", "notice", "duration", "description", "resources", "source")

SWITCHES: dict[str, checks.Check] = {
    # VMs that name the same one share their events; else each VM is alone.
    "domain": checks.text,
    # Seconds that the first request takes, which switches the service on.
    "first_call_delay": checks.number(0, 300),
    # Seconds without a request after which the service is off again, and the incarnation starts over.
    "disabled_after": checks.number(1, LONGEST),
    # Whether answers have an ETag.
    "etag": checks.boolean,
    # The newest version that the host has; newer ones are 404.
    "newest_version": checks.one_of(VERSIONS),
    # The status of a version that does not exist.
    "unknown_version": lambda field, value: int(checks.one_of(("400", "404"))(field, str(value))),
}
