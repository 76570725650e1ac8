# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""NetworkManager: the route among ``ipv4.routes`` of the profile that is active on the NIC (nm-settings-nmcli(5))."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ... import ipv4
from ..host import Host, HostError
from . import units

Row = Mapping[str, Any]


def manages(host: Host, nic: str) -> str:
    """The profile's UUID."""
    return units.networkmanager_profile(host, nic)[0]


def rows(host: Host, nic: str) -> list[dict[str, Any]]:
    """From the active profile of that NIC."""
    uuid = manages(host, nic)
    return [parse(entry, nic) for entry in _routes(host, uuid) if _is_ours(entry)] if uuid else []


def write(host: Host, row: Row) -> None:
    """Changes the profile; NetworkManager looks at it when the connection comes up next."""
    _set(host, row["dev"], [render(row)])


def remove(host: Host, nic: str) -> None:
    """Takes the route out of the profile again."""
    if nic:
        _set(host, nic, [])


def render(row: Row) -> str:
    """One entry of ``ipv4.routes``."""
    words = [str(row["dst"])]
    words += [str(row["gateway"])] if row.get("gateway") else []
    words += [str(row["metric"])] if row.get("metric") else []
    words += [f"src={row['prefsrc']}"] if row.get("prefsrc") else []
    words += ["onlink=true"] if "onlink" in row.get("flags", ()) else []
    return " ".join(words)


def parse(entry: str, nic: str) -> dict[str, Any]:
    """An entry as ``ip -j route`` has it: destination, next hop, metric, then attributes in any order."""
    words = entry.split()
    attributes = dict(word.partition("=")[::2] for word in words if "=" in word)
    plain = [word for word in words[1:] if "=" not in word]
    gateway = next((word for word in plain if ipv4.is_ipv4(word)), "")
    metric = next((int(word) for word in plain if word.isdecimal()), 0)
    row: dict[str, Any] = {"dst": words[0], "dev": nic}
    row.update({"gateway": gateway} if gateway not in ("", "0.0.0.0") else {"scope": "link"})
    row.update({"metric": metric} if metric else {})
    row.update({"prefsrc": attributes["src"]} if "src" in attributes else {})
    row.update({"flags": ["onlink"]} if attributes.get("onlink") == "true" else {})
    return row


def _routes(host: Host, uuid: str) -> list[str]:
    out = host.command("nmcli", "--escape", "no", "-g", "ipv4.routes", "connection", "show", "uuid", uuid)
    # Entries are apart by commas, in some versions by "; ".
    return [entry.strip() for entry in out.replace(";", ",").split(",") if entry.strip()]


def _is_ours(entry: str) -> bool:
    return entry.split()[0] in (ipv4.IMDS_PREFIX, ipv4.IMDS)


def _set(host: Host, nic: str, wanted: list[str]) -> None:
    uuid = manages(host, nic)
    if not uuid:
        raise HostError(f"NetworkManager has no active profile on {nic}")
    routes = [entry for entry in _routes(host, uuid) if not _is_ours(entry)] + wanted
    host.command("nmcli", "connection", "modify", "uuid", uuid, "ipv4.routes", ", ".join(routes))
