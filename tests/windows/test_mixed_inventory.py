# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Role and playbooks on a mixed inventory. The Windows host is played: it answers with what the C# core found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.imds.azure.plugins.modules import azure_imds_facts
from ansible_collections.imds.azure.tests.scenarios import played_hosts
from ansible_collections.imds.azure.tests.scenarios.module_runner import argument_spec
from ansible_collections.imds.azure.tests.scenarios.running_emulator import start
from ansible_collections.imds.azure.tests.windows.core import Core

ROOT = Path(__file__).resolve().parents[2]
HOSTS = {"windows-vm": played_hosts.WINDOWS, "linux-vm": played_hosts.POSIX}
TAGS = {"tagsList": [{"name": "role", "value": "web"}]}
VM = {"name": "web-1", "profile": "windows", "overrides": {"compute": TAGS}}


@pytest.fixture(scope="module")
def answer(core: Core) -> Any:
    """What azure_imds_facts_windows returns on an emulated VM."""
    unset = {name: option.get("default") for name, option in argument_spec(azure_imds_facts).items()}
    with start([VM]) as imds:
        found = core("module", name="azure_imds_facts", params={**unset, "endpoint": imds.url, "detect": "force"})
    assert found["result"]["ansible_facts"]["azure_imds"]["os_type"] == "Windows"
    return found["result"]


def test_the_playbook_that_gathers(answer: Any, tmp_path: Path) -> None:
    output = played_hosts.run_plays(tmp_path, HOSTS, [{"import_playbook": "imds.azure.gather"}], answer)
    facts = answer["ansible_facts"]["azure_imds"]
    for host in HOSTS:
        (row,) = [
            line for line in output.splitlines() if line.strip(' "').startswith(f"{host} ") and "available" in line
        ]
        assert facts["name"] in row
        assert facts["location"] in row
    assert "azure_imds_facts_windows.ps1" in output
    assert "azure_imds_facts.py" in output


def test_the_role_groups_checks_and_leaves_local_facts_out(answer: Any, tmp_path: Path) -> None:
    location = answer["ansible_facts"]["azure_imds"]["location"]
    role = {
        "azure_imds_group_by_tags": ["role"],
        "azure_imds_assert": {"locations": [location]},
        "azure_imds_local_facts": True,
    }
    play = {"hosts": "all", "gather_facts": False, "roles": [{"role": "imds.azure.azure_imds", "vars": role}]}
    show = {"ansible.builtin.debug": {"msg": "members {{ groups['azure_tag_role_web'] | sort | join(' ') }}."}}
    output = played_hosts.run_plays(tmp_path, HOSTS, [{**play, "post_tasks": [show]}], answer)
    assert "failed=0" in output
    assert "members linux-vm windows-vm." in output
    assert output.count("windows-vm: azure_imds_local_facts is skipped.") == 1
    assert "linux-vm: azure_imds_local_facts is skipped." not in output
    assert output.count("azure_imds_local_facts.py") == 1, "for the other host it is run"


def test_what_is_not_as_expected_fails_on_windows_too(answer: Any, tmp_path: Path) -> None:
    role = {"azure_imds_assert": {"locations": ["nowhere"]}}
    play = {"hosts": "windows-vm", "gather_facts": False, "roles": [{"role": "imds.azure.azure_imds", "vars": role}]}
    output = played_hosts.run_plays(tmp_path, HOSTS, [play], answer)
    location = answer["ansible_facts"]["azure_imds"]["location"]
    assert f"windows-vm: location is '{location}', expected 'nowhere'." in output


def test_the_repair_becomes_root_only_where_there_is_one(tmp_path: Path) -> None:
    _query, repair, _report = yaml.safe_load((ROOT / "playbooks" / "route_fix.yml").read_text())
    task = {"name": "Do something", "imds.azure.azure_imds_facts": {}}
    plays = [
        {"name": host, "hosts": host, "gather_facts": False, "become": repair["become"], "tasks": [task]}
        for host in HOSTS
    ]
    output = played_hosts.run_plays(tmp_path, HOSTS, plays)
    windows, posix = output.split("PLAY [linux-vm]")
    assert "ok: [windows-vm]" in windows
    assert "sudo" not in windows
    assert "sudo" in posix
