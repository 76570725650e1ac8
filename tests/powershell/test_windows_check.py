# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook that checks a real Windows VM: it runs to its end, and tells apart what is as it should be."""

from __future__ import annotations

from pathlib import Path

import yaml
from ansible_collections.imds.azure.tests.powershell.plays import Controller
from ansible_collections.imds.azure.tests.powershell.shell import DISK_CMDLETS, PLUGINS
from ansible_collections.imds.azure.tests.scenarios.running_emulator import start
from ansible_collections.imds.azure.tests.scenarios.windows_disks import HOSTS, NETVSC
from ansible_collections.imds.azure.tests.scenarios.windows_disks import report as report_of

PLAYBOOK = PLUGINS.parent / "playbooks" / "windows_check.yml"

# What only Windows has: firmware that is read, a MAC address that IMDS knows, cmdlets, drives; and a CA of Azure.
ONLY_THERE = {
    "chassis asset tag read from the firmware",
    "the primary interface is found by its MAC address",
    "the driver of the primary interface is read",
    "attestation",
    "every part of the routing state is collected",
    "routes can be read by this user",
    "IMDS answers the primary address",
    "a token can be had, and kept in a directory of the administrators",
    "a directory that everybody may write to is refused",
}


def test_the_report(controller: Controller, tmp_path: Path) -> None:
    disks = HOSTS["a new disk"]
    state = tmp_path / "disks.json"
    state.write_text(report_of(disks, [NETVSC]))
    user = {"LC_ALL": "de_DE.UTF-8", "PSModulePath": str(DISK_CMDLETS), "STAND_IN_DISKS": str(state)}
    overrides = {"compute": {"storageProfile": disks.listed}}
    with start([{"name": "secret-name", "limiter": False, "overrides": overrides}]) as imds:
        asked = {"azure_imds_endpoint": imds.url, "azure_imds_detect": "force", "azure_imds_chassis_asset_tag": "none"}
        host = {**controller.windows(user), **asked}
        found = controller.play({"windows": host}, yaml.safe_load(PLAYBOOK.read_text()))
    report = found["windows", "Show the report"]["msg"]
    judged = [line for line in report if line.startswith(("ok ", "DIFFERENT "))]
    lines = {line[10:].partition(": ")[0]: line[:10].strip() for line in judged}
    assert {what for what, verdict in lines.items() if verdict == "DIFFERENT"} == ONLY_THERE
    assert "ok" in lines.values()
    assert any(line.startswith("PowerShell 7") for line in report)
    assert "Culture de-DE, language of messages de-DE" in report
    location = disks.disks[3]["Location"]
    assert f"Disk 2: Msft Virtual Disk, bus 10, boot False, {location}, path ends 000001" in report
    assert "Adapter Microsoft Hyper-V Network Adapter, " in str(report)
    assert found["windows", "Stop if something is not as it should be"]["failed"]
    assert "secret-name" not in str(report)
