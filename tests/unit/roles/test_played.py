# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role and the playbook gather in real plays, over hosts that are played."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._imds.gather import unavailable
from ansible_collections.imds.azure.tests.scenarios import played_hosts

HOST = {"vm": played_hosts.POSIX}
# Clears the screen, in the forms of 7 and 8 bits.
CLEAR, CLEAR_8 = "\x1b[2J", "\x9b2J"


def answer(**facts: Any) -> dict[str, Any]:
    """What the facts module returns for a VM that has these facts."""
    found = {**unavailable("ok"), "available": True, "reason": "ok", **facts}
    return {"changed": False, "ansible_facts": {"azure_imds": found}}


def controls_nothing(output: str, task: str) -> bool:
    """Whether all that is shown from this task on prints. What -vvv shows of a module's result is Ansible's own."""
    return not {"\x1b", "\x9b", "\u202e"}.intersection(output[output.index(f"{task}]") :])


def role(**variables: Any) -> dict[str, Any]:
    return {"hosts": "all", "gather_facts": False, "roles": [{"role": "imds.azure.azure_imds", "vars": variables}]}


def failure(output: str) -> str:
    """The message of the one failure."""
    assert "failed=1" in output, output
    (found,) = re.findall(r'^fatal: .*? => \{.*?"msg": "(.*?)"\}?$', output, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.mark.parametrize("name", ["azure_imds_asert_zones", "azure_imds_assert_zones", "azure_imds_asert"])
@pytest.mark.parametrize("where", ["role", "host", "play"])
def test_a_misspelt_check_is_refused(tmp_path: Path, name: str, where: str) -> None:
    play = role(**({name: ["2"]} if where == "role" else {}))
    hosts = {"vm": {**played_hosts.POSIX, **({name: ["2"]} if where == "host" else {})}}
    if where == "play":
        play["vars"] = {name: ["2"]}
    message = failure(played_hosts.run_plays(tmp_path, hosts, [play], answer(zone="1")))
    assert message.startswith(f"{name}: not a variable of this role")
    assert "azure_imds_assert: environments, locations, zones, " in message


def test_a_misspelt_key_is_refused(tmp_path: Path) -> None:
    output = played_hosts.run_plays(tmp_path, HOST, [role(azure_imds_assert={"zone": ["2"]})], answer(zone="1"))
    assert "failed=1" in output
    assert "azure_imds_assert.zone" in output
    assert "zones" in output


def test_a_misspelt_key_is_refused_without_the_argument_spec(tmp_path: Path) -> None:
    include = {
        "ansible.builtin.include_role": {"name": "imds.azure.azure_imds", "rolespec_validate": False},
        "vars": {"azure_imds_assert": {"zone": ["2"]}},
    }
    play = {"hosts": "all", "gather_facts": False, "tasks": [include]}
    message = failure(played_hosts.run_plays(tmp_path, HOST, [play], answer(zone="1")))
    assert message.startswith("azure_imds_assert: zone is not a check. Valid keys are environments, locations, zones, ")


def test_right_checks_pass(tmp_path: Path) -> None:
    checks = {"zones": ["1"], "secure_boot": None, "tags": []}
    output = played_hosts.run_plays(tmp_path, HOST, [role(azure_imds_assert=checks)], answer(zone="1"))
    assert "failed=0" in output


def test_what_imds_says_does_not_reach_the_terminal(tmp_path: Path) -> None:
    tags = {"role": f"{CLEAR}{CLEAR_8}"}
    checks = {"tags": {"role": "web"}, "locations": ["westeurope"]}
    output = played_hosts.run_plays(
        tmp_path, HOST, [role(azure_imds_assert=checks)], answer(location=f"east{CLEAR}us", tags=tags)
    )
    assert "vm: location is 'east\\x1b[2Jus', expected 'westeurope'; tag 'role' is '\\x1b[2J\\x9b2J'" in output
    assert controls_nothing(output, "Check what is expected")


def test_a_message_about_missing_facts_does_not_either(tmp_path: Path) -> None:
    facts = unavailable("no_route", f"No route {CLEAR}{CLEAR_8}")
    output = played_hosts.run_plays(
        tmp_path, HOST, [role(azure_imds_assert={"zones": ["1"]})], {"ansible_facts": {"azure_imds": facts}}
    )
    assert "vm: nothing could be checked, because the facts are missing: " in output
    assert controls_nothing(output, "Stop where there should be facts to check, but are none")


@pytest.mark.parametrize(
    ("variables", "runs"),
    [
        ({}, False),
        ({"azure_imds_local_facts_state": "absent"}, True),
        ({"azure_imds_local_facts": True}, True),
        ({"azure_imds_local_facts": True, "azure_imds_local_facts_state": "absent"}, True),
    ],
    ids=str,
)
def test_when_local_facts_are_touched(tmp_path: Path, variables: dict[str, Any], runs: bool) -> None:
    output = played_hosts.run_plays(tmp_path, HOST, [role(**variables)], answer())
    assert "failed=0" in output
    assert ("azure_imds_local_facts.py" in output) == runs


GATHER = {"import_playbook": "imds.azure.gather"}


def table(output: str) -> dict[str, str]:
    """Host -> the rest of its row."""
    rows = re.findall(r'^ +"(\S+) +(.*?)"', output, re.MULTILINE)
    return {name: rest for name, rest in rows if name != "HOST"}


def test_gather_tells_unreachable_from_failed(tmp_path: Path) -> None:
    """What can't be reached is played by an ssh that fails; what fails, by a Python that does not answer."""
    unreachable = {**played_hosts.POSIX, "ansible_ssh_executable": "/bin/false"}
    hosts = {
        "fine": played_hosts.POSIX,
        "broken": {**played_hosts.POSIX, "azure_imds_timeout": "x"},
        "gone": unreachable,
    }
    (tmp_path / "false").write_text("#!/bin/sh\nexit 255\n")
    (tmp_path / "false").chmod(0o755)
    hosts["gone"]["ansible_ssh_executable"] = str(tmp_path / "false")
    output = played_hosts.run_plays(tmp_path, hosts, [GATHER], answer(name="web-1", location="westeurope", zone="1"))
    found = table(output)
    assert found["fine"].split() == ["web-1", "westeurope", "1", "-", "available"]
    assert found["gone"].split() == ["-", "-", "-", "-", "unreachable"]
    assert found["broken"].split() == ["-", "-", "-", "-", "failed"]
    recap = output.rpartition("PLAY RECAP")[2]
    assert re.search(r"gone .* unreachable=1 +failed=0", recap)
    assert re.search(r"broken .* unreachable=0 +failed=1", recap)
    assert re.search(r"fine .* unreachable=0 +failed=0", recap)


def test_gather_shows_the_reason_of_what_is_required(tmp_path: Path) -> None:
    refused = {"failed": True, "msg": "No facts from IMDS: ...", "reason": "no_route"}
    output = played_hosts.run_plays(tmp_path, HOST, [GATHER], refused)
    assert table(output)["vm"].split() == ["-", "-", "-", "-", "failed:", "no_route"]


DISKS = {"import_playbook": "imds.azure.disks"}
LINUX_DEVICE = {"path": "/dev/sdd", "size_bytes": 16 << 30, "mounts": [{"path": "/data"}], "confidence": "exact"}
WINDOWS_DEVICE = {"number": 2, "path": "x", "drive_letters": ["F", "G"], "confidence": "guessed"}
STORAGE = {
    "os_disk": {"name": "web-os", "disk_size_gb": 30, "device": None},
    "data_disks": [
        {"lun": 0, "name": f"data{CLEAR}", "disk_size_gb": 4, "device": {**LINUX_DEVICE, "confidence": "guessed"}},
        {"lun": 7, "device": WINDOWS_DEVICE},
    ],
    "resource_disk": {"device": LINUX_DEVICE},
    "local_disks": [{"name": None, "device": {**LINUX_DEVICE, "mounts": [], "size_bytes": 3 << 29}}],
    "contradictions": [{"code": "missing_device", "message": f"This {CLEAR_8} contradicts."}],
}


def test_disks_lists_those_of_every_kind(tmp_path: Path) -> None:
    output = played_hosts.run_plays(tmp_path, HOST, [DISKS], answer(storage=STORAGE))
    rows = [row.split(None, 1)[1].strip() for row in re.findall(r'^ +"(vm .*?)"', output, re.MULTILINE)]
    assert [re.split("  +", row) for row in rows[:5]] == [
        ["os", "web-os", "30 GiB", "-", "-"],
        ["0", "data\\\\x1b[2J", "4 GiB", "/dev/sdd (guessed) /data"],
        ["7", "-", "-", "disk 2 (guessed) F, G"],
        ["temp", "-", "16 GiB", "/dev/sdd", "/data"],
        ["local", "-", "1.5 GiB", "/dev/sdd", "-"],
    ]
    assert rows[5:] == ["This \\\\x9b2J contradicts.", "Disks are only read where IMDS has answered."]
    assert controls_nothing(output, "Show the disks")


@pytest.mark.parametrize("option", ["endpoint", "detect", "timeout"])
def test_gather_honours_the_variables_of_the_role(tmp_path: Path, option: str) -> None:
    """A played host answers whatever it is asked, so the variable is one that can't be read unnoticed."""
    hosts = {"vm": {**played_hosts.POSIX, f"azure_imds_{option}": "{{ nobody_defines_this }}"}}
    output = played_hosts.run_plays(tmp_path, hosts, [GATHER], answer())
    assert "'nobody_defines_this' is undefined" in output


def test_the_table_does_not_control_the_terminal(tmp_path: Path) -> None:
    output = played_hosts.run_plays(tmp_path, HOST, [GATHER], answer(name=f"web{CLEAR}{CLEAR_8}", vm_size="\u202e"))
    assert "web\\\\x1b[2J\\\\x9b2J" in output
    assert controls_nothing(output, "Show what was found")
