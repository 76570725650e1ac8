# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Facts, info and attestation through Ansible: a Windows host returns what a Linux host returns, key for key."""

from __future__ import annotations

from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imds.azure.tests.powershell.plays import Controller, Result
from ansible_collections.imds.azure.tests.scenarios.imds.events import ID
from ansible_collections.imds.azure.tests.scenarios.running_emulator import Running, start
from ansible_collections.imds.azure.tests.windows.core import comparable

Task = dict[str, Any]

# What no document of the emulator's own profiles holds.
TAGS = [
    {"name": "Straße", "value": "Ä €  😀"},
    {"name": "env", "value": "lower"},
    {"name": "Env", "value": "upper"},
    {"name": "ENV", "value": ""},
    {"name": 'quote"', "value": "back\\slash\n; : 'x' $(y) `z`"},
]
ODD = {
    "tagsList": TAGS,
    "emptyList": [],
    "emptyObject": {},
    "nested": [[], [[1, [2]], {}], [{"a": []}]],
    "single": [{"only": "one"}],
    "numbers": [0, -1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63)],
    "others": [True, False, None, "", "1.5", "2026-11-26T12:00:00Z", "/Date(1)/"],
}
EXTRA = [f"compute.{name}" for name in ODD if name != "tagsList"]
VM = {"name": "web-ü", "limiter": False, "overrides": {"compute": ODD}, "extra": EXTRA}

# Each as a group of hosts would have it: shell type and language of the user.
HOSTS: dict[str, dict[str, Any]] = {
    "cmd": {"shell": "cmd"},
    "powershell": {"shell": "powershell", "environment": {"LC_ALL": "de_DE.UTF-8"}},
}


def task(name: str, module: str, check_mode: bool = False, **options: Any) -> Task:
    return {"name": name, f"imds.azure.{module}": options, "check_mode": check_mode, "ignore_errors": True}


def plays(imds: Running, trust: dict[str, Any]) -> list[Task]:
    asked: Task = {"endpoint": imds.url, "detect": "force", "chassis_asset_tag": "none"}
    # As text, as a template or the command line would give them.
    times: Task = {"timeout": "29.5", "connect_timeout": "1.5", "read_timeout": "9.5", "updating_timeout": "99.5"}
    everything = {"include_user_data": True, "include_public_keys": True, "load_balancer": True}
    return [
        task("facts", "azure_imds_facts", **asked, **times, **everything),
        task("facts at once", "azure_imds_facts", **asked, **times, include_public_keys=True),
        task("events", "azure_imds_scheduled_events_info", **asked, **times),
        task(
            "approval in check mode",
            "azure_imds_scheduled_events",
            check_mode=True,
            state="approved",
            event_types=["Reboot"],
            first_timeout="20.5",
            **asked,
        ),
        task("info in check mode", "azure_imds_info", check_mode=True, **asked, **times),
        task("attest", "azure_imds_attest", **asked, **times, **trust),
    ]


def settled(result: Result) -> Any:
    """What of a result has to be the same on both, though each is asked with a nonce of its own."""
    own = {"nonce", "evidence", "document", "verified_at", "signer", "chain", "unverified", "meta"}
    settled = comparable({key: value for key, value in result.items() if key not in own})
    meta = settled.get("ansible_facts", {}).get("azure_imds", {}).get("meta", {})
    for name in ("delivery", "disks"):  # without CIM, there are none to read
        meta.pop(name, None)
    timed = [settled, settled.get("soonest") or {}, *settled.get("events", ())]
    for part in timed:
        for name in ("read_at", "waited", "seconds_left"):
            part.pop(name, None)
    return settled


