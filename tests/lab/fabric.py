# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fabric: router of all subnets, owner of the two well-known addresses and of the vaults', home of the emulator.

Its only links are the VMs' cables. As in Azure, each cable is a subnet's gateway, answers ARP for all the other VMs,
and takes only packets that come from an address of the NIC at its other end.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .errors import LabError, SpecError
from .spec import VAULT, Nic, Topology, Vm
from .state import REPOSITORY, Place
from .vm import IMDS, WIRESERVER, fabric_link

CONTROL = ("127.0.0.1", 8254)
_EMULATOR = REPOSITORY / "roles" / "azure_imds_emulator" / "files"
_EMULATOR_SECONDS = 10.0
_UNREACHABLE_FIRST = "5"
_LOCAL_SECOND = "10"


def configuration(topology: Topology) -> list[list[str]]:
    """The ``ip`` commands for the fabric's end of every cable. Pure."""
    commands = [["link", "set", "lo", "up"]]
    commands += [["address", "add", f"{address}/32", "dev", "lo"] for address in (IMDS, WIRESERVER, VAULT)]
    silent: list[list[str]] = []
    for vm in topology.vms:
        for number, nic in enumerate(vm.nics):
            link = fabric_link(vm, number)
            commands.append(["link", "set", link, "alias", f"{vm.name}/{nic.name}", "up"])
            commands.append(["address", "add", f"{nic.gateway}/32", "dev", link])
            commands += [["route", "add", f"{address}/32", "dev", link] for address in nic.addresses]
            if not nic.reaches_imds:
                silent.append(["rule", "add", "pref", _UNREACHABLE_FIRST, "iif", link, "to", IMDS, "blackhole"])
    if silent:
        # The table of local addresses must come behind these rules; else they would never be read.
        commands += [*silent, ["rule", "add", "pref", _LOCAL_SECOND, "lookup", "local"], ["rule", "del", "pref", "0"]]
    return commands


def settings(topology: Topology) -> list[tuple[str, str]]:
    """The kernel parameters of the fabric. Pure."""
    links = [fabric_link(vm, number) for vm in topology.vms for number in range(len(vm.nics))]
    result = [("net.ipv4.ip_forward", "1"), ("net.ipv4.conf.all.rp_filter", "0")]
    for link in links:
        result.append((f"net.ipv4.conf.{link}.rp_filter", "1"))
        result.append((f"net.ipv4.conf.{link}.proxy_arp", "1"))
        result.append((f"net.ipv4.neigh.{link}.proxy_delay", "0"))
    return result


def emulated(vm: Vm) -> dict[str, Any]:
    """The VM as the emulator's VM list has it: what IMDS says is what the VM has. Pure."""
    compute: dict[str, Any] = {"vmId": vm.product_uuid}
    compute.update({key: value for key, value in (("location", vm.location), ("zone", vm.zone)) if value is not None})
    if vm.tags is not None:
        compute["tagsList"] = [{"name": name, "value": value} for name, value in vm.tags.items()]
    document = {
        "compute": compute,
        "network": {"interface": [_interface(nic) for nic in vm.nics]},
    }
    primary, *others = (str(address) for nic in vm.nics for address in nic.addresses)
    entry: dict[str, Any] = {"name": vm.name, "sources": [primary], "secondary_addresses": others}
    if vm.profile is not None:
        entry["profile"] = vm.profile
    # The order of the interfaces means nothing on Azure, so it must not be relied on here either.
    options = {"shuffle_interfaces": True, **vm.options}
    return {**entry, "overrides": _laid_over(document, vm.overrides), "options": options}


def _interface(nic: Nic) -> dict[str, Any]:
    publics = [nic.public_address] + [""] * len(nic.secondary_addresses)
    return {
        "ipv4": {
            "ipAddress": [
                {"privateIpAddress": str(address), "publicIpAddress": public}
                for address, public in zip(nic.addresses, publics)
            ],
            "subnet": [{"address": str(nic.subnet.network_address), "prefix": str(nic.subnet.prefixlen)}],
        },
        "ipv6": {"ipAddress": []},
        "macAddress": nic.mac.replace(":", "").upper(),
    }


def _laid_over(base: Any, over: Any) -> Any:
    if not (isinstance(base, Mapping) and isinstance(over, Mapping)):
        return over
    return {**base, **{key: _laid_over(base.get(key), value) for key, value in over.items()}}


def start_emulator(topology: Topology, place: Place) -> None:
    """Start the emulator in this network namespace and wait until it listens.

    :raises SpecError: if it refused a VM
    :raises LabError: if it ended at once, or was not ready in time
    """
    ready = place.path / "emulator.ready"
    log = place.path / "emulator.log"
    command = [sys.executable, "-m", "azure_imds_emulator", "--listen", f"{IMDS}:80"]
    command += ["--control", "{}:{}".format(*CONTROL), "--vms", str(place.vms), "--ready-file", str(ready)]
    if topology.vaults:
        command += ["--vaults", str(place.vaults), "--vault-listen", f"{VAULT}:443"]
    with log.open("wb") as output:
        emulator = subprocess.Popen(
            command,
            env={**os.environ, "PYTHONPATH": str(_EMULATOR), "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=output,
            stderr=output,
        )
    deadline = time.monotonic() + _EMULATOR_SECONDS
    while not ready.exists():
        if emulator.poll() is not None or time.monotonic() > deadline:
            raise _failure(topology, _last_line(log))
        time.sleep(0.005)


def _failure(topology: Topology, message: str) -> LabError:
    """Why the emulator did not start. A VM that it refused is named as in the topology, which may have more VMs."""
    if "vaults" in message:
        return SpecError(message.rpartition("azure_imds_emulator: ")[2])
    found = re.search(r"vms\[(\d+)\](.*)", message)
    if not found:
        return LabError(f"the emulator did not start: {message}")
    index = [vm.index for vm in topology.vms if vm.imds][int(found[1])]
    return SpecError(f"vms[{index}]{found[2]}")


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return lines[-1] if lines else "it said nothing"
