# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing of the lab leads out of it, and nothing of the machine leads in."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from typing import Any

import pytest

from .api import Lab
from .asking import REFUSED, ask
from .spec import FABRIC, parse
from .topologies import TOPOLOGY

MEMBERS = [FABRIC, *(vm["name"] for vm in TOPOLOGY["vms"])]


def links(lab: Lab, member: str) -> dict[str, Any]:
    listed = json.loads(lab.run(member, ["ip", "-d", "-j", "link"], check=True).stdout)
    return {link["ifname"]: link for link in listed}


def test_all_links_are_cables_between_fabric_and_vms(lab: Lab) -> None:
    """Each end but lo is a veth, and the fabric has exactly as many as the VMs have NICs: none is left to lead out."""
    topology = parse(TOPOLOGY)
    ends = {member: links(lab, member) for member in MEMBERS}
    for member, found in ends.items():
        kinds = {name: link.get("linkinfo", {}).get("info_kind") for name, link in found.items() if name != "lo"}
        assert set(kinds.values()) == {"veth"}, member
    for vm in topology.vms:
        assert set(ends[vm.name]) == {"lo", *(nic.name for nic in vm.nics)}
    # Each of the fabric's ends is told by its alias, and its other end has the number that the VM's NIC has there.
    far = {(vm.name, nic.name): ends[vm.name][nic.name]["ifindex"] for vm in topology.vms for nic in vm.nics}
    cables = [link for name, link in ends[FABRIC].items() if name != "lo"]
    near = {tuple(link["ifalias"].split("/")): link["link_index"] for link in cables}
    assert near == far


def test_the_fabric_has_no_route_out(lab: Lab) -> None:
    routes = json.loads(lab.run(FABRIC, ["ip", "-j", "route", "show", "table", "all"], check=True).stdout)
    assert not [route for route in routes if route["dst"] == "default" or "gateway" in route]
    assert not lab.run(FABRIC, ["ip", "-6", "route", "show", "default"], check=True).stdout


def test_namespaces_are_not_the_machines(lab: Lab) -> None:
    for member in MEMBERS:
        for kind in ("net", "mnt", "pid", "uts", "ipc"):
            inside = lab.run(member, ["readlink", f"/proc/self/ns/{kind}"], check=True).stdout.strip()
            assert inside != os.readlink(f"/proc/self/ns/{kind}"), (member, kind)


def test_the_machines_sockets_cannot_be_reached(lab: Lab) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for member in MEMBERS:
            done = lab.run(member, ["curl", "-q", "--noproxy", "*", "-m", "1", f"http://127.0.0.1:{port}/"])
            assert done.returncode == REFUSED, member


def test_addresses_outside_are_unreachable_at_once(lab: Lab) -> None:
    done = lab.run("web", ["curl", "-q", "--noproxy", "*", "-m", "2", "http://192.0.2.1/"])
    assert done.returncode == REFUSED


@pytest.mark.usefixtures("lab")
def test_without_the_emulator_nobody_answers() -> None:
    """The strongest proof: what answers on the well-known address in a lab is the emulator and nothing else."""
    with Lab({"vms": [{"name": "vm"}], "emulator": False}) as lonely:
        reply = ask(lonely, "vm")
    assert (reply.exit_code, reply.connected) == (REFUSED, False)


def test_the_machine_does_not_get_the_addresses(lab: Lab) -> None:
    addresses = subprocess.run(["ip", "-4", "addr"], capture_output=True, text=True, check=True, timeout=10).stdout
    assert lab.run(FABRIC, ["ip", "-4", "addr"]).stdout.count("169.254.169.254") == 1
    assert "169.254.169.254" not in addresses


def test_vms_see_only_their_own_processes(lab: Lab) -> None:
    assert lab.run("web", ["cat", "/proc/1/comm"], check=True).stdout
    pids = lab.run("web", ["sh", "-c", "echo /proc/[0-9]*"], check=True).stdout.split()
    assert len(pids) <= 4
    assert f"/proc/{os.getpid()}" not in pids
