# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Collects on a Linux host what `read_linux_report` reads. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable, Optional

from ..candidates import Candidate, candidates
from ..linux_report import COMMANDS, read_linux_report
from ..lock import systemd_lock
from ..model import State
from ..options import RouteOptions
from ..primary import find_primary
from . import persistence
from .firewall import firewall_lines
from .guest_agent import agent_status
from .host import Host
from .tables import answer, collect_tables, digest, host_routes, plain

_CAP_NET_ADMIN = 12
# Left by container engines, by the manual of each.
_CONTAINER_FILES = ("/.dockerenv", "/run/.containerenv", "/run/systemd/container")
_CONTAINER_VARIABLES = ("container=", "KUBERNETES_SERVICE_HOST=")

# Asks IMDS unbound, then from each candidate; `asking.ask_around`.
AskAround = Callable[[Sequence[Candidate]], dict[str, Any]]
# Adds to a plain reply whether it is about this machine, where IMDS does not list the MAC address; `probe.with_vm_id`.
Identify = Callable[[dict[str, Any], str], dict[str, Any]]


def collect(
    host: Host,
    options: RouteOptions,
    backend: str = "auto",
    azure: Optional[bool] = None,
    ask: Optional[AskAround] = None,
    identify: Optional[Identify] = None,
) -> dict[str, Any]:
    """The report.

    :param backend: option persistence_backend
    :param azure: whether the firmware says that this is an Azure VM
    :param ask: asks IMDS; ``None`` where nothing may be sent
    :param identify: needed where a bridge or an accelerated NIC has a MAC address of its own
    :raises HostError: where the network stack that the user names does not configure the NIC
    :raises ReportError: where addresses, routes or rules can't be read
    """
    report: dict[str, Any] = {"system": "linux", "azure": azure, "errors": []}
    report.update(collect_tables(host, report["errors"]))
    report["elevated"] = _may_change_routes(host)
    report["container"] = _in_container(host)
    state = read_linux_report(report)
    report["imds"] = ask(_to_be_asked(state, options)) if ask else None
    report.update(_evidence(host, report["imds"]))
    primary = find_primary(read_linux_report(report), options)
    if report["imds"] and identify and primary.mac:
        report["imds"]["unbound"] = identify(report["imds"]["unbound"], primary.mac)
    if primary.address:
        argv = (*plain(COMMANDS["route_get"], report["json"]), "from", primary.address)
        report["route_get_bound"] = answer(host, argv)
    if primary.name:
        report["persistence"] = persistence.find(host, primary.name, backend)
        report["persistent"] = persistence.stored_rows(host, report["persistence"], primary.name)
    report["digest"] = digest(host_routes(host), report.get("persistent"))
    return report


def _to_be_asked(state: State, options: RouteOptions) -> list[Candidate]:
    """Nobody, where systemd locks IMDS: a socket that is bound to a device would slip past the lock."""
    return [] if systemd_lock(state) else candidates(state, options)


def _evidence(host: Host, imds: Optional[dict[str, Any]]) -> dict[str, Any]:
    """What may explain an answer other than expected."""
    unbound = imds["unbound"] if imds else None
    if not unbound:
        return {"guest_agent": None, "firewall": []}
    odd = unbound["outcome"] not in ("ok", "busy", "agent_refused")
    return {"guest_agent": agent_status(host), "firewall": firewall_lines(host) if odd else []}


def _may_change_routes(host: Host) -> Optional[bool]:
    """Whether this process has CAP_NET_ADMIN (proc_pid_status(5), CapEff); ``None`` where that can't be read."""
    for line in (host.read_text("/proc/self/status") or "").splitlines():
        name, _colon, value = line.partition(":")
        if name == "CapEff":
            return bool(int(value, 16) >> _CAP_NET_ADMIN & 1)
    return None


def _in_container(host: Host) -> bool:
    if any(host.exists(path) for path in _CONTAINER_FILES):
        return True
    variables = [
        *(host.read_text("/proc/1/environ") or "").split("\0"),
        *(host.read_text("/proc/self/environ") or "").split("\0"),
    ]
    return any(variable.startswith(_CONTAINER_VARIABLES) for variable in variables)
