# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one request to IMDS came to, and whether it proves a route. Pure."""

from __future__ import annotations

from typing import NamedTuple


class ImdsReply(NamedTuple):
    """``outcome``: ``ok``, ``busy`` (410, 429, 5xx), ``foreign`` (something else than IMDS answered) or a kind of
    `_imds.transport.TransportError`. ``local_address``: where the answer was received, empty without a connection.
    ``interfaces``: MAC address and IPv4 addresses of each interface that IMDS knows, the primary one first.
    """

    outcome: str
    detail: str
    local_address: str = ""
    interfaces: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def judge(self, address: str, mac: str) -> str:
        """Why this is no proof for the NIC of that address and MAC; empty where it is one."""
        if self.outcome not in ("ok", "busy"):
            return self.detail
        if address and self.local_address != address:
            return f"IMDS answered {self.local_address}, not the primary address {address}"
        if self.outcome == "ok" and mac and mac not in (known for known, _addresses in self.interfaces):
            return f"IMDS does not know the NIC {mac}: another machine's metadata?"
        return ""
