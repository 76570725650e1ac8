# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Collects on a Linux host what `read_linux_report` reads. Changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, Optional

from .. import linux_report, model
from ..linux_report import read_linux_report
from ..options import RouteOptions
from ..primary import find_primary
from ..reply import ImdsReply
from . import persistence
from .host import Host

_CAP_NET_ADMIN = 12
# Left by container engines, by the manual of each.
_CONTAINER_FILES = ("/.dockerenv", "/run/.containerenv", "/run/systemd/container")
_CONTAINER_VARIABLES = ("container=", "KUBERNETES_SERVICE_HOST=")


def collect(
    host: Host,
    options: RouteOptions,
    backend: str = "auto",
    azure: Optional[bool] = None,
    ask: Optional[Callable[[], ImdsReply]] = None,
) -> dict[str, Any]:
    """The report.

    :param backend: option persistence_backend
    :param azure: whether the firmware says that this is an Azure VM
    :param ask: one request to IMDS; ``None`` where nothing may be sent
    :raises HostError: where the network stack that the user names does not configure the NIC
    :raises ReportError: where addresses, routes or rules can't be read
    """
    report: dict[str, Any] = {"system": model.LINUX, "azure": azure, "errors": []}
    report.update(_tables(host, report["errors"]))
    report["elevated"] = _may_change_routes(host)
    report["container"] = _in_container(host)
    report["imds"] = _imds(ask) if ask else None
    if report["imds"] and report["imds"]["interfaces"]:
        mac, addresses = report["imds"]["interfaces"][0]
        report.update(imds_mac=mac, imds_address=next(iter(addresses), ""))
    primary = find_primary(read_linux_report(report), options)
    if primary.address:
        report["route_get_bound"] = _answer(
            host, (*_plain(linux_report.COMMANDS["route_get"], report), "from", primary.address)
        )
    if primary.name:
        report["persistence"] = persistence.find(host, primary.name, backend)
        report["persistent"] = persistence.stored_rows(host, report["persistence"], primary.name)
    return report


def _tables(host: Host, errors: list[str]) -> dict[str, Any]:
    """The output of `linux_report.COMMANDS`, as JSON where ip knows it, else as text."""
    found: dict[str, Any] = {"json": host.run(linux_report.COMMANDS["addresses"])[0] == 0}
    for part, argv in linux_report.COMMANDS.items():
        answer = _answer(host, _plain(argv, found))
        found[part] = answer if part == "route_get" else answer["stdout"] if answer["rc"] == 0 else None
        if part != "route_get" and answer["rc"]:
            errors.append(f"{' '.join(argv)}: {answer['stderr'].strip() or answer['rc']}")
    if not (found["routes"] or "").strip("[] \n"):
        found["proc_net_route"] = host.read_text("/proc/net/route")
    return found


def _plain(argv: tuple[str, ...], report: Mapping[str, Any]) -> tuple[str, ...]:
    """The command as this host's ip knows it: busybox has neither -j nor -d."""
    return argv if report["json"] else tuple(word for word in argv if word not in ("-j", "-d"))


def _answer(host: Host, argv: tuple[str, ...]) -> dict[str, Any]:
    rc, out, err = host.run(argv)
    return {"rc": rc, "stdout": out, "stderr": err}


def _imds(ask: Callable[[], ImdsReply]) -> dict[str, Any]:
    return dict(ask()._asdict())


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