@pytest.fixture
def trust(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Writes the emulator's CA certificates, and tells the options that trust them."""

    def write(imds: Running) -> dict[str, Any]:
        directory = tmp_path_factory.mktemp("ca")
        files = {}
        for option, name in (("anchors", "root"), ("intermediates", "intermediate")):
            files[option] = str(directory / f"{name}.pem")
            Path(files[option]).write_bytes(fetch(imds, f"/ca/{name}.pem"))
        return {"builtin_anchors": False, "fetch_intermediates": "never", **files}

    return write


def fetch(imds: Running, path: str) -> bytes:
    connection = HTTPConnection(*imds.control_address, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().read()
    finally:
        connection.close()


def test_values(controller: Controller, trust: Any) -> None:
    with start([VM]) as imds:
        event = {"type": "Reboot", "id": ID, "description": "Straße 😀", "notice": 86400}
        assert imds.control("POST", "/events", event)[0] == 200
        hosts = {name: controller.windows(**how) for name, how in HOSTS.items()}
        tasks = plays(imds, trust(imds))
        found = controller.play(
            {**hosts, "linux": controller.linux()}, [{"hosts": "all", "gather_facts": False, "tasks": tasks}]
        )
        assert controller.runs() == len(HOSTS) * len(tasks)
    for name in HOSTS:
        for one in tasks:
            result, expected = found[name, one["name"]], found["linux", one["name"]]
            assert not expected.get("failed"), expected
            assert settled(result) == settled(expected), (name, one["name"])
        fact = found[name, "facts"]["ansible_facts"]["azure_imds"]
        assert fact["tags"] == {tag["name"]: tag["value"] for tag in TAGS}
        assert fact["meta"]["delivery"] == "module"
        at_once = found[name, "facts at once"]["ansible_facts"]["azure_imds"]
        assert at_once["tags"] == fact["tags"]
        assert at_once["meta"]["delivery"] == "one_command"
        content = found[name, "info in check mode"]["content"]["compute"]
        assert {key: content[key] for key in ODD} == ODD
        assert found[name, "attest"]["verified"]
        (shown,) = found[name, "events"]["events"]
        assert (shown["event_id"], shown["description"]) == (ID, event["description"])
        planned = found[name, "approval in check mode"]
        assert (planned["changed"], planned["request"]) == (True, {"StartRequests": [{"EventId": ID}]})


# --- how a task reaches the twin ------------------------------------------------------------------------------------

SETUP = """#!powershell
#AnsibleRequires -CSharpUtil Ansible.Basic
$module = [Ansible.Basic.AnsibleModule]::Create($args, @{ options = @{} })
$module.Result.ansible_facts = @{ os_family = 'Windows' }
$module.ExitJson()
"""


def test_the_ways_to_the_twin(controller: Controller, trust: Any) -> None:
    """gather_facts, module_defaults of the task's name and of the group, the role, and the twins' own names."""
    stand_in = controller.directory / "ansible_collections" / "ansible" / "windows" / "plugins" / "modules"
    stand_in.mkdir(parents=True)
    (stand_in / "setup.ps1").write_text(SETUP)
    with start([VM]) as imds:
        asked = {"endpoint": imds.url, "detect": "force"}
        by_group = {"group/imds.azure.imds": asked}
        gather = {
            "hosts": "all",
            "gather_facts": True,
            "module_defaults": {"imds.azure.azure_imds_facts": asked},
            "vars": {
                "ansible_facts_modules": ["ansible.builtin.setup", "imds.azure.azure_imds_facts"],
                "ansible_facts_parallel": False,
            },
        }
        role = {
            "name": "role",
            "ansible.builtin.include_role": {"name": "imds.azure.azure_imds"},
            "vars": {"azure_imds_endpoint": imds.url, "azure_imds_detect": "force", "azure_imds_timeout": "29.5"},
        }
        attest = task("attest twin", "azure_imds_attest_windows", **trust(imds))
        tasks = [{**attest, "module_defaults": by_group}, role]
        info = task("info twin", "azure_imds_info_windows", path="instance/compute/name")
        tasks.append({**info, "module_defaults": by_group})
        found = controller.play(
            {"host": controller.windows()}, [gather, {"hosts": "all", "gather_facts": False, "tasks": tasks}]
        )
    facts = found["host", "Gathering Facts"]["ansible_facts"]
    assert (facts["os_family"], facts["azure_imds"]["name"]) == ("Windows", "web-ü")
    assert found["host", "attest twin"]["verified"]
    assert found["host", "info twin"]["content"] == "web-ü"
    role_facts = found["host", "imds.azure.azure_imds : Ask IMDS"]["ansible_facts"]["azure_imds"]
    assert role_facts["available"]
