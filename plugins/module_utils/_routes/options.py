# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the route fix that say what is desired, checked. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Optional

from .ipv4 import is_ipv4

STATES = ("query", "present", "absent")
NEXT_HOPS = ("auto", "on_link", "gateway")
# The network stacks that may keep a route; where several have evidence, the first one tells the others what to do.
PERSISTENCE_STACKS = ("netplan", "networkd", "networkmanager", "ifupdown")
NO_PERSISTENCE = "none"


class RouteOptions(NamedTuple):
    """``interface`` is a name or, on Windows, also an index. ``remove_conflicting``: ``None`` removes static rows that
    contradict and can be told to be nobody else's, true also rows of VPNs and agents, false nothing.
    """

    state: str = "present"
    interface: str = ""
    mac_address: str = ""
    primary_ip: str = ""
    next_hop: str = "auto"
    persistent: bool = True
    remove_conflicting: Optional[bool] = None
    fix_source: bool = False
    force: bool = False
    verify: bool = True


DEFAULT = RouteOptions()


def parse_options(given: Mapping[str, object]) -> RouteOptions:
    """The module's options (absent or null means default). ValueError names the option and what it takes."""
    values = {name: given[name] for name in RouteOptions._fields if given.get(name) is not None}
    options = RouteOptions(**values)  # type: ignore[arg-type]
    if options.state not in STATES:
        raise ValueError(f"state must be one of {', '.join(STATES)}, not {options.state!r}")
    if options.primary_ip and not is_ipv4(options.primary_ip):
        raise ValueError(f"primary_ip must be an IPv4 address, not {options.primary_ip!r}")
    if options.next_hop not in NEXT_HOPS and not is_ipv4(options.next_hop):
        raise ValueError(f"next_hop must be auto, on_link, gateway or an IPv4 address, not {options.next_hop!r}")
    mac = normalize_mac(options.mac_address)
    if options.mac_address and not mac:
        raise ValueError(f"mac_address must be six bytes in hexadecimal, not {options.mac_address!r}")
    return options._replace(mac_address=mac)


def normalize_mac(value: object) -> str:
    """``00-0D-3A-..``, ``000D3A..`` and ``00:0d:3a:..`` as ``00:0d:3a:..``; empty for what is no MAC address."""
    digits = str(value or "").replace("-", "").replace(":", "").replace(".", "").lower()
    if len(digits) != 12 or any(digit not in "0123456789abcdef" for digit in digits):
        return ""
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))
