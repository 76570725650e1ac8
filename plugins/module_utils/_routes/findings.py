# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything the route fix can say: one table of codes with severity, message and remedy.

``error``: IMDS can't be reached as it should be. ``warning``: it works, but something is wrong or will break.
``refusal``: why a repair is not attempted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Finding(NamedTuple):
    """One statement about a host. ``evidence`` holds the rows it rests on, as plain dictionaries."""

    code: str
    severity: str
    message: str
    evidence: tuple[Mapping[str, object], ...]
    remedy: str

    def as_dict(self) -> dict[str, object]:
        """Plain form for a module's result."""
        return {**self._asdict(), "evidence": [dict(row) for row in self.evidence]}


_REPAIR = "Run azure_imds_route_fix with state: present."
_NAME_IT = "Name the NIC with interface or mac_address, and its address with primary_ip."

# code -> (severity, message, remedy); words in braces are filled in by the caller.
TABLE: Mapping[str, tuple[str, str, str]] = {
    # --- findings ---
    "ok": ("ok", "169.254.169.254 has its own route over the primary NIC {interface}.", ""),
    "ok_via_default": (
        "warning",
        "169.254.169.254 leaves by the primary NIC {interface}, but only by {prefix}: any narrower route captures it.",
        _REPAIR,
    ),
    "captured_by_cluster_adapter": (
        "error",
        "The failover cluster's adapter {interface} captures 169.254.169.254 with its route {prefix}.{cause}",
        "Add 169.254.169.254/32 on the primary NIC {primary} (state: present), or configure that NIC by DHCP again. "
        "Leave the cluster adapter, its address and its route alone: they carry the cluster's heartbeats.",
    ),
    "captured_by_apipa": (
        "error",
        "The link-local route {prefix} on {interface} captures 169.254.169.254.{cause}",
        "Add 169.254.169.254/32 on the primary NIC {primary} (state: present), or configure that NIC by DHCP again.",
    ),
    "captured_by_vpn": (
        "error",
        "The tunnel {interface} captures 169.254.169.254 with its route {prefix}.",
        "Exclude 169.254.169.254/32 and 168.63.129.16/32 from the tunnel; a narrower route on the primary NIC wins "
        "unless a policy rule or the tunnel's own host route comes first.",
    ),
    "captured_by_other_interface": (
        "error",
        "The route {prefix} sends 169.254.169.254 out of {interface}, which is not the primary NIC {primary}.",
        _REPAIR,
    ),
    "host_route_wrong_interface": (
        "error",
        "The host route to 169.254.169.254 is bound to {interface}, not to the primary NIC {primary}.",
        _REPAIR,
    ),
    "host_route_bad_next_hop": (
        "error",
        "The host route to 169.254.169.254 on {interface} has the next hop {next_hop}, which {fault}.",
        _REPAIR,
    ),
    "duplicate_host_routes": (
        "warning",
        "There are several routes to 169.254.169.254/32 and they contradict each other; only metrics decide.",
        "Keep the one on the primary NIC; state: present removes those that are static.",
    ),
    "orphaned_persistent_route": (
        "warning",
        "A persistent route to 169.254.169.254 belongs to an interface that is gone (index {index}).",
        _REPAIR,
    ),
    "stale_persistent_route": (
        "warning",
        "A persistent route to 169.254.169.254 ({interface}, next hop {next_hop}) does not fit the primary NIC.",
        _REPAIR,
    ),
    "leftover_registry_route": (
        "warning",
        "The registry's PersistentRoutes key holds a route to 169.254.169.254 that the persistent store does not show.",
        "Remove the value from Tcpip\\Parameters\\PersistentRoutes by hand if it is not wanted.",
    ),
    "blocked_by_unreachable_route": (
        "error",
        "A route of type {kind} ({prefix}) blocks 169.254.169.254.",
        "Find out who blocks it and why; state: present puts a host route over the primary NIC in its way.",
    ),
    "policy_rule_override": (
        "error",
        "Policy rule {priority} decides about 169.254.169.254 before the main table: {outcome}.",
        "Change that rule, or add one before it: to 169.254.169.254 lookup main.",
    ),
    "unknown_rule_selector": (
        "warning",
        "Policy rule {priority} selects by {selectors}, which can't be evaluated from outside a connection.",
        "Check with: ip route get 169.254.169.254. Rules are never changed.",
    ),
    "imds_address_is_local": (
        "error",
        "169.254.169.254 is an address of this host: a metadata proxy or an emulator answers in Azure's place.",
        "Remove the address or stop the proxy if that is not intended.",
    ),
    "wrong_source_address": (
        "error",
        "Traffic to 169.254.169.254 leaves from {source}; Azure answers only the primary address {address}.",
        "{how}",
    ),
    "no_route": (
        "error",
        "There is no route to 169.254.169.254.{cause}",
        "Run azure_imds_route_fix with state: present, or configure the primary NIC by DHCP.",
    ),
    "kernel_disagrees": (
        "warning",
        "The kernel's verdict ({kernel}) differs from what the tables say ({table}); the kernel's is used.",
        "Report this with the tables in the evidence.",
    ),
    "runtime_only": (
        "warning",
        "No network stack was found that could keep the route: it is set until the next reboot only.",
        "Run the role at boot, or set the route in whatever configures this host's network.",
    ),
    # --- refusals: nothing is changed ---
    "not_azure": ("refusal", "This is not an Azure VM.", "Set force: true if IMDS is known to exist here."),
    "no_such_interface": (
        "refusal",
        "No interface fits {wanted}. There are: {interfaces}.",
        "Correct interface, mac_address or primary_ip.",
    ),
    "no_such_address": (
        "refusal",
        "{address} is not an address of {interface}, which has: {addresses}.",
        "Correct primary_ip.",
    ),
    "no_default_route": (
        "refusal",
        "The primary NIC can't be told: there is no default route with a gateway over a usable NIC.",
        _NAME_IT,
    ),
    "ambiguous_primary_nic": ("refusal", "The primary NIC can't be told: {interfaces} are equal candidates.", _NAME_IT),
    "ambiguous_primary_ip": (
        "refusal",
        "The primary address of {interface} can't be told: {addresses} are equal candidates.",
        "Name it with primary_ip.",
    ),
    "primary_nic_link_local": (
        "refusal",
        "The primary NIC {interface} has no address other than 169.254.x.x: its DHCP request was not answered.",
        "Repair the NIC's DHCP or address first.",
    ),
    "bad_next_hop": (
        "refusal",
        "The next hop {next_hop} is in no subnet of {interface}.",
        "Correct next_hop, or use auto.",
    ),
    "no_gateway": (
        "refusal",
        "{interface} has no gateway that next_hop: gateway could use.",
        "Use next_hop: auto or an address.",
    ),
    "foreign_host_route": (
        "refusal",
        "A host route to 169.254.169.254 that this module does not own wins and would go on winning.",
        "Remove it where it comes from (VPN, agent, container network), or set remove_conflicting: true.",
    ),
    "irreversible": (
        "refusal",
        "The route works only after removing a row that could not be put back if the repair failed.",
        "Remove the row in the evidence by hand, then run again.",
    ),
    "not_elevated": (
        "refusal",
        "Changing routes needs {right}.",
        "Run the task with become: true or an administrator's account.",
    ),
    "container": (
        "refusal",
        "This is a container's or pod's own network; its routes are the container platform's matter.",
        "Run the task on the node.",
    ),
    "compartments": (
        "refusal",
        "This host uses network compartments; routes of another compartment can't be judged.",
        "Repair it by hand.",
    ),
    "no_persistence_backend": (
        "refusal",
        "It is unknown which network stack configures {interface}, so the route can't be made persistent.",
        "Set persistent: false for a runtime route, or name persistence_backend.",
    ),
    "not_cured": ("refusal", "The planned change would not make 169.254.169.254 reachable.", "See the findings."),
}


def finding(code: str, evidence: Iterable[Mapping[str, object]] = (), severity: str = "", **words: object) -> Finding:
    """The finding of that code with its texts filled in; ``severity`` replaces the table's."""
    usual, message, remedy = TABLE[code]
    return Finding(code, severity or usual, message.format(**words), tuple(evidence), remedy.format(**words))
