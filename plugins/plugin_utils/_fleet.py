# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the report of a fleet says of each host, out of what tasks returned. Pure.

Answers come from hosts, which may say anything: a value of an unexpected type is left out, never an error.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

# Result -> what the report calls it. Each stands for a variable that the playbook registers.
ANSWERS = ("facts", "events", "attestation", "route")

# The columns of the CSV file: dotted paths into a host's entry.
COLUMNS = (
    *("host", "status", "message", "name", "vm_id", "location", "zone", "fault_domain", "update_domain", "scale_set"),
    *("vm_size", "priority", "os_type", "image", "private_ip", "public_ip", "subscription_id", "resource_group_name"),
    *("events.verdict", "events.next.event_type", "events.next.not_before"),
    *("attestation.verdict", "attestation.reason", "route.verdict", "route.reason"),
)
# What makes a spreadsheet take a cell for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")

SIMPLE = (
    *("name", "vm_id", "location", "zone", "scale_set", "vm_size", "priority", "os_type", "private_ip", "public_ip"),
    *("subscription_id", "resource_group_name"),
)


def entry(host: str, answers: Mapping[str, Any]) -> dict[str, Any]:
    """One host's entry. `answers`: the results of those tasks of ANSWERS that ran; ``facts`` may be the facts alone."""
    facts = _facts(answers.get("facts"))
    found: dict[str, Any] = {"host": host, **_status(answers.get("facts"), facts)}
    found.update((key, _text(facts.get(key))) for key in SIMPLE)
    found.update(
        fault_domain=_text(facts.get("platform_fault_domain")),
        update_domain=_text(facts.get("platform_update_domain")),
        image=_image(_mapping(facts.get("image"))),
        tags={str(name): _text(value) or "" for name, value in _mapping(facts.get("tags")).items()},
        disks=_disks(_mapping(facts.get("storage"))),
        addresses=_addresses(_mapping(facts.get("network"))),
        events=_events(answers.get("events")),
        attestation=_attestation(answers.get("attestation")),
        route=_route(answers.get("route")),
    )
    return found


def as_csv(entries: list[dict[str, Any]]) -> str:
    """The entries as CSV (RFC 4180), one line per host. No cell can be taken for a formula."""
    lines: list[str] = []
    writer = csv.writer(SimpleNamespace(write=lines.append))
    writer.writerow(COLUMNS)
    writer.writerows([_cell(found, column) for column in COLUMNS] for found in entries)
    return "".join(lines)


def _cell(found: Any, column: str) -> str:
    for key in column.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    text = "" if found is None else str(found)
    return f"'{text}" if text.startswith(FORMULA) else text


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, (list, tuple)) else []


def _text(value: Any) -> str | None:
    """A plain value as text; ``None`` for what is not there, empty, or nested."""
    if value is None or isinstance(value, (Mapping, list, tuple)) or value == "":
        return None
    return str(value)


def _facts(answer: Any) -> Mapping[str, Any]:
    """The facts in a task's result, or the facts themselves."""
    result = _mapping(answer)
    return _mapping(_mapping(result.get("ansible_facts")).get("azure_imds")) or result


def _failure(answer: Any) -> tuple[str, str] | None:
    """(status, message) of a task that has no proper result."""
    result = _mapping(answer)
    if not result or result.get("skipped"):
        return "not_asked", ""
    message = _text(result.get("msg")) or ""
    if result.get("unreachable"):
        return "unreachable", message
    if result.get("failed"):
        return "failed", message
    return None


def _status(answer: Any, facts: Mapping[str, Any]) -> dict[str, Any]:
    failure = _failure(answer)
    if failure:
        return {"status": failure[0], "message": failure[1]}
    return {"status": _text(facts.get("reason")) or "failed", "message": _text(facts.get("remedy")) or ""}


def _image(image: Mapping[str, Any]) -> str | None:
    parts = [_text(image.get(key)) for key in ("publisher", "offer", "sku", "version")]
    named = ":".join(part for part in parts if part)
    custom = _text(image.get("id"))
    return named or (custom.rpartition("/")[2] if custom else None)


def _disks(storage: Mapping[str, Any]) -> list[dict[str, Any]]:
    kinds = (
        ("os", [_mapping(storage.get("os_disk"))]),
        ("data", _list(storage.get("data_disks"))),
        ("resource", [_mapping(storage.get("resource_disk"))]),
        ("local", _list(storage.get("local_disks"))),
    )
    return [_disk(kind, disk) for kind, disks in kinds for disk in disks if disk]


def _disk(kind: str, disk: Mapping[str, Any]) -> dict[str, Any]:
    device = _mapping(disk.get("device"))
    mounts = device.get("mounts") or device.get("drive_letters")
    return {
        "kind": kind,
        "lun": _text(disk.get("lun")),
        "name": _text(disk.get("name")),
        "size_gb": _text(disk.get("disk_size_gb")),
        "device": _text(device.get("path")),
        "mounts": [str(mount) for mount in mounts] if isinstance(mounts, (list, tuple)) else [],
    }


def _addresses(network: Mapping[str, Any]) -> list[str]:
    """All addresses of all interfaces, private and public ones."""
    keys = ("private_ip_addresses", "public_ip_addresses", "ipv6_addresses", "public_ipv6_addresses")
    lists = [nic.get(key) for nic in _list(network.get("interfaces")) for key in keys]
    return [str(address) for found in lists if isinstance(found, (list, tuple)) for address in found]


def _events(answer: Any) -> dict[str, Any]:
    verdict = _verdict(answer)
    pending = [
        {
            key: event.get(key)
            for key in ("event_id", "event_type", "event_status", "not_before", "seconds_left", "description", "mine")
        }
        for event in _list(_mapping(answer).get("events"))
        if event.get("mine") is not False
    ]
    pending.sort(key=lambda event: (event["event_status"] != "Started", str(event["not_before"] or "~")))
    if verdict["verdict"] == "ok":
        verdict["verdict"] = "pending" if pending else "none"
    return {**verdict, "pending": pending, "next": pending[0] if pending else None}


def _attestation(answer: Any) -> dict[str, Any]:
    result, verdict = _mapping(answer), _verdict(answer)
    # A document that was judged is a verdict, also where the task fails because of it.
    if "verified" in result:
        if result["verified"]:
            verdict["verdict"] = "attested" if result.get("identity_bound") else "genuine"
        else:
            verdict["verdict"] = "no_document" if result.get("step") == "request" else "refused"
        verdict["reason"] = _text(result.get("reason")) or ""
    return verdict


def _route(answer: Any) -> dict[str, Any]:
    result, verdict = _mapping(answer), _verdict(answer)
    findings = _list(result.get("findings"))
    if verdict["verdict"] == "ok":
        faults = [item for item in findings if item.get("severity") in ("refusal", "error")]
        if faults:
            verdict["reason"] = _text(faults[0].get("code")) or ""
        verdict["verdict"] = "repairable" if result.get("plan") else "faulty" if faults else "ok"
    return {**verdict, "findings": [_text(item.get("message")) or "" for item in findings]}


def _verdict(answer: Any) -> dict[str, Any]:
    """How a task ended: ``not_asked``, ``unreachable``, ``failed``, ``unavailable`` (IMDS did not answer) or ``ok``."""
    failure = _failure(answer)
    if failure:
        return {"verdict": failure[0], "reason": failure[1]}
    result = _mapping(answer)
    if result.get("available") is False:
        return {"verdict": "unavailable", "reason": _text(result.get("reason")) or ""}
    return {"verdict": "ok", "reason": ""}
