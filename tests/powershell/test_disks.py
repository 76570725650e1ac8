# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Disks and adapters under PowerShell, by stand-ins for CIM: both ways find the same; a new disk is initialised."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.imds.azure.tests.powershell.plays import Controller
from ansible_collections.imds.azure.tests.powershell.shell import DISK_CMDLETS
from ansible_collections.imds.azure.tests.scenarios.guide import Guide
from ansible_collections.imds.azure.tests.scenarios.running_emulator import start
from ansible_collections.imds.azure.tests.scenarios.windows_disks import HOSTS, MLX5, NETVSC, rows
from ansible_collections.imds.azure.tests.windows.core import comparable

HOST = HOSTS["a new disk"]
MAC = "00:0d:3a:00:00:01"
# One command where it can be, and always the module.
MODULES = ("azure_imds_facts", "azure_imds_facts_windows")


def recipe(number: int) -> dict[str, Any]:
    """The guide's, with a number before the name of each task."""
    (text,) = [sample.text for sample in Guide("disks").samples if sample.caption == "initialize_disk.yml"]
    (play,) = yaml.safe_load(text)
    for task in play["tasks"]:
        task["name"] = f"{number} {task['name']}"
    result: dict[str, Any] = play
    return result


def own_interface() -> tuple[str, str]:
    """(name, MAC address) of an interface of this machine that .NET lists."""
    for folder in sorted(Path("/sys/class/net").iterdir()):
        mac = (folder / "address").read_text().strip()
        if mac not in ("", "00:00:00:00:00:00"):
            return folder.name, mac
    return "Ethernet", MAC


def test_a_new_disk_is_found_and_initialised(controller: Controller, tmp_path: Path) -> None:
    name, mac = own_interface()
    state = tmp_path / "disks.json"
    adapters = [{**NETVSC, "Name": name, "PermanentAddress": mac}, {**MLX5, "PermanentAddress": mac}]
    given = {**copy.deepcopy(rows(HOST, adapters)), "changes": []}
    for disk in given["disks"]:
        disk["IsReadOnly"] = disk["PartitionStyle"] == 0
    state.write_text(json.dumps(given))
    interface = {
        "macAddress": mac.replace(":", "").upper(),
        "ipv4": {"ipAddress": [{"privateIpAddress": "10.0.0.4", "publicIpAddress": ""}], "subnet": []},
    }
    overrides = {"compute": {"storageProfile": HOST.listed}, "network": {"interface": [interface]}}
    with start([{"name": "web-1", "limiter": False, "overrides": overrides}]) as imds:
        options = {"endpoint": imds.url, "detect": "force", "chassis_asset_tag": "none"}
        defaults = {"module_defaults": {"group/imds.azure.imds": options}}
        ways: list[dict[str, Any]] = [{"name": module, f"imds.azure.{module}": None} for module in MODULES]
        plays = [
            {"hosts": "all", "gather_facts": False, "tasks": ways, **defaults},
            *({**recipe(number), **defaults} for number in (1, 2)),
        ]
        environment = {"PSModulePath": str(DISK_CMDLETS), "STAND_IN_DISKS": str(state)}
        found = controller.play({"windows": controller.windows(environment)}, plays)

    facts = [found["windows", module]["ansible_facts"]["azure_imds"] for module in MODULES]
    assert [fact["meta"].pop("delivery") for fact in facts] == ["one_command", "module"]
    assert comparable(facts[0]) == comparable(facts[1])
    storage = facts[0]["storage"]
    assert facts[0]["meta"]["disks"] == {"reason": None, "message": None}
    assert {disk["lun"]: disk["device"]["number"] for disk in storage["data_disks"]} == HOST.data_disks
    assert storage["os_disk"]["device"]["drive_letters"] == ["C"]
    nic = facts[0]["network"]["interfaces"][0]
    if nic["device"]:
        assert (nic["driver"], nic["accelerated"], nic["vf_driver"]) == ("netvsc", True, "mlx5")

    assert found["windows", "1 Initialise and format it if it is new"]["rc"] == 0
    assert ("windows", "2 Initialise and format it if it is new") not in found  # skipped
    last = found["windows", "2 Find the disk"]["ansible_facts"]["azure_imds"]["storage"]["data_disks"][1]["device"]
    assert (last["partition_style"], last["offline"], last["drive_letters"]) == ("GPT", False, ["F"])
    formatted = f"Format-Volume {HOST.data_disks[1]} F NTFS"
    changes = json.loads(state.read_text())["changes"]
    assert changes == ["Set-Disk", "Set-Disk", "Initialize-Disk", "New-Partition", formatted]
