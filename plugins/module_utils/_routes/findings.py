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


# Stands only where a repair is planned: `with_remedies` takes it out elsewhere.
REPAIR = "Run azure_imds_route_fix with state: present."
# The one line that sends traffic for IMDS to the main table before any other rule is looked at.
RULE = "ip rule add to 169.254.169.254 lookup main"
_NAME_IT = "Name the NIC with interface or mac_address, and its address with primary_ip."

# code -> (severity, message, remedy); words in braces are filled in by the caller.
TABLE: Mapping[str, tuple[str, str, str]] = {
    # --- findings ---
    "ok": ("ok", "169.254.169.254 has its own route over the primary NIC {interface}{asked}.", ""),
    "ok_via_default": (
        "warning",
        "169.254.169.254 leaves by the primary NIC {interface}{asked}, but only by {prefix}: any narrower route "
        "captures it.",
        REPAIR,
    ),
    "captured_by_cluster_adapter": (
        "error",
        "The failover cluster's adapter {interface} captures 169.254.169.254 with its route {prefix}.{cause}",
        REPAIR
        + "{dhcp} Leave the cluster adapter, its address and its route alone: they carry the cluster's heartbeats.",
    ),
    "captured_by_apipa": (
        "error",
        "The link-local route {prefix} on {interface} captures 169.254.169.254.{cause}",
        REPAIR + "{dhcp}",
    ),
    "captured_by_vpn": (
        "error",
        "The tunnel {interface} captures 169.254.169.254 with its route {prefix}.",
        REPAIR + " Also exclude 169.254.169.254/32 and 168.63.129.16/32 from the tunnel in its configuration.",
    ),
    "captured_by_other_interface": (
        "error",
        "The route {prefix} sends 169.254.169.254 out of {interface}, which is not the primary NIC {primary}.",
        REPAIR,
    ),
    "host_route_wrong_interface": (
        "error",
        "The host route to 169.254.169.254 is bound to {interface}, not to the primary NIC {primary}.",
        REPAIR,
    ),
    "host_route_bad_next_hop": (
        "error",
        "The host route to 169.254.169.254 on {interface} has the next hop {next_hop}, which {fault}.",
        REPAIR,
    ),
    "duplicate_host_routes": (
        "warning",
        "There are several routes to 169.254.169.254/32 and they contradict each other; only metrics decide.",
        REPAIR + " Keep the one on the primary NIC.",
    ),
    "orphaned_persistent_route": (
        "warning",
        "A persistent route to 169.254.169.254 belongs to an interface that is gone ({interface}, index {index}).",
        REPAIR,
    ),
    "stale_persistent_route": (
        "warning",
        "A persistent route to 169.254.169.254 ({interface}, next hop {next_hop}) does not fit the primary NIC.",
        REPAIR,
    ),
    "leftover_registry_route": (
        "warning",
        "The registry's PersistentRoutes key holds a route to 169.254.169.254 that the persistent store does not show.",
        "Remove the value from Tcpip\\Parameters\\PersistentRoutes by hand if it is not wanted.",
    ),
    "blocked_by_unreachable_route": (
        "error",
        "A route of type {kind} ({prefix}) blocks 169.254.169.254.",
        REPAIR + " First find out who blocks it and why: a firewall or a security agent may have set it on purpose.",
    ),
    "policy_bad_next_hop": (
        "error",
        "Policy rule {priority} leads to table {table}, where {prefix} has the next hop {next_hop}, which {fault}.",
        RULE,
    ),
    "rules_missing": (
        "error",
        "No policy rule looks into the main table, so its routes have no effect.",
        "ip rule add pref 32766 lookup main; ip rule add pref 32767 lookup default",
    ),
    "policy_rule_override": (
        "error",
        "Policy rule {priority} decides about 169.254.169.254 before the main table: {outcome}.",
        RULE,
    ),
    "unknown_rule_selector": (
        "warning",
        "Policy rule {priority} (table {table}) selects by {selectors}, which only a connection itself can tell.",
        RULE,
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
        REPAIR + "{dhcp}",
    ),
    "kernel_disagrees": (
        "warning",
        "The kernel's verdict ({kernel}) differs from what the tables say ({table}); the kernel's is used.",
        "Report this with the tables in the evidence.",
    ),
    # --- what asking showed ---
    "silent_although_routed": (
        "error",
        "The routes lead to 169.254.169.254 over {interface}, but IMDS does not answer: {detail}.{also}",
        "{how}",
    ),
    "intercepted": (
        "error",
        "Something other than this VM's IMDS answers at 169.254.169.254: {detail}.{also}",
        "{how}",
    ),
    "imds_refuses": (
        "warning",
        "IMDS itself answers, but refuses the request: {detail}.",
        "{how}",
    ),
    "served_by_guest_agent": (
        "ok",
        "IMDS answers through the guest proxy agent (Metadata Security Protocol{state}); that tells nothing of NICs.",
        "",
    ),
    "refused_by_guest_agent": (
        "warning",
        "The guest proxy agent (Metadata Security Protocol{state}) refuses this program: {detail}.{also}",
        "Allow the user or process that Ansible runs as in the VM's access rules for IMDS, or use become.",
    ),
    "locked_by_systemd": (
        "error",
        "systemd-imdsd locks IMDS on purpose: {prefix} is prohibited for everybody without its firewall mark.",
        "Boot with systemd.imds.network=unlocked, or ask through systemd-imds. This module never opens the lock.",
    ),
    "address_on_vf": (
        "warning",
        "{interface} has {addresses}, but is only the accelerated half (VF) of {master}, where they belong.",
        "Keep DHCP off the VF: update azure-vm-utils or systemd, or tell the network stack to leave the device alone.",
    ),
    "runtime_only": (
        "warning",
        "No network stack was found that could keep the route: it is set until the next reboot only.",
        "Run the role at boot, or set the route in whatever configures this host's network.",
    ),
    # --- refusals: nothing is changed ---
    "not_azure": (
        "refusal",
        "This is not an Azure VM, so nothing is asked or changed (force: true does, where IMDS is known to exist).",
        "",
    ),
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
    "nic_down": ("refusal", "{interface} (MAC address {mac}) {fault}, so nothing can be sent through it.", "{how}"),
    "ambiguous_primary_nic": ("refusal", "The primary NIC can't be told: {interfaces} are equal candidates.", _NAME_IT),
    "ambiguous_primary_ip": (
        "refusal",
        "The primary address of {interface} can't be told: {addresses} are equal candidates.",
        "Name it with primary_ip.",
    ),
    "primary_nic_link_local": (
        "refusal",
        "The primary NIC {interface} has no address other than 169.254.x.x: its DHCP request was not answered.",
        "{how}",
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
        "The host route {prefix} {way} on {interface} is not this module's, wins, and would go on winning.",
        "Set remove_conflicting: true to remove {prefix} {way} on {interface}, or remove it where it comes from.",
    ),
    "protected_host_route": (
        "refusal",
        "The host route {prefix} {way} on {interface} wins, and is not changed: {why}.",
        "Change it where it comes from; on this host: {command}",
    ),
    "answered_already": (
        "refusal",
        "IMDS answers as it is, and without verify nothing would show whether it still does after {action} {target}.",
        "Leave out verify: false.",
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


def with_remedies(findings: Iterable[Finding], repairs: bool, refusals: Iterable[Finding] = ()) -> list[Finding]:
    """The findings with remedies that fit the plan: running the repair is none where it would change nothing.

    :param repairs: whether ``state: present`` has something to do
    :param refusals: why it has not; their remedies take the place
    """
    instead = " ".join(dict.fromkeys(one.remedy for one in refusals if one.remedy))

    def fit(one: Finding) -> Finding:
        if repairs or REPAIR not in one.remedy:
            return one
        rest = one.remedy.replace(REPAIR, "").strip()
        return one._replace(remedy=instead or rest)

    return [fit(one) for one in findings]


def finding(code: str, evidence: Iterable[Mapping[str, object]] = (), severity: str = "", **words: object) -> Finding:
    """The finding of that code with its texts filled in; ``severity`` replaces the table's."""
    usual, message, remedy = TABLE[code]
    return Finding(code, severity or usual, message.format(**words), tuple(evidence), remedy.format(**words))
