# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network interfaces and disks of a Windows host, from what the host lists. Pure.

Twin of ``Guest`` in ``_ImdsGuest.cs`` and ``Nics`` in ``_ImdsDevices.cs``, in the place of ``_imds/guest.py``, which
reads the files of Linux.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.imds.azure.plugins.module_utils._imds.fields import NIC

from ._windows_disks import WindowsDisk, read, text, word

# How the drivers call their adapters, in lower case: a virtual function, and MANA, which may also be alone.
MANA = "microsoft azure network adapter"
VF = ("mellanox ", MANA)


class Adapter(NamedTuple):
    """name: the alias, as Get-NetAdapter shows it; mac: in any spelling; addresses: IPv4 and IPv6."""

    name: str
    mac: str
    up: bool
    addresses: Sequence[str]


class WindowsGuest:
    """What :mod:`_imds.guest` tells about a Linux host.

    :param default_address: the one that the IPv4 default route is used from, None without such a route
    :param rows: what _ImdsDevices.psm1 collects: by name, rows or a message
    """

    def __init__(self, adapters: Sequence[Adapter], default_address: str | None, rows: Any = None) -> None:
        self._adapters = adapters
        self._default_address = default_address
        self._rows: Mapping[str, Any] = rows if isinstance(rows, dict) else {}

    def nics(self) -> dict[str, dict[str, Any]]:
        """MAC address (lower case, colons) -> the keys of fields.NIC; the device is the alias.

        With accelerated networking two interfaces share a MAC address. The virtual function has no IP address, so the
        other one is meant.
        """
        found: dict[str, dict[str, Any]] = {}
        for adapter in sorted(self._adapters, key=lambda one: (not one.addresses, not one.up, one.name)):
            mac = _mac(adapter.mac)
            if mac and mac != "00:00:00:00:00:00" and mac not in found:
                found[mac] = self._nic(mac, adapter.name)
        return found

    def _nic(self, mac: str, device: str) -> dict[str, Any]:
        """An interface with its driver and its virtual function, as far as MSFT_NetAdapter tells."""
        given = self._rows.get("adapters")
        rows = [row for row in given if isinstance(row, dict)] if isinstance(given, list) else []
        # Hidden: the filters on top of an adapter, which share its address and the beginning of its description.
        rows = [row for row in rows if row.get("Hidden") is not True]
        own = next((row for row in rows if row.get("Name") == device), None)
        others = [row for row in rows if row.get("Name") != device and _mac(text(row, "PermanentAddress") or "") == mac]
        vf = min((row for row in others if _described(row).startswith(VF)), key=_first, default=None)
        nic: dict[str, Any] = {**dict.fromkeys(NIC), "device": device}
        if own:
            nic["driver"] = _driver(own)
            nic["accelerated"] = _described(own).startswith(MANA) or (vf is not None and _is_up(vf))
            nic["vf_device"] = text(vf, "Name") if vf else None
            nic["vf_driver"] = _driver(vf) if vf else None
        return nic

    def default_device(self) -> str | None:
        """The alias of the interface that has the default address."""
        return next((one.name for one in self._adapters if self._default_address in one.addresses), None)

    def disks(self, listed: Mapping[str, Any]) -> tuple[list[WindowsDisk], str | None]:
        """(the disks that Azure may have provided, the name of the one that Windows was started from).

        :param listed: the facts of what IMDS lists
        :raises UnreadableError: where the host doesn't show its disks
        """
        return read(self._rows.get("disks"), self._rows.get("partitions"), listed)


def _mac(value: str) -> str:
    digits = re.sub("[^0-9a-f]", "", value.lower())
    return ":".join(re.findall("..", digits)) if len(digits) == 12 else value


def _described(row: Mapping[str, Any]) -> str:
    return (text(row, "InterfaceDescription") or "").lower()


def _is_up(row: Mapping[str, Any]) -> bool:
    return word(row, "InterfaceOperationalStatus") in ("1", "up")


def _first(row: Mapping[str, Any]) -> tuple[bool, str]:
    """Sorts interfaces that are up before others."""
    return not _is_up(row), text(row, "Name") or ""


def _driver(row: Mapping[str, Any]) -> str | None:
    r"""\SystemRoot\System32\drivers\netvsc.sys -> netvsc."""
    file = (text(row, "DriverName") or "").lower().rpartition("\\")[2]
    return (file[: -len(".sys")] if file.endswith(".sys") else file) or None
