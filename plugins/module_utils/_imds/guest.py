# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the guest itself knows about its network. Read from Linux's own files; empty on other systems."""

from __future__ import annotations

import os

_NET = "/sys/class/net"
_PROC = "/proc/net"


def devices() -> dict[str, str]:
    """MAC address (lower case, colons) -> interface name.

    With accelerated networking two interfaces share a MAC: the one that has a master is the hardware side and bears no
    address, so the other is meant. A VLAN or bridge on top shares it too, and has no device behind it.
    """
    found: dict[str, tuple[tuple[bool, bool, str], str]] = {}
    for name in _list(_NET):
        mac = _read_file(f"{_NET}/{name}/address").strip()
        if not mac or mac == "00:00:00:00:00:00":
            continue
        rank = (os.path.exists(f"{_NET}/{name}/master"), not os.path.exists(f"{_NET}/{name}/device"), name)
        if mac not in found or rank < found[mac][0]:
            found[mac] = (rank, name)
    return {mac: name for mac, (_rank, name) in found.items()}


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
