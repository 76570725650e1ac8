# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the guest itself knows about its network and disks. Read from Linux's own files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .disks import Disk

_NET = "/sys/class/net"
_PROC = "/proc/net"
# IFF_SLAVE of linux/if.h
_SLAVE = 0x800


def nics(root: str = "") -> dict[str, dict[str, object]]:
    """MAC address (lower case, colons) -> the keys of fields.NIC.

    With accelerated networking two interfaces share a MAC address: the synthetic one, which bears the addresses, and
    the virtual function (VF) that works for it. MANA may also be alone and then bears the addresses itself. A VLAN or
    bridge on top shares the address too, and has no device behind it.

    :param root: the directory that /sys is in
    """
    net = root + _NET
    shared: dict[str, list[str]] = {}
    for name in _list(net):
        mac = _read_file(f"{net}/{name}/address").strip()
        if mac and mac != "00:00:00:00:00:00":
            shared.setdefault(mac, []).append(name)
    found: dict[str, dict[str, object]] = {}
    for mac, names in shared.items():
        drivers = {name: _driver(f"{net}/{name}/device/driver") for name in names}
        # Of interfaces that share an address, a bond's VF has a master or at least the flag that says so.
        slaves = {name: len(names) > 1 and _is_slave(f"{net}/{name}") for name in names}
        names.sort(
            key=lambda name: (
                drivers[name] != "hv_netvsc",
                drivers[name] != "mana",
                slaves[name],
                not os.path.exists(f"{net}/{name}/device"),
                name,
            )
        )
        device = names[0]
        vf = next((name for name in names[1:] if drivers[name] and drivers[name] != "hv_netvsc"), None)
        found[mac] = {
            "device": device,
            "driver": drivers[device],
            "accelerated": drivers[device] == "mana" or (vf is not None and slaves[vf]),
            "vf_device": vf,
            "vf_driver": drivers[vf] if vf else None,
        }
    return found


def disks(_listed: object = None) -> tuple[list[Disk], str | None]:
    """(the disks that Azure may have provided, the name of the device that holds / where that can be told).

    :param _listed: the facts of what IMDS lists, which only other systems' rules need
    :raises UnreadableError: where the guest doesn't show its disks
    """
    from . import block_devices  # what only wants addresses needs none of it

    return block_devices.read()


def default_device() -> str | None:
    """The interface of the IPv4 default route with the lowest metric."""
    best: tuple[int, str] | None = None
    for line in _read_file(f"{_PROC}/route").splitlines()[1:]:
        columns = line.split()
        if len(columns) > 7 and columns[1] == "00000000" and columns[7] == "00000000":
            route = (int(columns[6]), columns[0])
            best = min(best, route) if best else route
    return best[1] if best else None


def addresses() -> list[str]:
    """The host's own IPv4 addresses except loopback, in the kernel's order."""
    found: list[str] = []
    address = ""
    for line in _read_file(f"{_PROC}/fib_trie").splitlines():
        words = line.split()
        if words[:1] == ["|--"]:
            address = words[1]
        elif words == ["/32", "host", "LOCAL"] and not address.startswith("127.") and address not in found:
            found.append(address)
    return found


def _driver(link: str) -> str | None:
    try:
        return os.path.basename(os.readlink(link))
    except OSError:
        return None


def _is_slave(folder: str) -> bool:
    if os.path.exists(f"{folder}/master"):
        return True
    flags = _read_file(f"{folder}/flags").strip()
    return flags.startswith("0x") and bool(int(flags, 16) & _SLAVE)


def _list(directory: str) -> list[str]:
    try:
        return sorted(os.listdir(directory))
    except OSError:
        return []


def _read_file(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
