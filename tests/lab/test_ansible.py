# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible reaches VMs by its local connection and by real ssh, and changes the VMs, not the machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import sshd
from .api import Lab, topology
from .inventory import inventory

ANSIBLE = shutil.which("ansible", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")

pytestmark = pytest.mark.usefixtures("lab")


def ansible(lab: Lab, module: str, arguments: str = "", pipelining: bool = True) -> str:
    """Run one module on all VMs. Returns what Ansible printed; fails where Ansible does."""
    if ANSIBLE is None:
        pytest.skip("ansible is not installed")
    file = lab.place.path / "inventory.json"
    file.write_text(json.dumps(inventory(topology(lab.place), lab.place)), encoding="utf-8")
    environment = {"ANSIBLE_PIPELINING": str(pipelining), "ANSIBLE_NOCOLOR": "1", "ANSIBLE_HOME": str(lab.place.path)}
    done = subprocess.run(
        [ANSIBLE, "all", "-i", str(file), "-m", f"ansible.builtin.{module}", "-a", arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelining", "files"])
def test_a_copied_file_is_in_the_vms_only(lab: Lab, pipelining: bool) -> None:
    file = Path(f"/etc/lab-{uuid.uuid4()}")
    ansible(lab, "copy", f"content=hello dest={file}", pipelining)
    assert not file.exists()
    for vm in ("web", "db", "elsewhere"):
        assert lab.run(vm, ["cat", str(file)]).stdout == "hello"


def test_facts_are_the_vms_own(lab: Lab) -> None:
    facts = ansible(lab, "setup", "filter=ansible_chassis_asset_tag,ansible_hostname,ansible_interfaces")
    assert facts.count("7783-7084-3265-9085-8269-3286-77") == 2
    assert '"ansible_hostname": "web"' in facts
    assert '"eth1"' in facts


def test_commands_and_shells(lab: Lab) -> None:
    assert "10.99.0.1" in ansible(lab, "command", "ip route")
    said = ansible(lab, "shell", "echo $(hostname)-$(cat /etc/hostname)").split()
    assert {"web-web", "db-db", "elsewhere-elsewhere"} <= set(said)


@pytest.mark.parametrize("member", ["fabric", "web"])
def test_a_members_shell_is_a_shell_inside_it(lab: Lab, member: str) -> None:
    """Modules on the host are told the name of Ansible's shell, and start it."""
    done = lab.run(member, [str(lab.place.shell(member)), "-c", "hostname"])
    assert done.stdout == f"{member}\n", done.stderr


@pytest.fixture
def by_ssh() -> Iterator[Lab]:
    reason = sshd.missing()
    if reason:
        pytest.skip(reason)
    # Without a single route: the connection must not need any.
    vm = {"name": "far", "sshd": True, "nics": [{"default_route": False, "azure_routes": False}]}
    with Lab({"vms": [vm], "emulator": False}) as lab:
        yield lab


def test_a_vm_with_sshd_is_reached_over_ssh(by_ssh: Lab) -> None:
    file = Path(f"/etc/lab-{uuid.uuid4()}")
    ansible(by_ssh, "copy", f"content=hello dest={file}", pipelining=False)
    assert by_ssh.run("far", ["cat", str(file)]).stdout == "hello"
    assert not file.exists()
    (vm,) = topology(by_ssh.place).vms
    command = [*sshd.command(vm, by_ssh.place), 'hostname; echo "$SSH_CONNECTION"']
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.stdout.split() == ["far", "127.0.0.1", done.stdout.split()[2], "127.0.0.1", "22"], done.stderr
