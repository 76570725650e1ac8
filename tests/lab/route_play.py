# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the route fix on the VMs of a lab as a user would, in a playbook, and returns its results."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from .api import Lab, topology
from .inventory import inventory

PLAYBOOK = shutil.which("ansible-playbook", path=f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}")
# No wait is longer than needed in a network without distance; no network stack configures a VM.
COMMON = {
    "persistence_backend": "none",
    "connect_timeout": 1,
    "read_timeout": 2,
    "verify_timeout": 3,
    "verify_retries": 1,
}

Results = Mapping[str, Mapping[str, Any]]


def play(lab: Lab, tasks: Mapping[str, Mapping[str, Any]], hosts: str = "lab") -> Results:
    """Run the route fix on VMs, once for every task: task -> host -> result. A task that fails is a result, too.

    A task is the options of the module, and the keywords ``check_mode``, ``diff`` and ``when``. The variable
    ``route_options`` of a VM holds options of its own.
    """
    fixes = []
    for name, options in tasks.items():
        keywords = {key: options[key] for key in ("check_mode", "diff", "when") if key in options}
        given = {key: value for key, value in {**COMMON, **options}.items() if key not in keywords}
        call = "{{ " + json.dumps(given) + " | combine(route_options | default({})) }}"
        task = {"imds.azure.azure_imds_route_fix": call, "register": f"result_{name}", "ignore_errors": True}
        fixes.append({"name": name, **task, **keywords})
    found = ", ".join(
        f"'{name}': dict(names | zip(names | map('extract', hostvars, 'result_{name}')))" for name in tasks
    )
    kept = lab.place.path / "results.json"
    keep = {
        "name": "Hand over",
        "ansible.builtin.copy": {"content": "{{ {" + found + "} | to_json }}", "dest": str(kept)},
        "vars": {"names": f"{{{{ query('inventory_hostnames', '{hosts}') }}}}"},
    }
    plays = [
        {"name": "Fix", "hosts": hosts, "gather_facts": False, "tasks": fixes},
        {"name": "Keep", "hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [keep]},
    ]
    file = lab.place.path / "fix.json"
    file.write_text(json.dumps(plays), encoding="utf-8")
    done = playbook(lab, str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    results: Results = json.loads(kept.read_text(encoding="utf-8"))
    return results


def playbook(lab: Lab, name: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a playbook, a file or one of the collection, on the lab's inventory."""
    if PLAYBOOK is None:
        pytest.skip("ansible is not installed")
    listing = lab.place.path / "inventory.json"
    listing.write_text(json.dumps(inventory(topology(lab.place), lab.place)), encoding="utf-8")
    environment = {"ANSIBLE_HOME": str(lab.place.path), "ANSIBLE_NOCOLOR": "1", "ANSIBLE_PIPELINING": "true"}
    return subprocess.run(
        [PLAYBOOK, "-i", str(listing), "--forks", "12", name, *options],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def hosts_of(lab: Lab) -> list[str]:
    """The names of its VMs."""
    return [vm.name for vm in topology(lab.place).vms]


def everywhere(lab: Lab, look: Callable[[Lab, str], Any]) -> dict[str, Any]:
    """``look(lab, name)`` for every VM."""
    with ThreadPoolExecutor(16) as pool:
        return dict(zip(hosts_of(lab), pool.map(lambda name: look(lab, name), hosts_of(lab))))


def tables(lab: Lab, name: str) -> str:
    """All IPv4 routes and rules, as ip prints them."""
    return lab.run(name, ["sh", "-c", "ip -4 -d route show table all; ip -4 rule"], check=True).stdout
