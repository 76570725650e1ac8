# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One VM: its NICs, its routes, its root. Runs as process 1 of the VM."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path

from . import namespaces, sshd
from .errors import SpecError
from .root import Root
from .spec import Nic, Vm
from .state import REPOSITORY, Place

IMDS = "169.254.169.254"
WIRESERVER = "168.63.129.16"

# New namespaces inherit the machine's settings. These decide about routing: set to the kernel's defaults.
_SYSCTL = (
    ("net.ipv4.ip_forward", "0"),
    ("net.ipv4.conf.all.rp_filter", "0"),
    ("net.ipv4.conf.default.rp_filter", "0"),
)
# Azure's switch has one MAC address for everything.
_FABRIC_MAC = "12:34:56:78:9a:bc"


def fabric_link(vm: Vm, number: int) -> str:
    """The name of the fabric's end of a NIC's cable. Pure."""
    return f"v{vm.index}n{number}"


def cables(vm: Vm, fabric: int) -> list[list[str]]:
    """The ``ip`` commands that lay the cables; ``fabric`` is a descriptor of the fabric's network namespace. Pure."""
    far = f"/proc/self/fd/{fabric}"
    commands = []
    for number, nic in enumerate(vm.nics):
        peer = ["peer", "name", fabric_link(vm, number), "address", _FABRIC_MAC, "netns", far]
        commands.append(["link", "add", nic.name, "address", nic.mac, "type", "veth", *peer])
    return commands


def configuration(vm: Vm) -> list[list[str]]:
    """The ``ip`` commands that do what DHCP does on Azure. Pure."""
    commands = [["link", "set", "lo", "up"]]
    for nic in vm.nics:
        for address in nic.addresses:
            local = f"{address}/{nic.subnet.prefixlen}"
            commands.append(["address", "add", local, "broadcast", "+", "dev", nic.name, "metric", str(nic.metric)])
        commands.append(["link", "set", nic.name, "up"])
        commands += [_dhcp_route(nic, destination) for destination in _destinations(nic)]
    return commands


def _destinations(nic: Nic) -> list[str]:
    return (["default"] if nic.default_route else []) + ([WIRESERVER, IMDS] if nic.azure_routes else [])


def _dhcp_route(nic: Nic, destination: str) -> list[str]:
    how = ["via", str(nic.gateway), "dev", nic.name, "proto", "dhcp", "src", str(nic.address)]
    return ["route", "add", destination, *how, "metric", str(nic.metric)]


def build(vm: Vm, place: Place, fabric: int, skeleton: Path | None) -> None:
    """Turn this process' new namespaces into the VM.

    :raises LabError: if some part can't be built
    :raises OSError: if some part can't be built
    """
    socket.sethostname(vm.name)
    namespaces.mount("none", "/", flags=namespaces.PRIVATE | namespaces.RECURSIVE)
    root = Root(place.mount_point, skeleton)
    root.fill(vm)
    _share(root, vm, place)
    namespaces.enter_root(root.path)

    namespaces.sysctl(_SYSCTL)
    namespaces.ip(cables(vm, fabric), keep=[fabric])
    namespaces.ip(configuration(vm))
    _apply(vm.ip, f"vms[{vm.index}].ip")
    if vm.sshd:
        sshd.start(vm, place)


def _apply(commands: Sequence[Sequence[str]], field: str) -> None:
    try:
        namespaces.ip(commands)
    except namespaces.IpError as error:
        raise SpecError(f"{field}[{error.number}]: {error}") from None


def _share(root: Root, vm: Vm, place: Place) -> None:
    """The repository as it is at any moment, read-only; of the lab's own directory only what this VM shall see."""
    repository = root.inside(REPOSITORY)
    repository.mkdir(exist_ok=True)
    namespaces.bind(REPOSITORY, repository, read_only=True)

    lab = root.inside(place.path)
    lab.mkdir(exist_ok=True)
    namespaces.mount("tmpfs", lab, "tmpfs", options="mode=755")
    shared = root.inside(place.shared(vm.name))
    shared.mkdir()
    namespaces.bind(place.shared(vm.name), shared)
    # Ansible hands the name of its shell on to the modules, so inside the VM the same path must be a shell as well.
    root.inside(place.shell(vm.name)).symlink_to("/bin/sh")
