# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""NICs that carry nothing because they are down, with what helps. Pure."""

from __future__ import annotations

from .findings import Finding, finding
from .model import DISABLED, WINDOWS, Interface, State

_MOST = 4


def down_nics(state: State) -> list[Finding]:
    """One for each NIC of the machine that is down; software makes up local MAC addresses."""
    nics = [nic for nic in state.interfaces if nic.fault and nic.kind == "ethernet" and not nic.master]
    return [nic_down(state, nic) for nic in nics if nic.mac and not int(nic.mac[:2], 16) & 2][:_MOST]


def nic_down(state: State, nic: Interface) -> Finding:
    """What to say about a NIC that is down."""
    if nic.fault != DISABLED:
        how = f"Check in Azure that the NIC of {nic.name} is still attached to this VM."
    elif state.system == WINDOWS:
        how = f"Enable it: Enable-NetAdapter -Name '{nic.name}'."
    else:
        how = f"Bring it up: ip link set dev {nic.name} up. Then have it configured by DHCP, at boot too."
    return finding("nic_down", interface=nic.name, mac=nic.mac or "unknown", fault=nic.fault, how=how)
