# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""netplan: a file of our own that adds the route to the definition which cloud-init's file makes.

netplan merges files key by key and appends to lists, so cloud-init's file, which is written anew, stays as it is. Our
file is tried in a copy of the configuration first: one that netplan refuses would leave the host without a network.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from typing import Any, Optional

from ..host import Host, HostError
from . import own_file, units

Row = Mapping[str, Any]

_PATH = "/etc/netplan/90-imds-azure-route.yaml"
# One place, cleared before and after, so that nothing piles up where a run is killed.
_TRIAL = "/var/lib/imds.azure/netplan-trial"
_SOURCES = ("/lib/netplan", "/etc/netplan", "/run/netplan")
_UNIT = "10-netplan-"


def manages(host: Host, nic: str) -> str:
    """The definition's name, which netplan puts into the names of the files that it generates."""
    file = os.path.basename(units.networkd_file(host, nic))
    if file.startswith(_UNIT) and file.endswith(".network"):
        return file[len(_UNIT) : -len(".network")]
    if not host.exists("/etc/netplan"):
        return ""
    _uuid, name = units.networkmanager_profile(host, nic)
    return name[len("netplan-") :] if name.startswith("netplan-") else ""


def rows(host: Host, _nic: str) -> list[dict[str, Any]]:
    """From our file."""
    row = own_file.row_of(host, _PATH, lambda row: render(row, manages(host, str(row["dev"]))))
    return [row] if row else []


def write(host: Host, row: Row) -> None:
    """Tries the file, puts it in place, and has the stacks' own files generated for the next start."""
    definition = manages(host, row["dev"])
    if not definition:
        raise HostError(f"netplan does not configure {row['dev']}")
    content = render(row, definition)
    _try(host, content)
    before = host.read_text(_PATH)
    host.write(_PATH, content, 0o600)
    _generate(host, before)


def remove(host: Host, _nic: str) -> None:
    """Removes our file."""
    before = host.read_text(_PATH)
    host.remove(_PATH)
    if before is not None:
        _generate(host, before)


def render(row: Row, definition: str) -> str:
    """The file's text. JSON is YAML, and quotes whatever a name may hold."""
    route: dict[str, Any] = {"to": row["dst"]}
    if row.get("gateway"):
        route["via"] = row["gateway"]
        route.update({"on-link": True} if "onlink" in row.get("flags", ()) else {})
    else:
        route["scope"] = "link"
    route.update({"from": row["prefsrc"]} if row.get("prefsrc") else {})
    route.update({"metric": row["metric"]} if row.get("metric") else {})
    lines = [
        "network:",
        "  version: 2",
        "  ethernets:",
        f"    {json.dumps(definition)}:",
        "      routes:",
        f"        - {json.dumps(route)}",
    ]
    return own_file.head(row) + "\n".join([*lines, ""])


def _try(host: Host, content: str) -> None:
    """Generate from a copy of all files with ours among them."""
    root = host.root + _TRIAL
    shutil.rmtree(root, ignore_errors=True)
    try:
        for directory in _SOURCES:
            if host.exists(directory):
                shutil.copytree(host.root + directory, root + directory)
        copy = Host(host.run, root)
        copy.write(_PATH, content, 0o600)
        host.command("netplan", "generate", "--root-dir", root)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _generate(host: Host, before: Optional[str]) -> None:
    """Not ``netplan apply``, which would restart what carries the connection."""
    try:
        host.command("netplan", "generate", *(("--root-dir", host.root) if host.root else ()))
    except HostError:
        if before is None:
            host.remove(_PATH)
        else:
            host.write(_PATH, before, 0o600)
        raise
