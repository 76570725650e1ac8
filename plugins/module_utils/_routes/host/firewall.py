# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of the host's firewall that name IMDS: evidence where routes lead to it and it is silent all the same."""

from __future__ import annotations

from .. import ipv4
from .host import Host

_COMMANDS = (("nft", "list", "ruleset"), ("iptables-save",))
_VERBS = ("drop", "reject", "dnat", "redirect", "tproxy", "return", "queue")
_MOST_LINES = 20


def firewall_lines(host: Host) -> list[str]:
    """Rules that drop, reject or redirect what goes to 169.254.169.254, as the tools print them, each with its tool."""
    found = []
    for command in _COMMANDS:
        rc, out, _err = host.run(command)
        lines = out.splitlines() if rc == 0 else []
        found += [f"{command[0]}: {' '.join(line.split())[:200]}" for line in lines if _names_imds(line)]
    return found[:_MOST_LINES]


def _names_imds(line: str) -> bool:
    words = line.lower()
    prefixes = (ipv4.IMDS, "169.254.0.0/16", "169.254.169.0/24")
    return any(prefix in words for prefix in prefixes) and any(verb in words for verb in _VERBS)
