# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An Ansible inventory of a lab's VMs, in the form of Ansible's YAML inventory files (JSON is YAML). Pure."""

from __future__ import annotations

from typing import Any

from . import sshd
from .spec import Topology, Vm
from .state import Place

GROUP = "lab"


def inventory(topology: Topology, place: Place) -> dict[str, Any]:
    """``{"all": {"children": {"lab": {"hosts": {"vm1": {...}}}, "some_group": {"hosts": {"vm1": {}}}}}}``."""
    groups: dict[str, Any] = {GROUP: {"hosts": {vm.name: host_vars(vm, place) for vm in topology.vms}}}
    for vm in topology.vms:
        for group in vm.groups:
            groups.setdefault(group, {"hosts": {}})["hosts"].setdefault(vm.name, {})
    return {"all": {"children": groups}}


def host_vars(vm: Vm, place: Place) -> dict[str, Any]:
    """How Ansible gets into the VM, and the variables that the topology gives it."""
    common = {"ansible_python_interpreter": vm.python, "lab_name": place.name, "lab_vm": vm.name}
    if vm.sshd:
        transport = sshd.host_vars(vm, place)
    else:
        transport = {
            "ansible_connection": "local",
            "ansible_become": False,  # Every command is root's already; a play's "become: true" shall ask for no sudo.
            "ansible_shell_executable": str(place.shell(vm.name)),
            "ansible_remote_tmp": str(place.shared(vm.name)),
        }
    return {**transport, **common, **vm.vars}
