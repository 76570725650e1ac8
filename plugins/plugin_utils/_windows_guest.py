# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which interface of a Windows host has which MAC address, from what the host lists. Pure.

Twin of ``Guest`` in ``_ImdsGuest.cs``, in the place of ``_imds/guest.py``, which reads the files of Linux.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from ansible_collections.imds.azure.plugins.module_utils._imds.disks import UnreadableError
from ansible_collections.imds.azure.plugins.module_utils._imds.fields import NIC


class Adapter(NamedTuple):
    """name: the alias, as Get-NetAdapter shows it; mac: in any spelling; addresses: IPv4 and IPv6."""

    name: str
    mac: str
    up: bool
    addresses: Sequence[str]


class WindowsGuest:
    """What :mod:`_imds.guest` tells about a Linux host.

    :param default_address: the one that the IPv4 default route is used from, None without such a route
    """

    def __init__(self, adapters: Sequence[Adapter], default_address: str | None) -> None:
        self._adapters = adapters
        self._default_address = default_address

    def nics(self) -> dict[str, dict[str, Any]]:
        """MAC address (lower case, colons) -> the keys of fields.NIC, of which only the device, the alias, is known.

        With accelerated networking two interfaces share a MAC address. The virtual function has no IP address, so the
        other one is meant.
        """
        found: dict[str, dict[str, Any]] = {}
        for adapter in sorted(self._adapters, key=lambda one: (not one.addresses, not one.up, one.name)):
            digits = re.sub("[^0-9a-f]", "", adapter.mac.lower())
            mac = ":".join(re.findall("..", digits)) if len(digits) == 12 else adapter.mac
            if mac and mac != "00:00:00:00:00:00":
                found.setdefault(mac, {**dict.fromkeys(NIC), "device": adapter.name})
        return found

    def default_device(self) -> str | None:
        """The alias of the interface that has the default address."""
        return next((one.name for one in self._adapters if self._default_address in one.addresses), None)

    def disks(self) -> Any:
        """
        :raises UnreadableError: always
        """
        raise UnreadableError("unsupported_system", "Windows")
