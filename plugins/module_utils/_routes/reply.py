# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one request to IMDS came to, and what it proves. Pure; the same terms for Linux and Windows.

A reply travels as a dictionary of the fields of `ImdsReply`, interfaces as ``[mac, [address, ..]]``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Optional

from ansible_collections.imds.azure.plugins.module_utils._imds.primary import answered_interface

from . import ipv4
from .options import normalize_mac

# Where the guest proxy agent of the Metadata Security Protocol listens; the kernel redirects connections to it.
AGENT = "127.0.0.1:3080"

# IMDS itself answered, so the way there works: ok, with the interfaces of a VM; busy, its own 404,
# 408, 410, 429 or 5xx; forbidden, its own 401 or 403.
ANSWERS = ("ok", "busy", "forbidden")


class ImdsReply(NamedTuple):
    """``outcome``: one of `ANSWERS`, ``agent_refused`` (the guest proxy agent bars this program), ``agent_failed`` (it
    could not reach IMDS itself), ``foreign`` (something other than this VM's IMDS answered), ``redirected`` (by the
    host, to something other than the agent) or a kind of `_imds.transport.TransportError`.

    ``local_address``: where the answer was received, empty without a connection. ``peer``: ``IP:port`` that the
    connection really leads to, empty where unknown. ``interfaces``: MAC address and IPv4 addresses of each interface
    that IMDS knows; their order means nothing. ``same_machine``: whether the vmId of IMDS is that of the firmware,
    ``None`` where nobody looked or could.
    """

    outcome: str
    detail: str = ""
    local_address: str = ""
    interfaces: tuple[tuple[str, tuple[str, ...]], ...] = ()
    peer: str = ""
    same_machine: Optional[bool] = None

    @property
    def via_agent(self) -> bool:
        """The guest proxy agent stood in between, which says nothing about routes and NICs."""
        return self.peer == AGENT or self.outcome == "agent_refused"

    @property
    def direct(self) -> bool:
        """IMDS itself answered this address."""
        own = self.local_address == ipv4.IMDS
        return self.outcome in ANSWERS and not self.via_agent and not own

    @property
    def served(self) -> bool:
        """A program of this host that asks as usual is answered by IMDS, directly or through the agent."""
        return self.direct or (self.via_agent and self.outcome in ANSWERS)

    def judge(self, address: str, mac: str) -> str:
        """Why this is no proof that the NIC of that address and MAC is served; empty where it is one."""
        known = not mac or mac in (one for one, _addresses in self.interfaces)
        if self.outcome not in ANSWERS:
            return self.detail
        if self.local_address == ipv4.IMDS and self.outcome == "ok":
            return "the host itself answers as IMDS"
        if self.via_agent:
            if self.outcome == "ok" and (known or self.same_machine):
                return ""
            return f"{self.detail} through the guest proxy agent, which does not tell whether this VM is meant"
        if address and self.local_address != address:
            return f"IMDS answered {self.local_address}, not the primary address {address}"
        if self.outcome != "ok" or known or self.same_machine:
            return ""
        listed = answered_interface([addresses for _mac, addresses in self.interfaces], self.local_address)
        if self.same_machine is None and listed is not None:
            return ""
        return f"IMDS does not know the NIC {mac}: another machine's metadata?"

    @property
    def undecided(self) -> bool:
        """Neither a proof nor a failure: the agent let nothing through that names the VM."""
        return self.outcome == "agent_refused" or (self.via_agent and self.outcome in ("busy", "forbidden"))


def as_plain(reply: ImdsReply) -> dict[str, Any]:
    """The reply as it travels."""
    return {**reply._asdict(), "interfaces": [[mac, list(addresses)] for mac, addresses in reply.interfaces]}


def parse_reply(given: Mapping[str, Any]) -> ImdsReply:
    """A reply that travelled.

    :raises ValueError, TypeError: where it is none
    """
    same = given.get("same_machine")
    return ImdsReply(
        outcome=str(given["outcome"]),
        detail=str(given.get("detail") or "")[:1000],
        local_address=str(given.get("local_address") or ""),
        interfaces=tuple(
            (normalize_mac(mac), tuple(str(address) for address in addresses))
            for mac, addresses in given.get("interfaces") or ()
        ),
        peer=str(given.get("peer") or ""),
        same_machine=same if isinstance(same, bool) else None,
    )
