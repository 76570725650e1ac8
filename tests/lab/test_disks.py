# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The disks of a VM: what its /sys and /dev show, and what a module that runs in it makes of them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imds.azure.tests.scenarios.guest_disks import GUESTS

from .api import Lab
from .errors import RefusedError
from .state import REPOSITORY

# Mounts are the VM's own, so guests that are told from what is mounted are left to the unit tests.
NAMES = {
    f"vm{number}": name
    for number, (name, guest) in enumerate(GUESTS.items())
    if guest.disks[0]["device"] != "nvme1n1" and "root_elsewhere" not in dict(guest.contradictions)
}
CORE = REPOSITORY / "plugins" / "module_utils"
PROGRAM = f"""
import json, sys
sys.path.insert(0, {str(CORE)!r})
from _imds import gather, options
print(json.dumps(gather.gather(options.settings({{}}))))
"""


@pytest.fixture(scope="module")
def disks(_labs: Path) -> Iterator[Lab]:
    vms = [
        {
            "name": vm,
            "disks": GUESTS[name].disks,
            "stacks": GUESTS[name].stacks,
            "overrides": {"compute": {"storageProfile": GUESTS[name].listed}},
        }
        for vm, name in NAMES.items()
    ]
    try:
        with Lab({"vms": vms}) as running:
            yield running
    except RefusedError as error:
        pytest.skip(str(error))


def gathered(lab: Lab, vm: str) -> Any:
    done = lab.run(vm, ["/usr/bin/python3", "-B", "-c", PROGRAM], check=True)
    return json.loads(done.stdout)[0]


def path_of(disk: dict[str, Any]) -> str | None:
    return disk["device"]["path"] if disk["device"] else None


@pytest.mark.parametrize("vm", NAMES, ids=NAMES.values())
def test_facts_in_a_vm_name_its_devices(disks: Lab, vm: str) -> None:
    guest = GUESTS[NAMES[vm]]
    fact = gathered(disks, vm)
    storage = fact["storage"]
    assert fact["meta"]["disks"]["reason"] is None, fact["meta"]["disks"]
    assert path_of(storage["os_disk"]) == guest.os_disk
    assert {disk["lun"]: path_of(disk) for disk in storage["data_disks"]} == guest.data_disks
    assert path_of(storage["resource_disk"]) == guest.resource_disk
    assert [path_of(disk) for disk in storage["local_disks"]] == guest.local_disks
    assert [(one["code"], one["lun"]) for one in storage["contradictions"]] == guest.contradictions


def test_a_vm_shows_no_disk_of_the_machine(disks: Lab) -> None:
    guest = GUESTS[NAMES["vm0"]]
    names = disks.run("vm0", ["ls", "/sys/class/block"], check=True).stdout.split()
    assert {name[:3] for name in names} == {disk["device"] for disk in guest.disks}
    assert disks.run("vm0", ["ls", "/sys/block"], check=True).stdout.split() == sorted(
        disk["device"] for disk in guest.disks
    )


def test_an_invented_disk_is_no_disk(disks: Lab) -> None:
    """A node with the number of a real disk would be that disk."""
    assert disks.run("vm0", ["stat", "-c", "%F", "/dev/sda"], check=True).stdout == "regular empty file\n"


def test_links(disks: Lab) -> None:
    found = disks.run("vm0", ["readlink", "-f", "/dev/disk/azure/scsi1/lun0"], check=True).stdout
    assert found == "/dev/sdc\n"


def test_a_disk_may_have_a_loop_device_behind_it(lab_dir: Path) -> None:
    if os.geteuid():
        pytest.skip("only root may have loop devices")
    own = {"device": "sdc", "lun": 0, "size_mib": 64, "loop": True}
    spec = {"vms": [{"name": "vm", "disks": [own]}], "emulator": False}
    assert lab_dir.is_dir()
    try:
        with Lab(spec) as running:
            script = "mkfs.ext4 -q /dev/sdc && mkdir /data && mount /dev/sdc /data && echo kept > /data/file"
            running.run("vm", ["sh", "-c", script], check=True)
            number = running.run("vm", ["cat", "/sys/class/block/sdc/dev"], check=True).stdout.strip()
            mounts = running.run("vm", ["cat", "/proc/self/mountinfo"], check=True).stdout
            assert f" {number} / /data " in mounts
            assert int(running.run("vm", ["blockdev", "--getsize64", "/dev/sdc"], check=True).stdout) == 64 << 20
    except RefusedError as error:
        pytest.skip(str(error))
    state = Path("/sys/dev/block", number, "loop", "backing_file")
    assert not state.exists(), "the loop device is left behind"
