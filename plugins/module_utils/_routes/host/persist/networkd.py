# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""systemd-networkd: a drop-in for the .network file that configures the NIC (systemd.network(5), section [Route])."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from ..host import Host, HostError
from . import own_file, units

Row = Mapping[str, Any]

_DIRECTORY = "/etc/systemd/network"
_NAME = "90-imds-azure-route.conf"


def manages(host: Host, nic: str) -> str:
    """The .network file."""
    return units.networkd_file(host, nic)


def rows(host: Host, _nic: str) -> list[dict[str, Any]]:
    """From all drop-ins of ours, also those of another NIC's file."""
    rows = (own_file.row_of(host, path, render) for path in _files(host))
    return [row for row in rows if row]


def write(host: Host, row: Row) -> None:
    """Writes the one drop-in, then removes others."""
    file = manages(host, row["dev"])
    if not file:
        raise HostError(f"systemd-networkd does not configure {row['dev']}")
    path = f"{_DIRECTORY}/{posixpath.basename(file)}.d/{_NAME}"
    host.write(path, render(row), 0o644)
    _remove(host, keep=path)


def remove(host: Host, _nic: str) -> None:
    """Removes all drop-ins of ours."""
    _remove(host)


def render(row: Row) -> str:
    """The drop-in's text."""
    lines = [f"Destination={row['dst']}"]
    if row.get("gateway"):
        lines += [f"Gateway={row['gateway']}"]
        lines += ["GatewayOnLink=yes"] if "onlink" in row.get("flags", ()) else []
    else:
        lines += ["Scope=link"]
    lines += [f"PreferredSource={row['prefsrc']}"] if row.get("prefsrc") else []
    lines += [f"Metric={row['metric']}"] if row.get("metric") else []
    return own_file.head(row) + "\n".join(["[Route]", *lines, ""])


def _files(host: Host) -> Iterator[str]:
    for name in host.names(_DIRECTORY):
        path = f"{_DIRECTORY}/{name}/{_NAME}"
        if name.endswith(".network.d") and host.exists(path):
            yield path


def _remove(host: Host, keep: str = "") -> None:
    for path in list(_files(host)):
        if path != keep:
            host.remove(path)
