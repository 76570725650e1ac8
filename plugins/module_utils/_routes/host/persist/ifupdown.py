# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ifupdown: a script that runs whenever an interface comes up (interfaces(5)).

Not a stanza in interfaces.d: cloud-init and Azure's helper write the NIC's stanza anew.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from ..host import Host, HostError
from . import own_file

Row = Mapping[str, Any]

# run-parts skips names with a dot.
_PATH = "/etc/network/if-up.d/imds-azure-route"
_INTERFACES = "/etc/network/interfaces"
_DIRECTORIES = ("/etc/network/interfaces.d", "/run/network/interfaces.d")


def manages(host: Host, nic: str) -> str:
    """The file with the NIC's stanza."""
    if not host.exists("/etc/network/if-up.d"):
        return ""
    for path in _stanza_files(host):
        lines = (line.split() for line in (host.read_text(path) or "").splitlines())
        if any(words[:2] == ["iface", nic] for words in lines):
            return path
    return ""


def rows(host: Host, _nic: str) -> list[dict[str, Any]]:
    """From our script."""
    row = own_file.row_of(host, _PATH, render)
    return [row] if row else []


def write(host: Host, row: Row) -> None:
    """Puts the script in place."""
    if not manages(host, row["dev"]):
        raise HostError(f"ifupdown does not configure {row['dev']}")
    host.write(_PATH, render(row), 0o755)


def remove(host: Host, _nic: str) -> None:
    """Removes the script."""
    host.remove(_PATH)


def render(row: Row) -> str:
    """The script's text."""
    words = ["ip", "route", "replace", row["dst"]]
    words += ["via", row["gateway"]] if row.get("gateway") else []
    words += ["dev", row["dev"], "proto", "static"]
    words += ["src", row["prefsrc"]] if row.get("prefsrc") else []
    words += ["metric", str(row["metric"])] if row.get("metric") else []
    words += ["onlink"] if "onlink" in row.get("flags", ()) else []
    lines = [
        f'[ "$IFACE" = {shlex.quote(row["dev"])} ] || exit 0',
        # It also runs for IPv6, and for the interface as a whole.
        '[ "${ADDRFAM:-inet}" = inet ] || exit 0',
        " ".join(shlex.quote(str(word)) for word in words),
    ]
    return "#!/bin/sh\n" + own_file.head(row) + "\n".join([*lines, ""])


def _stanza_files(host: Host) -> Iterator[str]:
    yield _INTERFACES
    for directory in _DIRECTORIES:
        for name in host.names(directory):
            yield f"{directory}/{name}"
