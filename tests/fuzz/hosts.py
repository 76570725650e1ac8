# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What hosts print in one remote command, the firmware of Windows hosts, and a fleet's answers in the report."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterator
from typing import Any

from ansible_collections.imds.azure.plugins.module_utils._imds.options import Settings
from ansible_collections.imds.azure.plugins.plugin_utils import _fleet, _one_command, _one_command_windows, _smbios
from ansible_collections.imds.azure.plugins.plugin_utils._declined import DeclinedError
from ansible_collections.imds.azure.tests.scenarios import windows_disks
from ansible_collections.imds.azure.tests.scenarios.imds.documents import DOCUMENTS
from ansible_collections.imds.azure.tests.windows import firmware

from .metadata import assert_typed
from .target import Target, as_json, assert_plain, from_json

_MARK = "imds-0123456789abcdef:"
_TARGET = "/metadata/instance?api-version=2025-04-07"


def one_command(data: bytes) -> None:
    """What a Linux host prints: an outcome, or a DeclinedError."""
    with contextlib.suppress(DeclinedError):
        outcome = _one_command.read(data.decode("utf-8", "surrogateescape"), _MARK)
        assert isinstance(outcome.result, dict)
        assert all(isinstance(warning, str) for warning in outcome.warnings)


def one_command_windows(data: bytes) -> None:
    """What a Windows host prints: facts with their types, or a DeclinedError."""
    text = data.decode("utf-8", "surrogateescape").replace("MARK", _MARK)
    for chosen in (Settings(), Settings(detect="force", include_user_data=True)):
        with contextlib.suppress(DeclinedError):
            fact, warnings = _one_command_windows.judged(_one_command_windows.read(text, _MARK), chosen, _TARGET)
            assert_plain(warnings)
            assert_typed(fact)
            json.dumps(fact, allow_nan=False)


def windows_host(data: bytes) -> None:
    """The same, from its parts: body of the answer of IMDS and rows of CIM are plain, so that they get changed too."""
    given = from_json(data)
    if isinstance(given, dict):
        body = as_json(given.get("body"))
        response = b"HTTP/1.1 200 OK\r\nServer: IMDS/1\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        packed = {"rows": json.dumps(given.get("rows")), "response": base64.b64encode(response).decode()}
        one_command_windows(b"MARK%bMARK" % json.dumps({**given, **packed, "body": None}).encode())


def smbios(data: bytes) -> None:
    """A raw SMBIOS table: structures up to the first that is cut off."""
    structures = list(_smbios.structures(data))
    assert sum(len(one.formatted) for one in structures) <= len(data)
    tag, uuid = _smbios.chassis_asset_tag(data), _smbios.system_uuid(data)
    assert tag is None or len(tag) <= 256
    assert uuid is None or len(uuid) == 16


def fleet(data: bytes) -> None:
    """Results of a host's tasks: its entry in the report, and its line in the CSV file."""
    given = from_json(data)
    if not isinstance(given, dict):
        return
    entry = _fleet.entry("host", given)
    json.dumps(entry)
    lines = _fleet.as_csv([entry])
    assert lines.startswith(_fleet.COLUMNS[0])


def _printed() -> Iterator[bytes]:
    result = {"ansible_facts": {"azure_imds": {"available": True, "name": "web-1"}}}
    yield f"Welcome\n{_MARK}".encode() + as_json({"result": result, "warnings": ["w"], "failure": None}) + b"\n"
    yield _MARK.encode() + as_json({"declined": "Python is too old"})


_ADAPTER = {"name": "Ethernet", "mac": "000D3A000001", "up": True, "addresses": ["fe80::1%5", "10.1.0.4"]}
_TOLD: dict[str, Any] = {
    "elapsed": 12,
    "firmware": base64.b64encode(firmware.AZURE).decode(),
    "adapters": [_ADAPTER],
    "default_address": "10.1.0.4",
    "local_address": "10.1.0.4",
}


def _printed_by_windows() -> Iterator[bytes]:
    body = as_json(DOCUMENTS["2025-04-07"])
    response = b"HTTP/1.1 200 OK\r\nServer: IMDS/1\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    for host in list(windows_disks.HOSTS.values())[::9]:
        rows = windows_disks.report(host, [windows_disks.NETVSC, windows_disks.MLX5])
        told = {**_TOLD, "rows": rows, "response": base64.b64encode(response).decode()}
        yield b"MARK" + as_json(told) + b"MARK\r\n"
    yield b"MARK1MARK"


def _windows_hosts() -> Iterator[bytes]:
    for host in windows_disks.HOSTS.values():
        rows = windows_disks.rows(host, [windows_disks.NETVSC, windows_disks.MLX5, windows_disks.FILTER])
        yield as_json({**_TOLD, "body": {"compute": {"storageProfile": host.listed}, "network": {}}, "rows": rows})


def _firmware() -> Iterator[bytes]:
    yield firmware.AZURE
    yield firmware.table(firmware.LONG, firmware.enclosure(b"", 9), firmware.system(b"\xff" * 16, 8))


def _results() -> Iterator[bytes]:
    disk = {"lun": 0, "name": "d", "disk_size_gb": 32, "device": {"path": "/dev/sdc", "mounts": [{"path": "/a"}]}}
    facts = {
        "available": True,
        "reason": "ok",
        "name": "=web",
        "image": {"publisher": "p", "offer": "o", "sku": "s", "version": "v"},
        "tags": {"a": "b"},
        "storage": {"os_disk": disk, "data_disks": [disk], "resource_disk": {}, "local_disks": [disk]},
        "network": {"interfaces": [{"private_ip_addresses": ["10.0.0.4"], "public_ip_addresses": []}]},
    }
    event = {"event_id": "e", "event_type": "Reboot", "event_status": "Scheduled", "not_before": None, "mine": True}
    finding = {"code": "captured_by_apipa", "severity": "error", "message": "m"}
    yield as_json(
        {
            "facts": {"ansible_facts": {"azure_imds": facts}},
            "events": {"available": True, "events": [event, {**event, "event_status": "Started"}]},
            "attestation": {"verified": True, "identity_bound": False, "reason": "ok"},
            "route": {"findings": [finding], "plan": [{}]},
        }
    )
    yield as_json({"facts": {"failed": True, "msg": "m"}, "events": {"skipped": True}, "route": {"unreachable": True}})


_WORDS = (
    _MARK.encode(),
    *b"MARK result warnings failure declined rows disks partitions Number Path FriendlyName Location".split(),
    *b"BusType Size IsBoot DriveLetter DiskNumber adapters facts events attestation route storage network".split(),
    *b"interfaces device response firmware local_address elapsed".split(),
    b"Msft Virtual Disk",
    b"Integrated : Adapter 1 : Port 0 : Target 0 : LUN 1",
)

TARGETS = (
    Target("one_command", "what a Linux host prints in one remote command", one_command, _printed, _WORDS),
    Target(
        "one_command_windows",
        "what a Windows host prints in one remote command",
        one_command_windows,
        _printed_by_windows,
        _WORDS,
        32 * 1024,
    ),
    Target(
        "windows_host",
        "disks, adapters and metadata of a Windows host",
        windows_host,
        _windows_hosts,
        _WORDS,
        32 * 1024,
    ),
    Target(
        "smbios",
        "the firmware table of a Windows host",
        smbios,
        _firmware,
        (b"\x01\x1b", b"\x03\x16", b"\x7f\x04", b"\x00\x00"),
    ),
    Target("fleet", "answers of hosts in the fleet report", fleet, _results, _WORDS),
)
