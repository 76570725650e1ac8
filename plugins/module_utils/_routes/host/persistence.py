# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host route's persistent form, kept by whichever network stack configures the NIC.

Each stack is a module of ``persist`` with four functions. ``manages(host, nic)``: evidence that the stack configures
that NIC, empty text where there is none. ``rows(host, nic)``: the rows of our own form, as ``ip -j route`` has them.
``write(host, row)``: keep exactly this row; ``remove(host, nic)``: keep none. The last two raise HostError and then
have changed nothing. No stack is told to reload: the running route is set apart, and a reload could cut the connection.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any, Optional

from ..options import NO_PERSISTENCE, PERSISTENCE_STACKS
from .host import Host, HostError
from .persist import ifupdown, netplan, networkd, networkmanager

STACKS: Mapping[str, ModuleType] = dict(zip(PERSISTENCE_STACKS, (netplan, networkd, networkmanager, ifupdown)))

Row = Mapping[str, Any]


def find(host: Host, nic: str, wanted: str = "auto") -> str:
    """The name of the stack that configures a NIC, ``none`` where nobody does.

    :raises HostError: where the one that is wanted does not
    """
    if wanted == NO_PERSISTENCE:
        return NO_PERSISTENCE
    if wanted != "auto":
        if not STACKS[wanted].manages(host, nic):
            raise HostError(
                f"persistence_backend: {wanted} does not configure {nic} here. Use auto, or none for a running route."
            )
        return wanted
    return next((name for name, stack in STACKS.items() if stack.manages(host, nic)), NO_PERSISTENCE)


def stored_rows(host: Host, backend: str, nic: str) -> Optional[list[dict[str, Any]]]:
    """The rows that come back after a reboot; ``None`` where nobody keeps any."""
    return None if backend == NO_PERSISTENCE else list(STACKS[backend].rows(host, nic))


def write(host: Host, backend: str, row: Row) -> None:
    """Keep this row."""
    _stack(backend).write(host, row)


def remove(host: Host, backend: str, row: Optional[Row] = None) -> None:
    """Keep none."""
    _stack(backend).remove(host, str((row or {}).get("dev") or ""))


def _stack(backend: str) -> ModuleType:
    if backend not in STACKS:
        raise HostError(f"no network stack keeps routes here: {backend or 'none was found'}")
    return STACKS[backend]
