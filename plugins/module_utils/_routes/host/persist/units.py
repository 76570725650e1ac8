# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which file or profile configures a NIC, according to the network stack itself.

systemd-networkd notes it in files under /run. NetworkManager is asked with nmcli, which needs D-Bus.
"""

from __future__ import annotations

from ..host import Host


def networkd_file(host: Host, nic: str) -> str:
    """Path of the .network file that systemd-networkd applies to a NIC; empty where it leaves the NIC alone.

    Its notes are in /run/systemd/netif/links, one file per interface index.
    """
    index = (host.read_text(f"/sys/class/net/{nic}/ifindex") or "").strip()
    if not index:
        return ""
    lines = (host.read_text(f"/run/systemd/netif/links/{index}") or "").splitlines()
    notes = dict(line.partition("=")[::2] for line in lines)
    return "" if notes.get("ADMIN_STATE") in (None, "unmanaged") else notes.get("NETWORK_FILE", "")


def networkmanager_profile(host: Host, nic: str) -> tuple[str, str]:
    """UUID and name of the NetworkManager profile that is active on a NIC; empty where there is none."""
    rc, out, _err = host.run(("nmcli", "-g", "DEVICE,UUID,NAME", "connection", "show", "--active"))
    if rc:
        return "", ""
    for line in out.splitlines():
        device, _colon, rest = line.partition(":")
        uuid, _colon, name = rest.partition(":")
        if device == nic:
            return uuid, name.replace("\\:", ":")
    return "", ""
